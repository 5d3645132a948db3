-- How long turns took, from the waterfalls that they keep.
CREATE FUNCTION waterfall(timings jsonb, answered_by text)
RETURNS TABLE (stage text, measure text, provider text, ms float8)
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    -- A stage has its waits and runs; those of an answer's sentences are one stage.
    SELECT regexp_replace(e.key, '_[0-9]+$', ''), m.measure,
           coalesce(e.value ->> 'provider', CASE WHEN e.key = 'generate' THEN answered_by END, ''),
           (CASE WHEN jsonb_typeof(e.value -> m.name) = 'number' THEN e.value ->> m.name END)::float8
    FROM jsonb_each(timings) e CROSS JOIN (VALUES ('queued', 'queued_ms'), ('run', 'run_ms')) m (measure, name)
    WHERE jsonb_typeof(e.value -> m.name) = 'number'
    UNION ALL
    -- A turn has moments, and for whom it spoke to what counts: from the end of speech to the first sound.
    SELECT 'turn', m.measure, coalesce(answered_by, ''), m.ms
    FROM (SELECT max(at) FILTER (WHERE key = 'endpoint_ms') AS endpoint,
                 max(at) FILTER (WHERE key = 'first_token_ms') AS token,
                 coalesce(max(at) FILTER (WHERE key = 'first_audio_ms'), max(at) FILTER (WHERE key = 'audio_0_ms'))
                     AS audio,
                 max(at) FILTER (WHERE key = 'first_audio_sent_ms') AS sent,
                 max(at) FILTER (WHERE key = 'first_audio_heard_ms') AS heard,
                 max(at) FILTER (WHERE key = 'speech_end_ms') AS speech_end
          FROM (SELECT key, CASE WHEN jsonb_typeof(value) = 'number' THEN value::float8 END AS at
                FROM jsonb_each(timings)) m) t,
    LATERAL (VALUES ('endpoint', t.endpoint), ('first_token', t.token), ('first_audio', t.audio),
                    ('first_audio_sent', t.sent), ('first_audio_heard', t.heard),
                    ('speech_to_sound', coalesce(t.heard, t.sent, t.audio) - t.speech_end)) m (measure, ms)
    WHERE m.ms IS NOT NULL
$$;

-- For the operator's view of days over all tenants: rows come in the order of time, so a few pages tell where.
CREATE INDEX ix_turns_days ON turns USING brin (created_at);

CREATE FUNCTION latency_of_all(since timestamptz, before timestamptz)
RETURNS TABLE (tenant_id uuid, day date, provider text, stage text, measure text, turns bigint, p50 float8, p95 float8)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT f.tenant_id, f.day, f.provider, f.stage, f.measure, count(*),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY f.ms), percentile_cont(0.95) WITHIN GROUP (ORDER BY f.ms)
    FROM (SELECT t.tenant_id, (t.created_at AT TIME ZONE 'utc')::date AS day, w.*
          FROM turns t CROSS JOIN LATERAL waterfall(t.timings, t.provider) w
          WHERE t.created_at >= since AND t.created_at < before AND t.status = 'completed') f
    GROUP BY GROUPING SETS ((f.stage, f.measure), (f.day, f.stage, f.measure), (f.provider, f.stage, f.measure),
                            (f.tenant_id, f.stage, f.measure))
$$;
REVOKE ALL ON FUNCTION latency_of_all FROM PUBLIC;
GRANT EXECUTE ON FUNCTION latency_of_all TO aura_app;
ALTER FUNCTION latency_of_all OWNER TO aura_sweeper;
