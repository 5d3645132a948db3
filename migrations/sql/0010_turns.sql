-- What a spoken turn adds. It may begin before its speech has surely ended: until then `confirmed_at` is null. Its
-- answer may be cut while it is heard. And the process that holds a step is known, so that its death is seen at once.

ALTER TABLE turns
    ADD COLUMN transcript_confidence FLOAT,
    ADD COLUMN confirmed_at timestamptz DEFAULT now(),
    ADD COLUMN generates_early BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN interrupted_at timestamptz,
    ADD COLUMN heard_text TEXT,
    ADD COLUMN holder INTEGER;
ALTER TABLE sentences ADD COLUMN holder INTEGER;
CREATE INDEX ix_turns_unconfirmed ON turns (created_at) WHERE confirmed_at IS NULL;

-- Processes that are alive: each has an advisory lock of its number (its class is "AURA" as bytes), on a connection
-- that the system closes when the process dies, however it dies.
CREATE FUNCTION live_holders() RETURNS TABLE (holder int)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, public
AS $$
    SELECT l.objid::bigint::int FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.classid::bigint = 1096110657 AND l.objsubid = 2 AND l.granted
$$;

-- As before; what a process held that has died is due at once, and what waits for its confirmation is not.
SET LOCAL ROLE aura_sweeper;
DROP FUNCTION take_due_turns(text[], int);
DROP FUNCTION take_due_sentences(boolean, int);
SET LOCAL ROLE aura_owner;
CREATE FUNCTION take_due_turns(idle text[], at_most int)
RETURNS TABLE (tenant_id uuid, turn_id uuid, stage text)
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH due AS (
        SELECT t.tenant_id, t.turn_id
        FROM turns t
        WHERE t.status IN ('queued', 'running')
          AND t.answer IS NULL
          AND t.error_code IS NULL
          AND t.due_at <= now()
          AND (t.confirmed_at IS NOT NULL OR t.generates_early OR t.stage <> 'generate')
          AND CASE
              WHEN coalesce(t.lease_until, '-infinity') < now()
              THEN t.enqueued_at < now() - CASE WHEN t.stage = ANY (idle) THEN interval '1 s' ELSE interval '10 s' END
              ELSE t.holder IS NOT NULL AND t.holder NOT IN (SELECT l.holder FROM live_holders() l)
          END
        ORDER BY t.enqueued_at
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE turns t SET enqueued_at = now(), lease_until = NULL, holder = NULL
    FROM due d
    WHERE t.tenant_id = d.tenant_id AND t.turn_id = d.turn_id
    RETURNING t.tenant_id, t.turn_id, t.stage
$$;

CREATE FUNCTION take_due_sentences(idle boolean, at_most int)
RETURNS TABLE (tenant_id uuid, turn_id uuid, seq int)
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH due AS (
        SELECT s.tenant_id, s.turn_id, s.seq
        FROM sentences s
        WHERE s.status IN ('queued', 'running')
          AND s.due_at <= now()
          AND CASE
              WHEN coalesce(s.lease_until, '-infinity') < now()
              THEN s.enqueued_at < now() - CASE WHEN idle THEN interval '1 s' ELSE interval '10 s' END
              ELSE s.holder IS NOT NULL AND s.holder NOT IN (SELECT l.holder FROM live_holders() l)
          END
        ORDER BY s.enqueued_at
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE sentences s SET enqueued_at = now(), lease_until = NULL, holder = NULL
    FROM due d
    WHERE s.tenant_id = d.tenant_id AND s.turn_id = d.turn_id AND s.seq = d.seq
    RETURNING s.tenant_id, s.turn_id, s.seq
$$;

-- Turns that nobody has confirmed although they wait for it since 15 seconds, or were begun a minute ago.
CREATE FUNCTION abandoned_turns(at_most int) RETURNS TABLE (tenant_id uuid, turn_id uuid)
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT t.tenant_id, t.turn_id
    FROM turns t
    WHERE t.confirmed_at IS NULL
      AND t.created_at < now() - interval '15 s'
      AND (
          t.created_at < now() - interval '60 s'
          OR t.enqueued_at < now() - interval '15 s'
          AND (t.status NOT IN ('queued', 'running') OR t.stage = 'generate')
      )
    ORDER BY t.created_at
    LIMIT at_most
$$;

-- Whether any of these three may find something: asked once a second, so it looks and locks nothing.
CREATE FUNCTION turns_are_due() RETURNS boolean
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT EXISTS (
        SELECT FROM turns t
        WHERE t.status IN ('queued', 'running') AND t.answer IS NULL AND t.error_code IS NULL
          AND (t.confirmed_at IS NOT NULL OR t.generates_early OR t.stage <> 'generate')
          AND CASE WHEN coalesce(t.lease_until, '-infinity') < now() THEN t.enqueued_at < now() - interval '1 s'
              ELSE t.holder IS NOT NULL AND t.holder NOT IN (SELECT l.holder FROM live_holders() l) END
    ) OR EXISTS (
        SELECT FROM sentences s
        WHERE s.status IN ('queued', 'running')
          AND CASE WHEN coalesce(s.lease_until, '-infinity') < now() THEN s.enqueued_at < now() - interval '1 s'
              ELSE s.holder IS NOT NULL AND s.holder NOT IN (SELECT l.holder FROM live_holders() l) END
    ) OR EXISTS (
        SELECT FROM turns t WHERE t.confirmed_at IS NULL AND t.created_at < now() - interval '15 s'
    )
$$;

REVOKE ALL ON FUNCTION take_due_turns, take_due_sentences, abandoned_turns, turns_are_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_due_turns, take_due_sentences, abandoned_turns, turns_are_due TO aura_app;
ALTER FUNCTION take_due_turns OWNER TO aura_sweeper;
ALTER FUNCTION take_due_sentences OWNER TO aura_sweeper;
ALTER FUNCTION abandoned_turns OWNER TO aura_sweeper;
ALTER FUNCTION turns_are_due OWNER TO aura_sweeper;
