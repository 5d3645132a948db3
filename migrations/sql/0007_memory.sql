-- What is remembered of users and their conversations, and what nobody could answer yet.

-- Who allowed to be remembered, and when. Nothing is learned of anybody without such a row.
CREATE TABLE memory_consents (
    tenant_id UUID NOT NULL,
    user_id TEXT NOT NULL,
    learn BOOLEAN NOT NULL,
    decided_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_memory_consents PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT fk_memory_consents_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);

CREATE TABLE user_preferences (
    tenant_id UUID NOT NULL,
    user_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value JSONB NOT NULL,
    source TEXT DEFAULT 'stated' NOT NULL,
    confidence FLOAT DEFAULT 1 NOT NULL,
    consent BOOLEAN DEFAULT false NOT NULL,
    turn_id UUID,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_user_preferences PRIMARY KEY (tenant_id, user_id, key),
    CONSTRAINT fk_user_preferences_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    CONSTRAINT ck_user_preferences_source CHECK (source IN ('stated', 'learned')),
    CONSTRAINT ck_user_preferences_consent CHECK (source = 'stated' OR consent)
);

CREATE TABLE conversation_summaries (
    tenant_id UUID NOT NULL,
    conversation_id UUID NOT NULL,
    covers_until timestamptz NOT NULL,
    covers_turn_id UUID NOT NULL,
    turns INTEGER NOT NULL,
    text TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_conversation_summaries PRIMARY KEY (tenant_id, conversation_id),
    CONSTRAINT fk_conversation_summaries_conversations FOREIGN KEY(tenant_id, conversation_id)
        REFERENCES conversations (tenant_id, conversation_id) ON DELETE CASCADE
);

CREATE TABLE feedback (
    tenant_id UUID NOT NULL,
    turn_id UUID NOT NULL,
    user_id TEXT NOT NULL,
    scale TEXT NOT NULL,
    rating SMALLINT NOT NULL,
    comment TEXT,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_feedback PRIMARY KEY (tenant_id, turn_id, user_id),
    CONSTRAINT fk_feedback_turns FOREIGN KEY(tenant_id, turn_id) REFERENCES turns (tenant_id, turn_id) ON DELETE CASCADE,
    CONSTRAINT ck_feedback_rating CHECK (
        scale = 'thumbs' AND rating IN (-1, 1) OR scale = 'stars' AND rating BETWEEN 1 AND 5
    )
);
CREATE INDEX ix_feedback_listing ON feedback (tenant_id, updated_at, turn_id);
CREATE INDEX ix_feedback_user ON feedback (tenant_id, user_id);

CREATE TABLE unanswered_questions (
    tenant_id UUID NOT NULL,
    question_id UUID DEFAULT gen_random_uuid() NOT NULL,
    assistant_key TEXT NOT NULL,
    question TEXT NOT NULL,
    normalised TEXT NOT NULL,
    normalised_sha256 TEXT NOT NULL,
    count INTEGER DEFAULT 1 NOT NULL,
    first_asked_at timestamptz DEFAULT now() NOT NULL,
    last_asked_at timestamptz DEFAULT now() NOT NULL,
    turn_id UUID,
    reason TEXT NOT NULL,
    confidence FLOAT NOT NULL,
    nearest JSONB DEFAULT '[]' NOT NULL,
    state TEXT DEFAULT 'open' NOT NULL,
    answered_by UUID,
    decided_at timestamptz,
    decided_by TEXT,
    CONSTRAINT pk_unanswered_questions PRIMARY KEY (tenant_id, question_id),
    CONSTRAINT uq_unanswered_questions_wording UNIQUE (tenant_id, assistant_key, normalised_sha256),
    CONSTRAINT fk_unanswered_questions_tenants FOREIGN KEY(tenant_id)
        REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    CONSTRAINT ck_unanswered_questions_state CHECK (state IN ('open', 'answered', 'dismissed')),
    CONSTRAINT ck_unanswered_questions_reason CHECK (reason IN ('low_confidence', 'refused'))
);
CREATE INDEX ix_unanswered_questions_listing
    ON unanswered_questions (tenant_id, state, last_asked_at, question_id);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY[
        'memory_consents', 'user_preferences', 'conversation_summaries', 'feedback', 'unanswered_questions'
    ] LOOP
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
GRANT SELECT, INSERT, UPDATE, DELETE
    ON memory_consents, user_preferences, conversation_summaries, feedback, unanswered_questions TO aura_app;
