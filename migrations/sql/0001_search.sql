-- Nearest chunks by cosine. `match_threshold` is a raw cosine similarity. Row level security holds
-- inside: without `tenant_filter` the transaction's tenant is searched, never more.
CREATE FUNCTION match_document_chunks(
    query_embedding halfvec,
    match_threshold float DEFAULT 0.7,
    match_count int DEFAULT 10,
    tenant_filter uuid DEFAULT NULL,
    model_filter text DEFAULT NULL,
    assistant_filter text DEFAULT NULL
)
RETURNS TABLE (chunk_id bigint, doc_id uuid, chunk_text text, similarity float, metadata jsonb)
LANGUAGE sql STABLE
AS $$
    SELECT nearest.chunk_id, nearest.doc_id, nearest.chunk_text, 1 - nearest.distance, nearest.metadata
    FROM (
        SELECT c.chunk_id, c.doc_id, c.chunk_text, c.metadata, c.embedding <=> query_embedding AS distance
        FROM document_chunks c
        WHERE (tenant_filter IS NULL OR c.tenant_id = tenant_filter)
          AND (model_filter IS NULL OR c.embedding_model = model_filter)
          AND (assistant_filter IS NULL OR c.assistant_key IS NULL OR c.assistant_key = assistant_filter)
        ORDER BY distance
        LIMIT match_count
    ) nearest
    WHERE 1 - nearest.distance > match_threshold
$$;

-- Best chunks by Okapi BM25 (k1 1.2, b 0.75; idf as in Lucene, never negative), over the tenant's
-- own document frequencies. A lexeme's term frequency is the number of its positions.
CREATE FUNCTION bm25_document_chunks(
    query_text text,
    match_count int,
    tenant_filter uuid,
    assistant_filter text DEFAULT NULL
)
RETURNS TABLE (chunk_id bigint, score float)
LANGUAGE sql STABLE
AS $$
    WITH size AS (
        SELECT s.chunks::float AS n, s.lexemes::float / greatest(s.chunks, 1) AS average
        FROM corpus_sizes s
        WHERE s.tenant_id = tenant_filter
    ),
    terms AS MATERIALIZED (
        SELECT f.lexeme, ln(1 + (size.n - f.chunks + 0.5) / (f.chunks + 0.5)) AS idf
        FROM unnest(to_tsvector('english', query_text)) q
        JOIN term_frequencies f ON f.tenant_id = tenant_filter AND f.lexeme = q.lexeme
        CROSS JOIN size
    )
    SELECT c.chunk_id,
           sum(t.idf * 2.2 * cardinality(l.positions)
               / (cardinality(l.positions) + 1.2 * (0.25 + 0.75 * c.lexeme_count / size.average))) AS score
    FROM document_chunks c
    CROSS JOIN size
    CROSS JOIN LATERAL unnest(c.lexemes) l
    JOIN terms t ON t.lexeme = l.lexeme
    WHERE c.tenant_id = tenant_filter
      AND c.lexemes @@ (SELECT string_agg(quote_literal(lexeme), ' | ')::tsquery FROM terms)
      AND (assistant_filter IS NULL OR c.assistant_key IS NULL OR c.assistant_key = assistant_filter)
    GROUP BY c.chunk_id
    ORDER BY score DESC, c.chunk_id
    LIMIT match_count
$$;
