-- What must be asked before a tenant is known, or of all of them. Each runs as `aura_lookup`, which owns
-- no table, sees only the columns granted here, and deletes only what has expired.

GRANT SELECT (tenant_id, organization_name, subdomain, admin_email, subscription_tier, is_active, expires_at,
    deletion_requested_at, created_at) ON tenants TO aura_lookup;
GRANT SELECT (tenant_id, user_id, email, role, is_active, password_hash) ON tenant_users TO aura_lookup;
GRANT SELECT (tenant_id, session_id, user_id, expires_at, revoked_at) ON login_sessions TO aura_lookup;
GRANT SELECT (tenant_id, key_id, expires_at, revoked_at) ON api_keys TO aura_lookup;
GRANT SELECT (tenant_id, mail_id, status, due_at) , UPDATE (due_at) ON outgoing_mails TO aura_lookup;
GRANT SELECT (tenant_id, created_at, lease_until), DELETE ON idempotency_keys TO aura_lookup;
GRANT SELECT (tenant_id, expires_at), DELETE ON one_time_tokens TO aura_lookup;
GRANT DELETE ON login_sessions TO aura_lookup;
GRANT SELECT (tenant_id, finished_at, receipt) ON tenant_deletions TO aura_lookup;

CREATE POLICY lookup ON tenants FOR SELECT TO aura_lookup USING (true);
CREATE POLICY lookup ON tenant_users FOR SELECT TO aura_lookup USING (true);
CREATE POLICY lookup ON login_sessions TO aura_lookup USING (true) WITH CHECK (false);
CREATE POLICY lookup ON api_keys FOR SELECT TO aura_lookup USING (true);
CREATE POLICY lookup ON outgoing_mails TO aura_lookup USING (status = 'queued') WITH CHECK (status = 'queued');
CREATE POLICY lookup ON idempotency_keys TO aura_lookup USING (true) WITH CHECK (false);
CREATE POLICY lookup ON tenant_deletions FOR SELECT TO aura_lookup USING (true);
CREATE POLICY lookup ON one_time_tokens TO aura_lookup USING (true) WITH CHECK (false);

-- The accounts that a login could mean: those of the named organisation, or of all. Two are enough to know
-- that the name is needed.
CREATE FUNCTION find_login(login_email text, tenant_subdomain text)
RETURNS TABLE (tenant_id uuid, user_id uuid, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT u.tenant_id, u.user_id, u.password_hash
    FROM tenant_users u JOIN tenants t USING (tenant_id)
    WHERE lower(u.email) = lower(login_email) AND u.is_active AND u.password_hash IS NOT NULL
      AND t.is_active AND coalesce(t.expires_at, 'infinity') > now()
      AND (tenant_subdomain IS NULL OR t.subdomain = lower(tenant_subdomain))
    LIMIT 2
$$;

-- The tenant that a subdomain names; none where it is not active.
CREATE FUNCTION tenant_by_subdomain(tenant_subdomain text)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT t.tenant_id FROM tenants t
    WHERE t.subdomain = lower(tenant_subdomain) AND t.is_active AND coalesce(t.expires_at, 'infinity') > now()
$$;

-- All tenants, newest first, for the operator of the platform.
CREATE FUNCTION list_tenants(before_at timestamptz, before_id uuid, at_most int)
RETURNS TABLE (tenant_id uuid, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT t.tenant_id, t.created_at FROM tenants t
    WHERE before_at IS NULL OR (t.created_at, t.tenant_id) < (before_at, before_id)
    ORDER BY t.created_at DESC, t.tenant_id DESC
    LIMIT at_most
$$;

-- Of these logins and keys, those that no longer stand: revoked, expired, or of a user or tenant that is
-- no longer active. One question covers all open sockets of a process.
CREATE FUNCTION fallen_credentials(credentials uuid[])
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT c.id FROM unnest(credentials) AS c(id)
    WHERE NOT EXISTS (
        SELECT FROM login_sessions s
        JOIN tenant_users u USING (tenant_id, user_id)
        JOIN tenants t USING (tenant_id)
        WHERE s.session_id = c.id AND s.revoked_at IS NULL AND s.expires_at > now()
          AND u.is_active AND t.is_active AND coalesce(t.expires_at, 'infinity') > now()
    ) AND NOT EXISTS (
        SELECT FROM api_keys k JOIN tenants t USING (tenant_id)
        WHERE k.key_id = c.id AND k.revoked_at IS NULL AND coalesce(k.expires_at, 'infinity') > now()
          AND t.is_active AND coalesce(t.expires_at, 'infinity') > now()
    )
$$;

-- Tenants that are to be deleted and are not gone yet, and those gone whose second look is due.
CREATE FUNCTION take_due_deletions()
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT t.tenant_id FROM tenants t WHERE t.deletion_requested_at < now() - interval '30 s'
    UNION
    SELECT d.tenant_id FROM tenant_deletions d
    WHERE d.finished_at < now() - interval '200 s' AND d.receipt ->> 'verified_at' IS NULL
$$;

-- Mails that are due; the next look at each is a minute away.
CREATE FUNCTION take_due_mails(at_most int)
RETURNS TABLE (tenant_id uuid, mail_id uuid)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    WITH due AS (
        SELECT m.tenant_id, m.mail_id FROM outgoing_mails m
        WHERE m.status = 'queued' AND m.due_at <= now()
        ORDER BY m.due_at LIMIT at_most FOR UPDATE SKIP LOCKED
    )
    UPDATE outgoing_mails m SET due_at = now() + interval '60 s'
    FROM due d WHERE m.tenant_id = d.tenant_id AND m.mail_id = d.mail_id
    RETURNING m.tenant_id, m.mail_id
$$;

-- Forget what has expired; a login is kept for a week after its end, so that a late refresh is told why.
CREATE FUNCTION forget_expired()
RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
DECLARE
    gone int;
    total int := 0;
BEGIN
    DELETE FROM idempotency_keys k WHERE k.created_at < now() - interval '24 hours';
    GET DIAGNOSTICS gone = ROW_COUNT; total := total + gone;
    DELETE FROM one_time_tokens o WHERE o.expires_at < now() - interval '7 days';
    GET DIAGNOSTICS gone = ROW_COUNT; total := total + gone;
    DELETE FROM login_sessions s WHERE s.expires_at < now() - interval '7 days';
    GET DIAGNOSTICS gone = ROW_COUNT; total := total + gone;
    RETURN total;
END
$$;

CREATE INDEX ix_login_sessions_id ON login_sessions (session_id);
CREATE INDEX ix_api_keys_id ON api_keys (key_id);

REVOKE ALL ON FUNCTION find_login, tenant_by_subdomain, list_tenants, fallen_credentials, take_due_deletions,
    take_due_mails, forget_expired FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_login, tenant_by_subdomain, list_tenants, fallen_credentials, take_due_deletions,
    take_due_mails, forget_expired TO aura_app;

ALTER FUNCTION find_login OWNER TO aura_lookup;
ALTER FUNCTION tenant_by_subdomain OWNER TO aura_lookup;
ALTER FUNCTION list_tenants OWNER TO aura_lookup;
ALTER FUNCTION fallen_credentials OWNER TO aura_lookup;
ALTER FUNCTION take_due_deletions OWNER TO aura_lookup;
ALTER FUNCTION take_due_mails OWNER TO aura_lookup;
ALTER FUNCTION forget_expired OWNER TO aura_lookup;
