-- The tables of identity and records. `schemas/` says what each is for; a test compares the two.

-- The owner sees the default tenant's row, to bring it up to date, and no other.
ALTER POLICY default_tenant ON tenants USING (tenant_id = '00000000-0000-0000-0000-000000000001');

-- One address may found several organisations: that it already has one is nobody's business.
ALTER TABLE tenants DROP CONSTRAINT uq_tenants_admin_email;
ALTER TABLE tenants
    ADD COLUMN subdomain TEXT,
    ADD COLUMN max_concurrent_sessions INTEGER DEFAULT 10 NOT NULL,
    ADD COLUMN max_monthly_cost_usd NUMERIC(12, 2),
    ADD COLUMN api_keys JSONB DEFAULT '{}' NOT NULL,
    ADD COLUMN custom_logo TEXT,
    ADD COLUMN brand_colors JSONB,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN deletion_requested_at timestamptz,
    ADD CONSTRAINT ck_tenants_tier CHECK (subscription_tier IN ('standard', 'premium', 'enterprise'));

-- The default tenant is the deployment's own: its limits are the machine's.
UPDATE tenants SET
    subdomain = 'default', subscription_tier = 'enterprise', max_users = 1000000, max_storage_gb = 1000000,
    max_api_calls_monthly = 2000000000, max_concurrent_sessions = 1000000
WHERE tenant_id = '00000000-0000-0000-0000-000000000001';

