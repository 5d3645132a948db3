-- The first tables. `schemas/` says what each is for; a test compares the two.

CREATE SEQUENCE document_chunk_ids;

CREATE TABLE tenants (
    tenant_id UUID DEFAULT gen_random_uuid() NOT NULL,
    organization_name TEXT NOT NULL,
    admin_email TEXT NOT NULL,
    subscription_tier TEXT DEFAULT 'standard' NOT NULL,
    max_storage_gb INTEGER DEFAULT 10 NOT NULL,
    max_users INTEGER DEFAULT 10 NOT NULL,
    max_api_calls_monthly INTEGER DEFAULT 10000 NOT NULL,
    custom_settings JSONB DEFAULT '{}' NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    knowledge_version INTEGER DEFAULT 0 NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_tenants PRIMARY KEY (tenant_id),
    CONSTRAINT uq_tenants_admin_email UNIQUE (admin_email)
);

CREATE TABLE agents (
    tenant_id UUID NOT NULL,
    agent_id UUID DEFAULT gen_random_uuid() NOT NULL,
    assistant_key TEXT NOT NULL,
    name TEXT NOT NULL,
    instructions TEXT DEFAULT '' NOT NULL,
    greeting TEXT DEFAULT '' NOT NULL,
    voice_id TEXT,
    language TEXT,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_agents PRIMARY KEY (tenant_id, agent_id),
    CONSTRAINT uq_agents_tenant_id_assistant_key UNIQUE (tenant_id, assistant_key),
    CONSTRAINT fk_agents_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);

CREATE TABLE documents (
    tenant_id UUID NOT NULL,
    doc_id UUID DEFAULT gen_random_uuid() NOT NULL,
    user_id TEXT NOT NULL,
    assistant_key TEXT,
    filename TEXT NOT NULL,
    file_type TEXT NOT NULL,
    file_size BIGINT NOT NULL,
    content_sha256 TEXT NOT NULL,
    title TEXT DEFAULT '' NOT NULL,
    content_preview TEXT DEFAULT '' NOT NULL,
    version INTEGER DEFAULT 0 NOT NULL,
    processing_status TEXT DEFAULT 'queued' NOT NULL,
    error_code TEXT,
    error_detail TEXT,
    pages INTEGER,
    chunks_count INTEGER DEFAULT 0 NOT NULL,
    tokens_count INTEGER DEFAULT 0 NOT NULL,
    metadata JSONB DEFAULT '{}' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    processed_at timestamptz,
    CONSTRAINT pk_documents PRIMARY KEY (tenant_id, doc_id),
    CONSTRAINT fk_documents_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);
CREATE INDEX ix_documents_listing ON documents (tenant_id, created_at, doc_id);
CREATE INDEX ix_documents_queued ON documents (created_at) WHERE processing_status = 'queued';
CREATE INDEX ix_documents_running ON documents (tenant_id) WHERE processing_status = 'running';
CREATE UNIQUE INDEX uq_documents_content ON documents (tenant_id, coalesce(assistant_key, ''), content_sha256);

CREATE TABLE document_versions (
    tenant_id UUID NOT NULL,
    doc_id UUID NOT NULL,
    version INTEGER NOT NULL,
    embedding_model TEXT,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_document_versions PRIMARY KEY (tenant_id, doc_id, version),
    CONSTRAINT fk_document_versions_documents FOREIGN KEY(tenant_id, doc_id) REFERENCES documents (tenant_id, doc_id) ON DELETE CASCADE
);

CREATE TABLE document_stages (
    tenant_id UUID NOT NULL,
    doc_id UUID NOT NULL,
    version INTEGER NOT NULL,
    stage TEXT NOT NULL,
    part INTEGER NOT NULL,
    span_from INTEGER,
    span_to INTEGER,
    status TEXT DEFAULT 'queued' NOT NULL,
    artefact TEXT,
    attempts INTEGER DEFAULT 0 NOT NULL,
    deferrals INTEGER DEFAULT 0 NOT NULL,
    lease_token UUID,
    lease_until timestamptz,
    enqueued_at timestamptz DEFAULT now() NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_document_stages PRIMARY KEY (tenant_id, doc_id, version, stage, part),
    CONSTRAINT fk_document_stages_document_versions FOREIGN KEY(tenant_id, doc_id, version) REFERENCES document_versions (tenant_id, doc_id, version) ON DELETE CASCADE
);
CREATE INDEX ix_document_stages_open ON document_stages (stage, enqueued_at) WHERE status <> 'processed';

