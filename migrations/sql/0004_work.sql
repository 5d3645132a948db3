-- Admission by units: a small document is 1, any other 16. Three rules make it fair and keep queues short.
-- Of tenants, the one with the fewest units in work comes first; one has `tenant_units` at most, and fewer
-- where many wait. Of a tenant's batches each has its turn; within one, priority and then age decide. Small
-- documents start in whole bundles, so that one request embeds a hundred. A few documents of a tenant that
-- has nothing else in work go by the express queue, whatever others have in theirs.
SET LOCAL ROLE aura_sweeper;
DROP FUNCTION admit_documents(int, int);
SET LOCAL ROLE aura_owner;
CREATE FUNCTION admit_documents(all_units int, tenant_units int, bundle int, express_places int)
RETURNS TABLE (tenant_id uuid, doc_id uuid, version int, queue text, units int)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
#variable_conflict use_column
DECLARE
    waiting record;
    free_units int;
    free_express int;
    room int;
    fast boolean;
BEGIN
    -- One at a time, so that two callers do not both fill the last place.
    PERFORM pg_advisory_xact_lock(hashtext('aura.admit'));
    SELECT all_units - coalesce(sum(d.units), 0), express_places - count(*) FILTER (WHERE d.express)
    INTO free_units, free_express
    FROM documents d WHERE d.processing_status = 'running';
    FOR waiting IN
        WITH RECURSIVE tenants_in_turn AS (
            (SELECT d.tenant_id FROM documents d WHERE d.processing_status = 'queued'
             ORDER BY d.tenant_id LIMIT 1)
            UNION ALL
            SELECT (SELECT d.tenant_id FROM documents d
                    WHERE d.processing_status = 'queued' AND d.tenant_id > t.tenant_id
                    ORDER BY d.tenant_id LIMIT 1)
            FROM tenants_in_turn t WHERE t.tenant_id IS NOT NULL
        ),
        busy AS (
            SELECT d.tenant_id, sum(d.units) AS units
            FROM documents d WHERE d.processing_status = 'running' GROUP BY 1
        )
        SELECT t.tenant_id, coalesce(b.units, 0)::int AS units, count(*) OVER () AS tenants
        FROM tenants_in_turn t LEFT JOIN busy b USING (tenant_id)
        WHERE t.tenant_id IS NOT NULL
        ORDER BY 2, 1
    LOOP
        room := greatest(bundle, least(tenant_units, all_units / waiting.tenants)) - waiting.units;
        fast := waiting.units < bundle AND free_express > 0;
        IF NOT fast THEN
            room := least(room, free_units);
        END IF;
        CONTINUE WHEN room <= 0;
        RETURN QUERY
        WITH RECURSIVE lanes AS (
            (SELECT d.lane FROM documents d
             WHERE d.processing_status = 'queued' AND d.tenant_id = waiting.tenant_id
             ORDER BY d.lane LIMIT 1)
            UNION ALL
            SELECT (SELECT d.lane FROM documents d
                    WHERE d.processing_status = 'queued' AND d.tenant_id = waiting.tenant_id AND d.lane > l.lane
                    ORDER BY d.lane LIMIT 1)
            FROM lanes l WHERE l.lane IS NOT NULL
        ),
        candidates AS (
            SELECT q.*, q.place + coalesce(r.units, 0) AS turn
            FROM lanes l
            CROSS JOIN LATERAL (
                SELECT d.doc_id, d.priority, d.queued_at, d.units, d.file_size,
                       sum(d.units) OVER (ORDER BY d.priority DESC, d.queued_at, d.doc_id) AS place
                FROM (
                    SELECT * FROM documents d
                    WHERE d.processing_status = 'queued' AND d.tenant_id = waiting.tenant_id AND d.lane = l.lane
                    ORDER BY d.priority DESC, d.queued_at, d.doc_id LIMIT room + 1
                ) d
            ) q
            LEFT JOIN (
                SELECT d.lane, sum(d.units) AS units FROM documents d
                WHERE d.processing_status = 'running' AND d.tenant_id = waiting.tenant_id GROUP BY 1
            ) r USING (lane)
            WHERE l.lane IS NOT NULL
              AND NOT EXISTS (SELECT FROM batches b WHERE b.tenant_id = waiting.tenant_id
                              AND b.batch_id = l.lane AND b.state = 'paused')
        ),
        ordered AS (
            SELECT c.*, sum(c.units) OVER (ORDER BY c.priority DESC, c.turn, c.queued_at, c.doc_id) AS upto,
                   sum(c.units) OVER () AS total, count(*) OVER () AS documents,
                   row_number() OVER (ORDER BY c.priority DESC, c.turn, c.queued_at, c.doc_id) AS place_of_all
            FROM candidates c
        ),
        chosen AS (
            SELECT o.doc_id, o.priority, o.turn, o.queued_at,
                   fast AND o.documents <= 4 AND o.file_size <= 2097152 AND o.place_of_all <= free_express AS express
            FROM ordered o
            WHERE CASE
                WHEN fast AND o.documents <= 4 THEN o.upto <= room OR o.place_of_all = 1
                -- Room for less than a bundle is left to grow, unless it is enough for all that waits.
                WHEN o.total <= room THEN true
                WHEN room < bundle THEN false
                ELSE o.upto <= room - room % bundle
            END
        ),
        started AS (
            UPDATE documents d SET processing_status = 'running', express = c.express, started_at = now()
            FROM chosen c
            WHERE d.tenant_id = waiting.tenant_id AND d.doc_id = c.doc_id AND d.processing_status = 'queued'
            RETURNING d.tenant_id, d.doc_id, d.express, d.units, d.wanted
        ),
        versions AS (
            INSERT INTO document_versions (tenant_id, doc_id, version, options)
            SELECT s.tenant_id, s.doc_id,
                   1 + coalesce((SELECT max(v.version) FROM document_versions v
                                 WHERE v.tenant_id = s.tenant_id AND v.doc_id = s.doc_id), 0), s.wanted
            FROM started s
            RETURNING document_versions.tenant_id, document_versions.doc_id, document_versions.version
        ),
        stages AS (
            INSERT INTO document_stages (tenant_id, doc_id, version, stage, part, queue)
            SELECT v.tenant_id, v.doc_id, v.version, 'extract', 0,
                   CASE WHEN s.express THEN 'express' ELSE 'extract' END
            FROM versions v JOIN started s USING (tenant_id, doc_id)
            RETURNING document_stages.tenant_id, document_stages.doc_id, document_stages.version,
                      document_stages.queue
        )
        SELECT g.tenant_id, g.doc_id, g.version, g.queue, s.units
        FROM stages g JOIN started s USING (tenant_id, doc_id) JOIN chosen c USING (doc_id)
        ORDER BY c.priority DESC, c.turn, c.queued_at, c.doc_id;
        SELECT all_units - coalesce(sum(d.units), 0), express_places - count(*) FILTER (WHERE d.express)
        INTO free_units, free_express
        FROM documents d WHERE d.processing_status = 'running';
    END LOOP;
