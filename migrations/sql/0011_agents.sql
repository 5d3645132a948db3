-- What an assistant says while its answer is late: after how long, where it does at all, and in which words.
ALTER TABLE agents
    ADD COLUMN filler_after_ms INTEGER CHECK (filler_after_ms BETWEEN 300 AND 10000),
    ADD COLUMN fillers JSONB NOT NULL DEFAULT '{}';