CREATE TABLE document_chunks (
    tenant_id UUID NOT NULL,
    chunk_id BIGINT DEFAULT nextval('document_chunk_ids') NOT NULL,
    doc_id UUID NOT NULL,
    version INTEGER NOT NULL,
    chunk_index INTEGER NOT NULL,
    assistant_key TEXT,
    chunk_text TEXT NOT NULL,
    chunk_type TEXT NOT NULL,
    token_count INTEGER NOT NULL,
    start_char INTEGER NOT NULL,
    end_char INTEGER NOT NULL,
    heading_path TEXT[] NOT NULL,
    page_from INTEGER,
    page_to INTEGER,
    boxes JSONB NOT NULL,
    metadata JSONB DEFAULT '{}' NOT NULL,
    embedding halfvec NOT NULL,
    embedding_model TEXT NOT NULL,
    lexemes tsvector NOT NULL,
    lexeme_count INTEGER NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_document_chunks PRIMARY KEY (tenant_id, chunk_id),
    CONSTRAINT fk_document_chunks_documents FOREIGN KEY(tenant_id, doc_id) REFERENCES documents (tenant_id, doc_id) ON DELETE CASCADE
) PARTITION BY HASH (tenant_id);
CREATE INDEX ix_document_chunks_lexemes ON document_chunks USING gin (lexemes);
CREATE UNIQUE INDEX uq_document_chunks_index ON document_chunks (tenant_id, doc_id, version, chunk_index);

CREATE TABLE term_frequencies (
    tenant_id UUID NOT NULL,
    lexeme TEXT NOT NULL,
    chunks INTEGER NOT NULL,
    CONSTRAINT pk_term_frequencies PRIMARY KEY (tenant_id, lexeme),
    CONSTRAINT fk_term_frequencies_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);

CREATE TABLE corpus_sizes (
    tenant_id UUID NOT NULL,
    chunks BIGINT NOT NULL,
    lexemes BIGINT NOT NULL,
    CONSTRAINT pk_corpus_sizes PRIMARY KEY (tenant_id),
    CONSTRAINT fk_corpus_sizes_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);

CREATE TABLE conversations (
    tenant_id UUID NOT NULL,
    conversation_id UUID DEFAULT gen_random_uuid() NOT NULL,
    user_id TEXT NOT NULL,
    assistant_key TEXT NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_conversations PRIMARY KEY (tenant_id, conversation_id),
    CONSTRAINT fk_conversations_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);

CREATE TABLE turns (
    tenant_id UUID NOT NULL,
    turn_id UUID DEFAULT gen_random_uuid() NOT NULL,
    conversation_id UUID NOT NULL,
    assistant_key TEXT NOT NULL,
    spoken BOOLEAN NOT NULL,
    use_memory BOOLEAN DEFAULT true NOT NULL,
    language TEXT,
    question TEXT,
    status TEXT DEFAULT 'queued' NOT NULL,
    stage TEXT NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    lease_token UUID,
    lease_until timestamptz,
    enqueued_at timestamptz DEFAULT now() NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    passages JSONB DEFAULT '[]' NOT NULL,
    confidence FLOAT,
    answer TEXT,
    citations JSONB DEFAULT '[]' NOT NULL,
    provider TEXT,
    model TEXT,
    input_tokens INTEGER DEFAULT 0 NOT NULL,
    output_tokens INTEGER DEFAULT 0 NOT NULL,
    cost_usd NUMERIC(12, 6) DEFAULT 0 NOT NULL,
    timings JSONB DEFAULT '{}' NOT NULL,
    error_code TEXT,
    error_detail TEXT,
    created_at timestamptz DEFAULT now() NOT NULL,
    completed_at timestamptz,
    CONSTRAINT pk_turns PRIMARY KEY (tenant_id, turn_id),
    CONSTRAINT fk_turns_conversations FOREIGN KEY(tenant_id, conversation_id) REFERENCES conversations (tenant_id, conversation_id) ON DELETE CASCADE
);
CREATE INDEX ix_turns_conversation ON turns (tenant_id, conversation_id, created_at);
CREATE INDEX ix_turns_open ON turns (enqueued_at) WHERE status in ('queued', 'running');

CREATE TABLE sentences (
    tenant_id UUID NOT NULL,
    turn_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    text TEXT NOT NULL,
    status TEXT DEFAULT 'queued' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    lease_token UUID,
    lease_until timestamptz,
    enqueued_at timestamptz DEFAULT now() NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_sentences PRIMARY KEY (tenant_id, turn_id, seq),
    CONSTRAINT fk_sentences_turns FOREIGN KEY(tenant_id, turn_id) REFERENCES turns (tenant_id, turn_id) ON DELETE CASCADE
);
CREATE INDEX ix_sentences_open ON sentences (enqueued_at) WHERE status in ('queued', 'running');

CREATE TABLE messages (
    tenant_id UUID NOT NULL,
    turn_id UUID NOT NULL,
    role TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    content TEXT NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_messages PRIMARY KEY (tenant_id, turn_id, role),
    CONSTRAINT fk_messages_turns FOREIGN KEY(tenant_id, turn_id) REFERENCES turns (tenant_id, turn_id) ON DELETE CASCADE
);
CREATE INDEX ix_messages_conversation ON messages (tenant_id, conversation_id, created_at);

-- Inline vectors make exact search read one page a chunk instead of two.
ALTER TABLE document_chunks ALTER COLUMN embedding SET STORAGE MAIN;

DO $$
BEGIN
    FOR part IN 0..15 LOOP
        EXECUTE format(
            'CREATE TABLE document_chunks_%s PARTITION OF document_chunks FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
            part, part
        );
    END LOOP;
END
$$;
