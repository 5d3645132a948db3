-- The tables of webhooks. `schemas/tables/hooks.py` says what each is for; a test compares the two.

CREATE TABLE webhook_endpoints (
    tenant_id UUID NOT NULL,
    endpoint_id UUID DEFAULT gen_random_uuid() NOT NULL,
    url TEXT NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    events TEXT[] NOT NULL,
    secret_sealed TEXT NOT NULL,
    previous_secret_sealed TEXT,
    previous_until timestamptz,
    headers_sealed TEXT,
    is_active BOOLEAN DEFAULT true NOT NULL,
    disabled_reason TEXT,
    disabled_at timestamptz,
    failing_since timestamptz,
    is_slow BOOLEAN DEFAULT true NOT NULL,
    max_in_flight INTEGER DEFAULT 16 NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_webhook_endpoints PRIMARY KEY (tenant_id, endpoint_id),
    CONSTRAINT fk_webhook_endpoints_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    CONSTRAINT ck_webhook_endpoints_in_flight CHECK (max_in_flight BETWEEN 1 AND 64)
);

CREATE TABLE webhook_deliveries (
    tenant_id UUID NOT NULL,
    delivery_id UUID DEFAULT gen_random_uuid() NOT NULL,
    endpoint_id UUID NOT NULL,
    event_id UUID NOT NULL,
    event_type TEXT NOT NULL,
    payload JSONB NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    lease_token UUID,
    lease_until timestamptz,
    status_code INTEGER,
    error_code TEXT,
    created_at timestamptz DEFAULT now() NOT NULL,
    delivered_at timestamptz,
    replay_of UUID,
    CONSTRAINT pk_webhook_deliveries PRIMARY KEY (tenant_id, delivery_id),
    CONSTRAINT fk_webhook_deliveries_webhook_endpoints FOREIGN KEY(tenant_id, endpoint_id) REFERENCES webhook_endpoints (tenant_id, endpoint_id) ON DELETE CASCADE,
    CONSTRAINT ck_webhook_deliveries_status CHECK (status IN ('pending', 'delivered', 'failed', 'cancelled'))
);
CREATE INDEX ix_webhook_deliveries_listing ON webhook_deliveries (tenant_id, endpoint_id, created_at, delivery_id);
CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (tenant_id, endpoint_id, due_at)
    WHERE status = 'pending' AND lease_until IS NULL;
CREATE INDEX ix_webhook_deliveries_leased ON webhook_deliveries (tenant_id, endpoint_id) WHERE lease_until IS NOT NULL;
CREATE INDEX ix_webhook_deliveries_created ON webhook_deliveries (created_at);

CREATE TABLE webhook_attempts (
    tenant_id UUID NOT NULL,
    delivery_id UUID NOT NULL,
    attempt INTEGER NOT NULL,
    at timestamptz NOT NULL,
    duration_ms INTEGER NOT NULL,
    status_code INTEGER,
    error_code TEXT,
    error_detail TEXT,
    request_headers JSONB NOT NULL,
    response_headers JSONB DEFAULT '{}' NOT NULL,
    response_body TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_webhook_attempts PRIMARY KEY (tenant_id, delivery_id, attempt),
    CONSTRAINT fk_webhook_attempts_webhook_deliveries FOREIGN KEY(tenant_id, delivery_id) REFERENCES webhook_deliveries (tenant_id, delivery_id) ON DELETE CASCADE
);

-- The queue's rows change three times and are read at each look: old versions must not pile up.
ALTER TABLE webhook_deliveries SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