END
$$;

-- As before, and it says in which queue a part waits, what it weighs and how often it was begun.
SET LOCAL ROLE aura_sweeper;
DROP FUNCTION take_due_stages(text[], int);
SET LOCAL ROLE aura_owner;
CREATE FUNCTION take_due_stages(idle text[], at_most int)
RETURNS TABLE (tenant_id uuid, doc_id uuid, version int, stage text, part int, queue text, texts int, units int,
               attempts int)
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
          AND s.enqueued_at < now() - CASE WHEN s.queue = ANY (idle) THEN interval '2 s' ELSE interval '60 s' END
        ORDER BY s.enqueued_at
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    ),
    taken AS (
        UPDATE document_stages s SET enqueued_at = now()
        FROM due d
        WHERE (s.tenant_id, s.doc_id, s.version, s.stage, s.part)
            = (d.tenant_id, d.doc_id, d.version, d.stage, d.part)
        RETURNING s.tenant_id, s.doc_id, s.version, s.stage, s.part, s.queue, s.span_from, s.span_to, s.attempts
    )
    SELECT t.tenant_id, t.doc_id, t.version, t.stage, t.part, t.queue, coalesce(t.span_to - t.span_from, 1), d.units,
           t.attempts
    FROM taken t JOIN documents d USING (tenant_id, doc_id)
    ORDER BY t.tenant_id, t.stage, t.doc_id, t.part
