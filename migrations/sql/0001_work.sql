-- The few acts across tenants. Each runs as `aura_sweeper`, which owns no table and sees only what
-- a document or turn waits for, never a text.

-- Admit queued documents: those of the tenant with the fewest in work first, at most `per_tenant` of
-- one tenant and `in_flight` of all. A tenant with 10,000 files can not starve one with a single file.
CREATE FUNCTION admit_documents(in_flight int, per_tenant int)
RETURNS TABLE (tenant_id uuid, doc_id uuid, version int)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
#variable_conflict use_column
BEGIN
    -- One at a time, so that two callers do not both fill the last place.
    PERFORM pg_advisory_xact_lock(hashtext('aura.admit'));
    RETURN QUERY
    WITH busy AS (
        SELECT d.tenant_id, count(*) AS running FROM documents d WHERE d.processing_status = 'running' GROUP BY 1
    ),
    queued AS (
        SELECT d.tenant_id, d.doc_id, d.created_at,
               row_number() OVER (PARTITION BY d.tenant_id ORDER BY d.created_at, d.doc_id)
               + coalesce(b.running, 0) AS place
        FROM documents d LEFT JOIN busy b USING (tenant_id)
        WHERE d.processing_status = 'queued'
    ),
    chosen AS (
        SELECT q.tenant_id, q.doc_id FROM queued q
        WHERE q.place <= per_tenant
        ORDER BY q.place, q.created_at
        LIMIT greatest(0, in_flight - (SELECT coalesce(sum(running), 0) FROM busy))
    ),
    started AS (
        UPDATE documents d SET processing_status = 'running'
        FROM chosen c
        WHERE d.tenant_id = c.tenant_id AND d.doc_id = c.doc_id AND d.processing_status = 'queued'
        RETURNING d.tenant_id, d.doc_id
    ),
    versions AS (
        INSERT INTO document_versions (tenant_id, doc_id, version)
        SELECT s.tenant_id, s.doc_id,
               1 + coalesce((SELECT max(v.version) FROM document_versions v
                             WHERE v.tenant_id = s.tenant_id AND v.doc_id = s.doc_id), 0)
        FROM started s
        RETURNING document_versions.tenant_id, document_versions.doc_id, document_versions.version
    ),
    stages AS (
        INSERT INTO document_stages (tenant_id, doc_id, version, stage, part)
        SELECT v.tenant_id, v.doc_id, v.version, 'extract', 0 FROM versions v
    )
    SELECT v.tenant_id, v.doc_id, v.version FROM versions v;
END
$$;

-- Ingest work that nobody holds although it is due: its message or its worker was lost. Where the
-- queue is empty (`idle`) a short wait proves it; elsewhere the message may still be in the queue.
CREATE FUNCTION take_due_stages(idle text[], at_most int)
RETURNS TABLE (tenant_id uuid, doc_id uuid, version int, stage text, part int)
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH due AS (
        SELECT s.tenant_id, s.doc_id, s.version, s.stage, s.part
        FROM document_stages s
        WHERE s.status IN ('queued', 'running')
          AND s.due_at <= now()
          AND coalesce(s.lease_until, '-infinity') < now()
          AND s.enqueued_at < now() - CASE WHEN s.stage = ANY (idle) THEN interval '2 s' ELSE interval '60 s' END
        ORDER BY s.enqueued_at
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE document_stages s SET enqueued_at = now()
    FROM due d
    WHERE (s.tenant_id, s.doc_id, s.version, s.stage, s.part)
        = (d.tenant_id, d.doc_id, d.version, d.stage, d.part)
    RETURNING s.tenant_id, s.doc_id, s.version, s.stage, s.part
$$;

-- The same for turns: somebody is waiting, so the waits are short.
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
          AND t.due_at <= now()
          AND coalesce(t.lease_until, '-infinity') < now()
          AND t.enqueued_at < now() - CASE WHEN t.stage = ANY (idle) THEN interval '1 s' ELSE interval '10 s' END
        ORDER BY t.enqueued_at
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE turns t SET enqueued_at = now()
    FROM due d
    WHERE t.tenant_id = d.tenant_id AND t.turn_id = d.turn_id
    RETURNING t.tenant_id, t.turn_id, t.stage
$$;

-- And for sentences that wait for their voice.
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
          AND coalesce(s.lease_until, '-infinity') < now()
          AND s.enqueued_at < now() - CASE WHEN idle THEN interval '1 s' ELSE interval '10 s' END
        ORDER BY s.enqueued_at
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE sentences s SET enqueued_at = now()
    FROM due d
    WHERE s.tenant_id = d.tenant_id AND s.turn_id = d.turn_id AND s.seq = d.seq
    RETURNING s.tenant_id, s.turn_id, s.seq
$$;

REVOKE ALL ON FUNCTION admit_documents, take_due_stages, take_due_turns, take_due_sentences FROM PUBLIC;
GRANT EXECUTE ON FUNCTION admit_documents, take_due_stages, take_due_turns, take_due_sentences TO aura_app;

ALTER FUNCTION admit_documents OWNER TO aura_sweeper;
ALTER FUNCTION take_due_stages OWNER TO aura_sweeper;
ALTER FUNCTION take_due_turns OWNER TO aura_sweeper;
ALTER FUNCTION take_due_sentences OWNER TO aura_sweeper;
