-- What an assistant is, beside its name: how it sounds, what it may read, and which models it prefers.
-- `revision` counts its changes: whoever changes it says which one they have read.
ALTER TABLE agents
    ADD COLUMN persona JSONB DEFAULT '{}' NOT NULL,
    ADD COLUMN voice_speed DOUBLE PRECISION,
    ADD COLUMN knowledge_filter JSONB DEFAULT '{}' NOT NULL,
    ADD COLUMN model_policy JSONB DEFAULT '{}' NOT NULL,
    ADD COLUMN is_active BOOLEAN DEFAULT true NOT NULL,
    ADD COLUMN kind TEXT DEFAULT 'custom' NOT NULL,
    ADD COLUMN revision INTEGER DEFAULT 1 NOT NULL,
    ADD COLUMN updated_at timestamptz DEFAULT now() NOT NULL;
