-- The same binding as every tenant's table has, and what the sweeper may see of the new ones.
DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['batches', 'batch_items', 'uploads', 'chunk_edits', 'corpus_models'] LOOP
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
GRANT SELECT, INSERT, UPDATE, DELETE ON batches, batch_items, uploads, chunk_edits, corpus_models TO aura_app;

CREATE POLICY sweep ON batches TO aura_sweeper USING (true) WITH CHECK (true);
CREATE POLICY sweep ON uploads TO aura_sweeper USING (true) WITH CHECK (true);
CREATE POLICY sweep ON chunk_edits TO aura_sweeper USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, batch_id, state, intake, lease_until, due_at, enqueued_at, created_at, told_at),
    UPDATE (enqueued_at, told_at) ON batches TO aura_sweeper;
GRANT SELECT (tenant_id, upload_id, expires_at) ON uploads TO aura_sweeper;
GRANT SELECT (tenant_id, edit_id, status, lease_until, due_at, enqueued_at), UPDATE (enqueued_at)
    ON chunk_edits TO aura_sweeper;
