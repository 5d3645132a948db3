-- A row is visible and writable only inside a transaction that named its tenant.
-- `nullif`: after a commit the setting is '', which is not a uuid.
DO $$
DECLARE
    tenant_table text;
BEGIN
    FOR tenant_table IN
        SELECT c.table_name
        FROM information_schema.columns c
        JOIN pg_class t ON t.relname = c.table_name AND t.relnamespace = 'public'::regnamespace
        WHERE c.table_schema = 'public' AND c.column_name = 'tenant_id' AND t.relkind IN ('r', 'p')
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

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO aura_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO aura_app;
REVOKE ALL ON alembic_version FROM aura_app;
GRANT SELECT ON alembic_version TO aura_app;

-- Only the roles below may act across tenants, each on what its functions need and no more.
CREATE POLICY sweep ON documents TO aura_sweeper USING (true) WITH CHECK (true);
CREATE POLICY sweep ON document_versions TO aura_sweeper USING (true) WITH CHECK (true);
CREATE POLICY sweep ON document_stages TO aura_sweeper USING (true) WITH CHECK (true);
CREATE POLICY sweep ON turns TO aura_sweeper USING (true) WITH CHECK (true);
CREATE POLICY sweep ON sentences TO aura_sweeper USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON documents, document_stages, turns, sentences TO aura_sweeper;
GRANT SELECT, INSERT ON document_versions, document_stages TO aura_sweeper;

-- The owner is bound by FORCE too: it may add the default tenant and nothing else.
CREATE POLICY default_tenant ON tenants TO aura_owner
    USING (false) WITH CHECK (tenant_id = '00000000-0000-0000-0000-000000000001');
CREATE POLICY default_tenant ON agents TO aura_owner
    USING (false) WITH CHECK (tenant_id = '00000000-0000-0000-0000-000000000001');

INSERT INTO tenants (tenant_id, organization_name, admin_email)
VALUES ('00000000-0000-0000-0000-000000000001', 'Default Organization', 'admin@localhost');
INSERT INTO agents (tenant_id, assistant_key, name)
VALUES ('00000000-0000-0000-0000-000000000001', 'default-assistant', 'AURA');
