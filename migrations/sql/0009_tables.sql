-- Evaluations: sets of questions, and how well they were answered. A row that is committed as `queued` is accepted work.
CREATE TABLE evaluations (
    tenant_id uuid NOT NULL,
    evaluation_id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    status text DEFAULT 'queued' NOT NULL,
    configurations jsonb NOT NULL,
    total integer NOT NULL,
    done integer DEFAULT 0 NOT NULL,
    results jsonb DEFAULT '[]' NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_token uuid,
    lease_until timestamptz,
    enqueued_at timestamptz DEFAULT now() NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    error_code text,
    error_detail text,
    created_at timestamptz DEFAULT now() NOT NULL,
    completed_at timestamptz,
    CONSTRAINT pk_evaluations PRIMARY KEY (tenant_id, evaluation_id),
    CONSTRAINT fk_evaluations_tenants FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);
CREATE INDEX ix_evaluations_listing ON evaluations (tenant_id, created_at, evaluation_id);
CREATE INDEX ix_evaluations_open ON evaluations (enqueued_at) WHERE status IN ('queued', 'running');

CREATE TABLE evaluation_questions (
    tenant_id uuid NOT NULL,
    evaluation_id uuid NOT NULL,
    number integer NOT NULL,
    question text NOT NULL,
    answers text[] NOT NULL,
    source jsonb DEFAULT '{}' NOT NULL,
    outcomes jsonb,
    CONSTRAINT pk_evaluation_questions PRIMARY KEY (tenant_id, evaluation_id, number),
    CONSTRAINT fk_evaluation_questions_evaluations FOREIGN KEY (tenant_id, evaluation_id)
        REFERENCES evaluations (tenant_id, evaluation_id) ON DELETE CASCADE
);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['evaluations', 'evaluation_questions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I TO aura_app '
            'USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) '
            'WITH CHECK (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
            tenant_table
        );
    END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON evaluations, evaluation_questions TO aura_app;

CREATE POLICY sweep ON evaluations TO aura_sweeper USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, evaluation_id, status, lease_until, due_at, enqueued_at), UPDATE (enqueued_at)
    ON evaluations TO aura_sweeper;

CREATE FUNCTION take_due_evaluations(at_most int)
RETURNS TABLE (tenant_id uuid, evaluation_id uuid)
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH due AS (
        SELECT e.tenant_id, e.evaluation_id FROM evaluations e
        WHERE e.status IN ('queued', 'running') AND e.due_at <= now()
          AND coalesce(e.lease_until, '-infinity') < now() AND e.enqueued_at < now() - interval '10 s'
        ORDER BY e.enqueued_at LIMIT at_most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE evaluations e SET enqueued_at = now() FROM due d
    WHERE e.tenant_id = d.tenant_id AND e.evaluation_id = d.evaluation_id
    RETURNING e.tenant_id, e.evaluation_id
$$;
REVOKE ALL ON FUNCTION take_due_evaluations FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_due_evaluations TO aura_app;
ALTER FUNCTION take_due_evaluations OWNER TO aura_sweeper;
