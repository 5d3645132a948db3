-- These two had been handed over before everybody's right to call them was taken away, which only their owners can:
-- any other role of the server could call them. A database that was made since then is left as it is by this.
SET LOCAL ROLE aura_sweeper;
REVOKE ALL ON FUNCTION large_corpora(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION large_corpora(bigint) TO aura_app;

SET LOCAL ROLE aura_searcher;
REVOKE ALL ON FUNCTION bm25_document_chunks(text, int, uuid, text, jsonb, float) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bm25_document_chunks(text, int, uuid, text, jsonb, float) TO aura_app;

SET LOCAL ROLE aura_owner;
