-- Knowledge besides documents. Each entry is also a document, of its own source and with the entry's id, so that it
-- is embedded, found, made again and deleted as documents are.
ALTER TABLE documents ADD COLUMN source TEXT DEFAULT 'document_chunks' NOT NULL;
DROP INDEX ix_documents_listing;
CREATE INDEX ix_documents_listing ON documents (tenant_id, created_at, doc_id) WHERE source = 'document_chunks';

-- `name_sha256` is of what an entry goes by (prompt, title, filename): there is one for each assistant.
CREATE TABLE training_data (
    tenant_id UUID NOT NULL,
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    assistant_key TEXT,
    prompt TEXT NOT NULL,
    response TEXT NOT NULL,
    tags TEXT[] DEFAULT '{}' NOT NULL,
    created_by TEXT NOT NULL,
    name_sha256 BYTEA NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_training_data PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_training_data_documents FOREIGN KEY(tenant_id, id)
        REFERENCES documents (tenant_id, doc_id) ON DELETE CASCADE
);

CREATE TABLE logic_notes (
    tenant_id UUID NOT NULL,
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    assistant_key TEXT,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    category TEXT,
    tags TEXT[] DEFAULT '{}' NOT NULL,
    created_by TEXT NOT NULL,
    name_sha256 BYTEA NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_logic_notes PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_logic_notes_documents FOREIGN KEY(tenant_id, id)
        REFERENCES documents (tenant_id, doc_id) ON DELETE CASCADE
);

CREATE TABLE reference_materials (
    tenant_id UUID NOT NULL,
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    assistant_key TEXT,
    filename TEXT NOT NULL,
    original_filename TEXT NOT NULL,
    title TEXT NOT NULL,
    file_type TEXT NOT NULL,
    file_size BIGINT NOT NULL,
    content TEXT NOT NULL,
    tags TEXT[] DEFAULT '{}' NOT NULL,
    uploaded_by TEXT NOT NULL,
    name_sha256 BYTEA NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_reference_materials PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_reference_materials_documents FOREIGN KEY(tenant_id, id)
        REFERENCES documents (tenant_id, doc_id) ON DELETE CASCADE
);

DO $$
DECLARE
    entries text;
BEGIN
    FOREACH entries IN ARRAY ARRAY['training_data', 'logic_notes', 'reference_materials'] LOOP
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (tenant_id, coalesce(assistant_key, ''''), name_sha256)',
                       'uq_' || entries || '_name', entries);
        EXECUTE format('CREATE INDEX %I ON %I (tenant_id, created_at, id)', 'ix_' || entries || '_listing', entries);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', entries);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', entries);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I TO aura_app '
            'USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) '
            'WITH CHECK (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
            entries
        );
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO aura_app', entries);
    END LOOP;
END
$$;
