-- What a turn is asked with and what it noticed, and what a listing of conversations is ordered by.

ALTER TABLE turns
    ADD COLUMN use_persona BOOLEAN DEFAULT true NOT NULL,
    ADD COLUMN persona JSONB,
    ADD COLUMN persona_applied BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN search_knowledge BOOLEAN DEFAULT true NOT NULL,
    ADD COLUMN noticed JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN unanswered_id UUID;
CREATE INDEX ix_turns_unanswered ON turns (tenant_id, unanswered_id) WHERE unanswered_id IS NOT NULL;

ALTER TABLE conversations
    ADD COLUMN title TEXT,
    ADD COLUMN last_message_at timestamptz;
CREATE INDEX ix_conversations_user ON conversations (tenant_id, user_id, last_message_at, conversation_id);

-- Whoever migrates owns the tables, and is bound by their policies as everybody is.
ALTER TABLE conversations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE messages NO FORCE ROW LEVEL SECURITY;
UPDATE conversations c SET last_message_at = m.at
FROM (SELECT tenant_id, conversation_id, max(created_at) AS at FROM messages GROUP BY 1, 2) m
WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.conversation_id;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
