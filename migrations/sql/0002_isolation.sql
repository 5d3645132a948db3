-- The same binding for every tenant's table that is not bound yet.
DO $$
DECLARE
    tenant_table text;
BEGIN
    FOR tenant_table IN
        SELECT c.table_name
        FROM information_schema.columns c
        JOIN pg_class t ON t.relname = c.table_name AND t.relnamespace = 'public'::regnamespace
        WHERE c.table_schema = 'public' AND c.column_name = 'tenant_id' AND t.relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid AND p.polname = 'own_tenant')
    LOOP
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

GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_users, login_sessions, refresh_tokens, one_time_tokens, api_keys,
    usage_months, usage_events, idempotency_keys, outgoing_mails TO aura_app;
-- What was done is not undone: the log and the receipts only grow. They go with the tenant by its foreign key.
REVOKE ALL ON audit_log, tenant_deletions, signing_keys FROM aura_app;
GRANT SELECT, INSERT ON audit_log TO aura_app;
GRANT SELECT, INSERT, UPDATE ON tenant_deletions TO aura_app;
GRANT SELECT, INSERT ON signing_keys TO aura_app;
GRANT UPDATE (retires_at, sealed) ON signing_keys TO aura_app;
