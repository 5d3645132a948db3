-- What a question limits its search to, and how it reads without the conversation before it.
ALTER TABLE turns
    ADD COLUMN filters JSONB DEFAULT '{}' NOT NULL,
    ADD COLUMN standalone TEXT;