$$;

-- Batches whose archive or addresses nobody takes in although it is due.
CREATE FUNCTION take_due_intakes(at_most int)
RETURNS TABLE (tenant_id uuid, batch_id uuid)
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH due AS (
        SELECT b.tenant_id, b.batch_id FROM batches b
        WHERE b.intake AND b.state = 'running' AND b.due_at <= now() AND coalesce(b.lease_until, '-infinity') < now()
          AND b.enqueued_at < now() - interval '10 s'
        ORDER BY b.enqueued_at LIMIT at_most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE batches b SET enqueued_at = now() FROM due d
    WHERE b.tenant_id = d.tenant_id AND b.batch_id = d.batch_id
    RETURNING b.tenant_id, b.batch_id
$$;

-- Batches in work that were not told of for a while: their progress, or their end, is to be told.
CREATE FUNCTION take_untold_batches(older_than interval, at_most int)
RETURNS TABLE (tenant_id uuid, batch_id uuid)
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH due AS (
        SELECT b.tenant_id, b.batch_id FROM batches b
        WHERE b.state IN ('running', 'paused') AND coalesce(b.told_at, '-infinity') < now() - older_than
        ORDER BY b.told_at NULLS FIRST LIMIT at_most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE batches b SET told_at = now() FROM due d
    WHERE b.tenant_id = d.tenant_id AND b.batch_id = d.batch_id
    RETURNING b.tenant_id, b.batch_id
$$;

CREATE FUNCTION take_due_edits(at_most int)
RETURNS TABLE (tenant_id uuid, edit_id uuid)
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH due AS (
        SELECT e.tenant_id, e.edit_id FROM chunk_edits e
        WHERE e.status IN ('queued', 'running') AND e.due_at <= now()
          AND coalesce(e.lease_until, '-infinity') < now() AND e.enqueued_at < now() - interval '10 s'
        ORDER BY e.enqueued_at LIMIT at_most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE chunk_edits e SET enqueued_at = now() FROM due d
    WHERE e.tenant_id = d.tenant_id AND e.edit_id = d.edit_id
    RETURNING e.tenant_id, e.edit_id
$$;

CREATE FUNCTION expired_uploads(at_most int)
RETURNS TABLE (tenant_id uuid, upload_id uuid)
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT u.tenant_id, u.upload_id FROM uploads u WHERE u.expires_at < now() ORDER BY u.expires_at LIMIT at_most
$$;

REVOKE ALL ON FUNCTION admit_documents, take_due_stages, take_due_intakes, take_untold_batches, take_due_edits,
    expired_uploads FROM PUBLIC;
GRANT EXECUTE ON FUNCTION admit_documents, take_due_stages, take_due_intakes, take_untold_batches, take_due_edits,
    expired_uploads TO aura_app;
ALTER FUNCTION admit_documents OWNER TO aura_sweeper;
ALTER FUNCTION take_due_stages OWNER TO aura_sweeper;
ALTER FUNCTION take_due_intakes OWNER TO aura_sweeper;
ALTER FUNCTION take_untold_batches OWNER TO aura_sweeper;
ALTER FUNCTION take_due_edits OWNER TO aura_sweeper;
ALTER FUNCTION expired_uploads OWNER TO aura_sweeper;
