-- Recordings: what is kept of spoken turns where a tenant has turned that on. A row that is committed with its turn as
-- `open` is accepted work: it says that the client was told. The sound itself lies in the object store.
ALTER TABLE tenants
    ADD COLUMN record_voice boolean DEFAULT false NOT NULL,
    ADD COLUMN recording_days integer DEFAULT 30 NOT NULL;

CREATE TABLE recordings (
    tenant_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    status text DEFAULT 'open' NOT NULL,
    question_ms integer,
    answer_ms integer,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_recordings PRIMARY KEY (tenant_id, turn_id),
    CONSTRAINT fk_recordings_turns FOREIGN KEY (tenant_id, turn_id)
        REFERENCES turns (tenant_id, turn_id) ON DELETE CASCADE
);
CREATE INDEX ix_recordings_conversation ON recordings (tenant_id, conversation_id);
CREATE INDEX ix_recordings_listing ON recordings (tenant_id, created_at, turn_id);
CREATE INDEX ix_recordings_open ON recordings (due_at) WHERE status = 'open';
CREATE INDEX ix_recordings_age ON recordings (created_at);

ALTER TABLE recordings ENABLE ROW LEVEL SECURITY;
ALTER TABLE recordings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON recordings TO aura_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON recordings TO aura_app;

CREATE POLICY sweep ON recordings TO aura_sweeper USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, turn_id, status, due_at, created_at), UPDATE (due_at) ON recordings TO aura_sweeper;
CREATE POLICY sweep ON tenants FOR SELECT TO aura_sweeper USING (true);
GRANT SELECT (tenant_id, recording_days) ON tenants TO aura_sweeper;

CREATE FUNCTION take_due_recordings(at_most int)
RETURNS TABLE (tenant_id uuid, turn_id uuid)
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH due AS (
        SELECT r.tenant_id, r.turn_id FROM recordings r
        JOIN turns t ON t.tenant_id = r.tenant_id AND t.turn_id = r.turn_id
        WHERE r.status = 'open' AND r.due_at <= now() AND t.status NOT IN ('queued', 'running')
        ORDER BY r.due_at LIMIT at_most
        FOR UPDATE OF r SKIP LOCKED
    )
    -- Whoever takes one has a minute for it; after that it is another's.
    UPDATE recordings r SET due_at = now() + interval '60 s' FROM due d
    WHERE r.tenant_id = d.tenant_id AND r.turn_id = d.turn_id
    RETURNING r.tenant_id, r.turn_id
$$;

CREATE FUNCTION expired_recordings(at_most int)
RETURNS TABLE (tenant_id uuid, turn_id uuid)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT r.tenant_id, r.turn_id FROM recordings r JOIN tenants t ON t.tenant_id = r.tenant_id
    WHERE r.created_at < now() - make_interval(days => t.recording_days)
    ORDER BY r.created_at LIMIT at_most
$$;

REVOKE ALL ON FUNCTION take_due_recordings, expired_recordings FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_due_recordings, expired_recordings TO aura_app;
ALTER FUNCTION take_due_recordings OWNER TO aura_sweeper;
ALTER FUNCTION expired_recordings OWNER TO aura_sweeper;
