-- Bulk ingestion: batches, resumable uploads, and what admission, bundles and re-indexing need.

CREATE TABLE batches (
    tenant_id UUID NOT NULL,
    batch_id UUID DEFAULT gen_random_uuid() NOT NULL,
    user_id TEXT NOT NULL,
    assistant_key TEXT,
    source TEXT NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    priority INTEGER DEFAULT 0 NOT NULL,
    state TEXT DEFAULT 'running' NOT NULL,
    is_open BOOLEAN DEFAULT false NOT NULL,
    intake BOOLEAN DEFAULT false NOT NULL,
    options JSONB DEFAULT '{}' NOT NULL,
    password_sealed TEXT,
    taken_in INTEGER DEFAULT 0 NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    lease_token UUID,
    lease_until timestamptz,
    enqueued_at timestamptz DEFAULT now() NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    error_code TEXT,
    error_detail TEXT,
    created_at timestamptz DEFAULT now() NOT NULL,
    told_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT pk_batches PRIMARY KEY (tenant_id, batch_id),
    CONSTRAINT fk_batches_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    CONSTRAINT ck_batches_state CHECK (state IN ('running', 'paused', 'cancelled', 'completed'))
);
CREATE INDEX ix_batches_listing ON batches (tenant_id, created_at, batch_id);
CREATE INDEX ix_batches_intake ON batches (enqueued_at) WHERE intake;
CREATE INDEX ix_batches_running ON batches (tenant_id) WHERE state IN ('running', 'paused');

ALTER TABLE documents
    ADD COLUMN batch_id UUID,
    ADD COLUMN lane UUID DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
    ADD COLUMN priority INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN units INTEGER DEFAULT 16 NOT NULL,
    ADD COLUMN express BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN queued_at timestamptz DEFAULT now() NOT NULL,
    ADD COLUMN started_at timestamptz,
    ADD COLUMN folder TEXT DEFAULT '' NOT NULL,
    ADD COLUMN source_url TEXT,
    ADD COLUMN password_sealed TEXT,
    ADD COLUMN wanted JSONB DEFAULT '{}' NOT NULL,
    ADD CONSTRAINT fk_documents_batches FOREIGN KEY(tenant_id, batch_id)
        REFERENCES batches (tenant_id, batch_id) ON DELETE SET NULL (batch_id);
DROP INDEX ix_documents_queued;
CREATE INDEX ix_documents_queued ON documents (tenant_id, lane, priority DESC, queued_at, doc_id)
    WHERE processing_status = 'queued';
CREATE INDEX ix_documents_batch ON documents (tenant_id, batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX ix_documents_ended_badly ON documents (tenant_id, created_at, doc_id)
    WHERE processing_status IN ('failed', 'cancelled');

CREATE TABLE batch_items (
    tenant_id UUID NOT NULL,
    batch_id UUID NOT NULL,
    item INTEGER NOT NULL,
    filename TEXT NOT NULL,
    folder TEXT DEFAULT '' NOT NULL,
    url TEXT,
    doc_id UUID,
    error_code TEXT,
    error_detail TEXT,
    CONSTRAINT pk_batch_items PRIMARY KEY (tenant_id, batch_id, item),
    CONSTRAINT fk_batch_items_batches FOREIGN KEY(tenant_id, batch_id)
        REFERENCES batches (tenant_id, batch_id) ON DELETE CASCADE,
    CONSTRAINT fk_batch_items_documents FOREIGN KEY(tenant_id, doc_id)
        REFERENCES documents (tenant_id, doc_id) ON DELETE SET NULL (doc_id)
);
CREATE INDEX ix_batch_items_document ON batch_items (tenant_id, doc_id) WHERE doc_id IS NOT NULL;

CREATE TABLE uploads (
    tenant_id UUID NOT NULL,
    upload_id UUID DEFAULT gen_random_uuid() NOT NULL,
    user_id TEXT NOT NULL,
    filename TEXT NOT NULL,
    assistant_key TEXT,
    size BIGINT NOT NULL,
    received BIGINT DEFAULT 0 NOT NULL,
    parts INTEGER DEFAULT 0 NOT NULL,
    metadata JSONB DEFAULT '{}' NOT NULL,
    password_sealed TEXT,
    job_id UUID,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz DEFAULT now() + interval '1 day' NOT NULL,
    CONSTRAINT pk_uploads PRIMARY KEY (tenant_id, upload_id),
    CONSTRAINT fk_uploads_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);
CREATE INDEX ix_uploads_expiry ON uploads (expires_at);

ALTER TABLE document_versions
    ADD COLUMN options JSONB DEFAULT '{}' NOT NULL,
    ADD COLUMN chunks_count INTEGER,
    ADD COLUMN embedded_count INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN processed_at timestamptz;

ALTER TABLE document_stages
    ADD COLUMN queue TEXT DEFAULT '' NOT NULL,
    ADD COLUMN payload bytea,
    ADD COLUMN done INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN worker TEXT,
    ADD COLUMN started_at timestamptz;
-- Of all tenants: the owner is bound by row level security otherwise.
ALTER TABLE document_stages NO FORCE ROW LEVEL SECURITY;
UPDATE document_stages SET queue = stage WHERE queue = '';
ALTER TABLE document_stages FORCE ROW LEVEL SECURITY;
-- What is packed already is not packed again.
ALTER TABLE document_stages ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX ix_document_stages_lease ON document_stages (tenant_id, lease_token) WHERE lease_token IS NOT NULL;

ALTER TABLE document_chunks
    ADD COLUMN context_sha256 bytea,
    ADD COLUMN edited_at timestamptz;
CREATE INDEX ix_document_chunks_context ON document_chunks (tenant_id, context_sha256);

CREATE TABLE chunk_edits (
    tenant_id UUID NOT NULL,
    edit_id UUID DEFAULT gen_random_uuid() NOT NULL,
    doc_id UUID NOT NULL,
    chunk_id BIGINT NOT NULL,
    chunk_index INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    chunk_text TEXT NOT NULL,
    replaced_sha256 bytea,
    status TEXT DEFAULT 'queued' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    lease_token UUID,
    lease_until timestamptz,
    enqueued_at timestamptz DEFAULT now() NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    error_code TEXT,
    error_detail TEXT,
    created_at timestamptz DEFAULT now() NOT NULL,
    applied_at timestamptz,
    CONSTRAINT pk_chunk_edits PRIMARY KEY (tenant_id, edit_id),
    CONSTRAINT fk_chunk_edits_documents FOREIGN KEY(tenant_id, doc_id)
        REFERENCES documents (tenant_id, doc_id) ON DELETE CASCADE
);
CREATE INDEX ix_chunk_edits_document ON chunk_edits (tenant_id, doc_id, chunk_id);
CREATE INDEX ix_chunk_edits_open ON chunk_edits (enqueued_at) WHERE status IN ('queued', 'running');

-- By which models a tenant's chunks are embedded: a question is put to each of them.
CREATE TABLE corpus_models (
    tenant_id UUID NOT NULL,
    embedding_model TEXT NOT NULL,
    chunks BIGINT NOT NULL,
    CONSTRAINT pk_corpus_models PRIMARY KEY (tenant_id, embedding_model),
    CONSTRAINT fk_corpus_models_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);
-- Not bound by row level security: the owner of the tables counts what is there already, of all tenants.
ALTER TABLE document_chunks NO FORCE ROW LEVEL SECURITY;
INSERT INTO corpus_models SELECT tenant_id, embedding_model, count(*) FROM document_chunks GROUP BY 1, 2;
ALTER TABLE document_chunks FORCE ROW LEVEL SECURITY;
