-- Webhooks that are due, over all tenants. `aura_sweeper` sees when and where to, never what or whose secret.

CREATE POLICY sweep ON webhook_endpoints FOR SELECT TO aura_sweeper USING (true);
CREATE POLICY sweep ON webhook_deliveries TO aura_sweeper USING (status = 'pending') WITH CHECK (status = 'pending');
GRANT SELECT (tenant_id, endpoint_id, is_active, is_slow, max_in_flight) ON webhook_endpoints TO aura_sweeper;
GRANT SELECT (tenant_id, delivery_id, endpoint_id, status, due_at, lease_token, lease_until),
    UPDATE (lease_token, lease_until) ON webhook_deliveries TO aura_sweeper;

-- Lease up to `at_most` due deliveries to `taker` for `lease_s` seconds, and up to `slow_at_most` of endpoints
-- that are slow. Every endpoint gets its first one before any gets a second. One taker at a time serves an
-- endpoint, so that it alone can keep to what the endpoint takes at once; it may hold `ahead` times as many, and
-- of a slow one `slow_each`. What a dead worker held is free when its lease is over.
CREATE FUNCTION take_due_webhooks(
    taker uuid, at_most int, slow_at_most int, slow_each int, ahead int, lease_s float
)
RETURNS TABLE (tenant_id uuid, delivery_id uuid)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
#variable_conflict use_column
BEGIN
    -- One at a time, so that two callers do not both fill an endpoint's last place.
    PERFORM pg_advisory_xact_lock(hashtext('aura.webhooks'));
    UPDATE webhook_deliveries d SET lease_token = NULL, lease_until = NULL
    WHERE d.lease_until < now() AND d.status = 'pending';
    RETURN QUERY
    -- The endpoints for which something waits: one step of the index for each, however much waits there.
    WITH RECURSIVE waiting AS (
        (SELECT d.tenant_id, d.endpoint_id FROM webhook_deliveries d
         WHERE d.status = 'pending' AND d.lease_until IS NULL
         ORDER BY d.tenant_id, d.endpoint_id LIMIT 1)
        UNION ALL
        SELECT n.tenant_id, n.endpoint_id FROM waiting w CROSS JOIN LATERAL (
            SELECT d.tenant_id, d.endpoint_id FROM webhook_deliveries d
            WHERE d.status = 'pending' AND d.lease_until IS NULL
              AND (d.tenant_id, d.endpoint_id) > (w.tenant_id, w.endpoint_id)
            ORDER BY d.tenant_id, d.endpoint_id LIMIT 1
        ) n
    ),
    held AS (
        SELECT d.tenant_id, d.endpoint_id, count(*) AS leases, bool_or(d.lease_token <> taker) AS elsewhere
        FROM webhook_deliveries d
        WHERE d.lease_until IS NOT NULL GROUP BY 1, 2
    ),
    taking AS (
        SELECT e.tenant_id, e.endpoint_id, e.is_slow, coalesce(h.leases, 0) AS leases,
               CASE WHEN e.is_slow THEN least(e.max_in_flight, slow_each) ELSE e.max_in_flight * ahead END AS places
        FROM waiting w JOIN webhook_endpoints e USING (tenant_id, endpoint_id)
        LEFT JOIN held h USING (tenant_id, endpoint_id)
        WHERE e.is_active AND NOT coalesce(h.elsewhere, false)
    ),
    candidates AS (
        SELECT t.tenant_id, d.delivery_id, t.is_slow, d.due_at,
               t.leases + row_number() OVER (PARTITION BY t.tenant_id, t.endpoint_id ORDER BY d.due_at) AS place
        FROM taking t CROSS JOIN LATERAL (
            SELECT d.delivery_id, d.due_at FROM webhook_deliveries d
            WHERE d.tenant_id = t.tenant_id AND d.endpoint_id = t.endpoint_id
              AND d.status = 'pending' AND d.lease_until IS NULL AND d.due_at <= now()
            ORDER BY d.due_at LIMIT greatest(0, t.places - t.leases)
        ) d
    ),
    of_kind AS (
        SELECT c.*, row_number() OVER (PARTITION BY c.is_slow ORDER BY c.place, c.due_at) AS nth FROM candidates c
    ),
    chosen AS (
        SELECT k.tenant_id, k.delivery_id FROM of_kind k
        WHERE NOT k.is_slow OR k.nth <= slow_at_most
        ORDER BY k.place, k.due_at LIMIT at_most
    ),
    locked AS (
        SELECT d.tenant_id, d.delivery_id FROM webhook_deliveries d
        JOIN chosen c USING (tenant_id, delivery_id)
        WHERE d.status = 'pending' AND d.lease_until IS NULL
        FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE webhook_deliveries d SET lease_token = taker, lease_until = now() + make_interval(secs => lease_s)
    FROM locked l WHERE d.tenant_id = l.tenant_id AND d.delivery_id = l.delivery_id
    RETURNING d.tenant_id, d.delivery_id;
END
$$;

-- Forget deliveries, with their tries, 30 days after their event; returns how many, at most as many as asked.
GRANT SELECT (tenant_id, delivery_id, created_at), DELETE ON webhook_deliveries TO aura_lookup;
CREATE POLICY lookup ON webhook_deliveries TO aura_lookup
    USING (created_at < now() - interval '30 days') WITH CHECK (false);

CREATE FUNCTION forget_webhooks(at_most int)
RETURNS int
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
DECLARE
    gone int;
BEGIN
    DELETE FROM webhook_deliveries d USING (
        SELECT o.tenant_id, o.delivery_id FROM webhook_deliveries o
        WHERE o.created_at < now() - interval '30 days'
        ORDER BY o.created_at LIMIT at_most
    ) old
    WHERE d.tenant_id = old.tenant_id AND d.delivery_id = old.delivery_id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

REVOKE ALL ON FUNCTION take_due_webhooks, forget_webhooks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_due_webhooks, forget_webhooks TO aura_app;
ALTER FUNCTION take_due_webhooks OWNER TO aura_sweeper;
ALTER FUNCTION forget_webhooks OWNER TO aura_lookup;
