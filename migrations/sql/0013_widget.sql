-- The widget of an assistant: an id that is public, and the sites that may show it. Without an id there never was one.
ALTER TABLE agents
    ADD COLUMN widget_id uuid,
    ADD COLUMN widget_on boolean DEFAULT false NOT NULL,
    ADD COLUMN widget_origins text[] DEFAULT '{}' NOT NULL,
    ADD COLUMN widget_voice boolean DEFAULT true NOT NULL;
CREATE INDEX ix_agents_widget ON agents (widget_id) WHERE widget_id IS NOT NULL;

GRANT SELECT (tenant_id, widget_id, widget_on, is_active) ON agents TO aura_lookup;
CREATE POLICY lookup ON agents FOR SELECT TO aura_lookup USING (true);

-- The tenant of a widget that is on; none where it, its assistant or its tenant is not.
CREATE FUNCTION tenant_by_widget(widget uuid)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT a.tenant_id FROM agents a JOIN tenants t USING (tenant_id)
    WHERE a.widget_id = widget AND a.widget_on AND a.is_active
      AND t.is_active AND coalesce(t.expires_at, 'infinity') > now()
    LIMIT 1
$$;
REVOKE ALL ON FUNCTION tenant_by_widget FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_by_widget TO aura_app;
ALTER FUNCTION tenant_by_widget OWNER TO aura_lookup;

-- The credential of a visitor is the widget they came by: it stands while that is on.
SET LOCAL ROLE aura_lookup;
DROP FUNCTION fallen_credentials(uuid[]);
SET LOCAL ROLE aura_owner;
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
    ) AND tenant_by_widget(c.id) IS NULL
$$;
REVOKE ALL ON FUNCTION fallen_credentials FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fallen_credentials TO aura_app;
ALTER FUNCTION fallen_credentials OWNER TO aura_lookup;
