-- A card for each document of several chunks: its name, its title and how it begins, as a vector and as words.
CREATE TABLE document_cards (
    tenant_id UUID NOT NULL,
    doc_id UUID NOT NULL,
    embedding_model TEXT NOT NULL,
    embedding halfvec NOT NULL,
    lexemes tsvector NOT NULL,
    card_sha256 bytea NOT NULL,
    CONSTRAINT pk_document_cards PRIMARY KEY (tenant_id, doc_id),
    CONSTRAINT fk_document_cards_documents FOREIGN KEY(tenant_id, doc_id)
        REFERENCES documents (tenant_id, doc_id) ON DELETE CASCADE
);
CREATE INDEX ix_document_cards_sha256 ON document_cards (tenant_id, card_sha256);

ALTER TABLE document_cards ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_cards FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON document_cards TO aura_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON document_cards TO aura_app;