ALTER TABLE tenants
    ALTER COLUMN subdomain SET NOT NULL,
    ALTER COLUMN subdomain SET DEFAULT 't-' || replace(gen_random_uuid()::text, '-', ''),
    ADD CONSTRAINT uq_tenants_subdomain UNIQUE (subdomain),
    ADD CONSTRAINT ck_tenants_subdomain CHECK (subdomain ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$');

CREATE TABLE tenant_users (
    tenant_id UUID NOT NULL,
    user_id UUID DEFAULT gen_random_uuid() NOT NULL,
    email TEXT NOT NULL,
    role TEXT DEFAULT 'user' NOT NULL,
    name TEXT,
    password_hash TEXT,
    persona_settings JSONB DEFAULT '{}' NOT NULL,
    voice_preference TEXT,
    can_upload_documents BOOLEAN DEFAULT true NOT NULL,
    can_modify_ai_settings BOOLEAN DEFAULT false NOT NULL,
    can_view_analytics BOOLEAN DEFAULT false NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    last_login_at timestamptz,
    CONSTRAINT pk_tenant_users PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT fk_tenant_users_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    -- Whoever writes a row of another tenant can still not make an operator.
    CONSTRAINT ck_tenant_users_role CHECK (role IN ('admin', 'manager', 'user')
        OR (role = 'operator' AND tenant_id = '00000000-0000-0000-0000-000000000001'))
);
CREATE UNIQUE INDEX uq_tenant_users_email ON tenant_users (tenant_id, lower(email));
CREATE INDEX ix_tenant_users_login ON tenant_users (lower(email));

CREATE TABLE login_sessions (
    tenant_id UUID NOT NULL,
    session_id UUID DEFAULT gen_random_uuid() NOT NULL,
    user_id UUID NOT NULL,
    address TEXT,
    user_agent TEXT,
    created_at timestamptz DEFAULT now() NOT NULL,
    last_used_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_because TEXT,
    CONSTRAINT pk_login_sessions PRIMARY KEY (tenant_id, session_id),
    CONSTRAINT fk_login_sessions_tenant_users FOREIGN KEY(tenant_id, user_id) REFERENCES tenant_users (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX ix_login_sessions_user ON login_sessions (tenant_id, user_id);

CREATE TABLE refresh_tokens (
    tenant_id UUID NOT NULL,
    token_hash TEXT NOT NULL,
    session_id UUID NOT NULL,
    issued_at timestamptz DEFAULT now() NOT NULL,
    spent_at timestamptz,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (tenant_id, token_hash),
    CONSTRAINT fk_refresh_tokens_login_sessions FOREIGN KEY(tenant_id, session_id) REFERENCES login_sessions (tenant_id, session_id) ON DELETE CASCADE
);
CREATE INDEX ix_refresh_tokens_session ON refresh_tokens (tenant_id, session_id);

CREATE TABLE one_time_tokens (
    tenant_id UUID NOT NULL,
    token_hash TEXT NOT NULL,
    user_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_one_time_tokens PRIMARY KEY (tenant_id, token_hash),
    CONSTRAINT fk_one_time_tokens_tenant_users FOREIGN KEY(tenant_id, user_id) REFERENCES tenant_users (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX ix_one_time_tokens_user ON one_time_tokens (tenant_id, user_id);

CREATE TABLE api_keys (
    tenant_id UUID NOT NULL,
    key_id UUID DEFAULT gen_random_uuid() NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    scopes TEXT[] NOT NULL,
    created_by TEXT NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    successor_id UUID,
    CONSTRAINT pk_api_keys PRIMARY KEY (tenant_id, key_id),
    CONSTRAINT fk_api_keys_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_api_keys_hash ON api_keys (tenant_id, key_hash);

CREATE TABLE signing_keys (
    kid TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    signs_from timestamptz DEFAULT now() NOT NULL,
    retires_at timestamptz,
    CONSTRAINT pk_signing_keys PRIMARY KEY (kid)
);

CREATE TABLE audit_log (
    tenant_id UUID NOT NULL,
    audit_id BIGINT GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    actor_name TEXT,
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id TEXT,
    address TEXT,
    trace_id TEXT,
    before JSONB,
    after JSONB,
    CONSTRAINT pk_audit_log PRIMARY KEY (tenant_id, audit_id),
    CONSTRAINT fk_audit_log_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);

CREATE TABLE usage_months (
    tenant_id UUID NOT NULL,
    month DATE NOT NULL,
    api_calls BIGINT DEFAULT 0 NOT NULL,
    cost_usd NUMERIC(14, 6) DEFAULT 0 NOT NULL,
    input_tokens BIGINT DEFAULT 0 NOT NULL,
    output_tokens BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT pk_usage_months PRIMARY KEY (tenant_id, month),
    CONSTRAINT fk_usage_months_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);

CREATE TABLE usage_events (
    tenant_id UUID NOT NULL,
    usage_id UUID DEFAULT gen_random_uuid() NOT NULL,
    kind TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    input_tokens INTEGER DEFAULT 0 NOT NULL,
    output_tokens INTEGER DEFAULT 0 NOT NULL,
    seconds FLOAT,
    cost_usd NUMERIC(12, 6) DEFAULT 0 NOT NULL,
    held_until timestamptz,
    subject_id UUID,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_usage_events PRIMARY KEY (tenant_id, usage_id),
    CONSTRAINT fk_usage_events_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);
CREATE INDEX ix_usage_events_at ON usage_events (tenant_id, created_at);
CREATE INDEX ix_usage_events_held ON usage_events (tenant_id) WHERE held_until IS NOT NULL;

CREATE TABLE idempotency_keys (
    tenant_id UUID NOT NULL,
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    lease_token UUID NOT NULL,
    lease_until timestamptz NOT NULL,
    status_code INTEGER,
    headers JSONB,
    body BYTEA,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (tenant_id, actor, key),
    CONSTRAINT fk_idempotency_keys_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);
CREATE INDEX ix_idempotency_keys_created ON idempotency_keys (created_at);

CREATE TABLE outgoing_mails (
    tenant_id UUID NOT NULL,
    mail_id UUID DEFAULT gen_random_uuid() NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    sealed TEXT,
    status TEXT DEFAULT 'queued' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    error_detail TEXT,
    due_at timestamptz DEFAULT now() NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    sent_at timestamptz,
    CONSTRAINT pk_outgoing_mails PRIMARY KEY (tenant_id, mail_id),
    CONSTRAINT fk_outgoing_mails_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);
CREATE INDEX ix_outgoing_mails_due ON outgoing_mails (due_at) WHERE status = 'queued';

-- No reference to the tenant: the receipt outlives it.
CREATE TABLE tenant_deletions (
    tenant_id UUID NOT NULL,
    organization_name TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at timestamptz DEFAULT now() NOT NULL,
    finished_at timestamptz,
    receipt JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_tenant_deletions PRIMARY KEY (tenant_id)
);
