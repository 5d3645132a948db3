-- What a turn was answered by and why, and whole answers that are kept for the same question.

ALTER TABLE turns
    ADD COLUMN cache JSONB DEFAULT '{}' NOT NULL,
    ADD COLUMN route JSONB DEFAULT '{}' NOT NULL;

-- `manner` is all that an answer depends on besides the question, as a digest: assistant, instructions, persona,
-- language, models. `key` is that with the question, `telling` the question without words that tell nothing.
-- What came from a turn goes with it, and with its conversation, user, assistant or tenant.
CREATE TABLE cached_answers (
    tenant_id UUID NOT NULL,
    key TEXT NOT NULL,
    manner TEXT NOT NULL,
    telling TEXT NOT NULL,
    assistant_key TEXT NOT NULL,
    agent_version TEXT NOT NULL,
    knowledge_version INTEGER NOT NULL,
    turn_id UUID NOT NULL,
    embedding halfvec,
    embedding_model TEXT,
    answer TEXT NOT NULL,
    citations JSONB NOT NULL,
    passages JSONB NOT NULL,
    confidence FLOAT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    cost_usd NUMERIC(12, 6) NOT NULL,
    took_ms FLOAT NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_cached_answers PRIMARY KEY (tenant_id, key),
    CONSTRAINT fk_cached_answers_turns FOREIGN KEY(tenant_id, turn_id)
        REFERENCES turns (tenant_id, turn_id) ON DELETE CASCADE,
    CONSTRAINT fk_cached_answers_agents FOREIGN KEY(tenant_id, assistant_key)
        REFERENCES agents (tenant_id, assistant_key) ON DELETE CASCADE
);
CREATE INDEX ix_cached_answers_near ON cached_answers (tenant_id, manner, telling);
CREATE INDEX ix_cached_answers_turn ON cached_answers (tenant_id, turn_id);
CREATE INDEX ix_cached_answers_age ON cached_answers (tenant_id, created_at);
CREATE INDEX ix_turns_created ON turns (tenant_id, created_at);

ALTER TABLE cached_answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE cached_answers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON cached_answers TO aura_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON cached_answers TO aura_app;

-- Whatever moves the knowledge version drops the answers from before, in its own transaction.
CREATE FUNCTION forget_answers() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    DELETE FROM cached_answers WHERE tenant_id = NEW.tenant_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_answers AFTER UPDATE OF knowledge_version ON tenants
    FOR EACH ROW WHEN (OLD.knowledge_version IS DISTINCT FROM NEW.knowledge_version)
    EXECUTE FUNCTION forget_answers();

-- What providers cost, over all tenants: for the operator, by day. Assistants are the tenants' own affair.
CREATE POLICY costs ON usage_events FOR SELECT TO aura_sweeper USING (true);
GRANT SELECT (tenant_id, kind, provider, model, input_tokens, output_tokens, seconds, cost_usd, held_until, created_at)
    ON usage_events TO aura_sweeper;
CREATE INDEX ix_usage_events_created ON usage_events (created_at);
CREATE FUNCTION costs_of_all(since timestamptz, before timestamptz)
RETURNS TABLE (tenant_id uuid, day date, kind text, provider text, model text, calls bigint, input_tokens bigint,
               output_tokens bigint, seconds float, cost_usd numeric)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT u.tenant_id, (u.created_at AT TIME ZONE 'utc')::date, u.kind, u.provider, u.model, count(*),
           sum(u.input_tokens), sum(u.output_tokens), coalesce(sum(u.seconds), 0), sum(u.cost_usd)
    FROM usage_events u
    WHERE u.created_at >= since AND u.created_at < before AND u.held_until IS NULL
    GROUP BY 1, 2, 3, 4, 5
$$;
REVOKE ALL ON FUNCTION costs_of_all FROM PUBLIC;
GRANT EXECUTE ON FUNCTION costs_of_all TO aura_app;
ALTER FUNCTION costs_of_all OWNER TO aura_sweeper;
