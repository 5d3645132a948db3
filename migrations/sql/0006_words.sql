-- BM25 that is exact and does not unpack a chunk's lexemes for it.

-- Inline as long as the row fits a page: a score needs the lexemes of every candidate, the text of the best few alone.
ALTER TABLE document_chunks ALTER COLUMN lexemes SET STORAGE MAIN;
DO $$
BEGIN
    FOR part IN 0..15 LOOP
        EXECUTE format('ALTER TABLE document_chunks_%s ALTER COLUMN lexemes SET STORAGE MAIN', part);
    END LOOP;
END
$$;

-- What ts_rank says of a lexeme with 1, 2 … 255 positions, all of weight 1. It sums 1/n² over the positions, so each
-- count has its own value, and the count is where the value stands in this list. Asked of the server itself, as floats
-- are rounded. Twenty times faster than to unnest the lexemes, which is what term frequencies otherwise cost.
DO $make$
BEGIN
    EXECUTE format(
        'CREATE FUNCTION term_ranks() RETURNS float[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
        format('SELECT %L::float[]', array(
            SELECT ts_rank('{1,1,1,1}',
                ('a:' || (SELECT string_agg(p::text, ',' ORDER BY p) FROM generate_series(1, n) p))::tsvector, 'a')::float
            FROM generate_series(1, 255) n ORDER BY n
        ))
    );
END
$make$;

-- A lexeme as a tsquery holds it.
CREATE FUNCTION quoted_lexeme(lexeme text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''' $$;

-- What a question asks of a tenant's chunks: its lexemes by each language that the tenant's chunks are in.
-- `own` is in how many chunks a lexeme occurs, `df` in how many its word does, whatever the languages make of it: or a
-- word would seem rare, and weigh much, in a language that few chunks are in.
CREATE FUNCTION question_terms(query_text text, tenant uuid)
RETURNS TABLE (language text, lexeme text, positions smallint[], own bigint, df bigint)
LANGUAGE sql STABLE ROWS 10
AS $$
    WITH asked AS MATERIALIZED (
        SELECT l.language, w.lexeme, w.positions
        FROM corpus_languages l, unnest(to_tsvector(l.language::regconfig, query_text)) w
        WHERE l.tenant_id = tenant AND l.chunks > 0
    ), counted AS MATERIALIZED (
        SELECT f.lexeme, f.chunks FROM term_frequencies f
        WHERE f.tenant_id = tenant AND f.lexeme IN (SELECT a.lexeme FROM asked a) AND f.chunks > 0
    ), placed AS MATERIALIZED (
        SELECT a.language, a.lexeme, p FROM asked a, unnest(a.positions) p
    ), same_word AS (
        SELECT DISTINCT x.language, x.lexeme, y.lexeme AS other FROM placed x JOIN placed y ON y.p = x.p
    ), words AS (
        SELECT s.language, s.lexeme, sum(c.chunks)::bigint AS df
        FROM same_word s JOIN counted c ON c.lexeme = s.other GROUP BY 1, 2
    )
    SELECT a.language, a.lexeme, a.positions, own.chunks, w.df
    FROM asked a
    JOIN counted own ON own.lexeme = a.lexeme
    JOIN words w ON w.language = a.language AND w.lexeme = a.lexeme
$$;

-- Which chunks are scored, as a tsquery: all that hold a word of the question, while they are at most `budget`. Of more
-- than that (common words in a large tenant), those with one of its rarest words, or with several of the common ones
-- at once; a chunk that is left out holds common words only, and not the rarest two of them.
CREATE FUNCTION candidate_chunks(lexemes text[], counts bigint[], total bigint, budget bigint) RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    listed bigint := 0;
    expected float := total;
    wanted text[] := '{}';
    together text[] := '{}';
    i int;
BEGIN
    -- Rarest first.
    FOR i IN 1 .. cardinality(lexemes) LOOP
        IF cardinality(together) = 0 AND listed + counts[i] <= budget THEN
            listed := listed + counts[i];
            wanted := wanted || quoted_lexeme(lexemes[i]);
        ELSE
            EXIT WHEN cardinality(together) >= 2 AND 2 * expected <= budget;
            expected := expected * least(counts[i]::float / total, 1);
            together := together || quoted_lexeme(lexemes[i]);
        END IF;
    END LOOP;
    IF cardinality(together) = 1 AND cardinality(wanted) > 0 THEN
        together := '{}';
    END IF;
    RETURN array_to_string(wanted || nullif('(' || array_to_string(together, ' & ') || ')', '()'), ' | ');
END
$$;

-- Best chunks by Okapi BM25 (k1 1.2, b 0.75; idf as in Lucene, never negative), over the tenant's own document
-- frequencies. A term's frequency is the number of its lexeme's positions. `query_text` is written down as
-- `pipelines/searchable.py` writes chunks; of very long ones the 200 rarest words count. Scores are exact; which chunks are scored says `candidate_chunks`.
-- `phrase_boost` adds, for each two neighbouring words of the question that stand next to each other in the chunk, so
-- many times the mean of their idf; given 0, the score is BM25 and nothing else.
--
-- Under row level security Postgres may not look into a GIN index before it has looked at the tenant, row by row: `@@`
-- is not leakproof. So this runs as a role that no policy stops on `document_chunks`, and sees to the tenant itself:
-- it answers for the tenant of the transaction and for no other, and gives away ids and scores alone.
CREATE FUNCTION bm25_document_chunks(
    query_text text,
    match_count int,
    tenant_filter uuid,
    assistant_filter text DEFAULT NULL,
    knowledge_filter jsonb DEFAULT NULL,
    phrase_boost float DEFAULT 0
)
RETURNS TABLE (chunk_id bigint, score float)
LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, public
AS $$
DECLARE
    tenant CONSTANT uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    budget bigint;
    total bigint;
    average float;
    terms jsonb;
    scores text;
    boosts text;
    candidates text;
    chosen uuid[];
BEGIN
    IF tenant IS NULL OR tenant_filter IS DISTINCT FROM tenant THEN
        RETURN;
    END IF;
    chosen := filtered_documents(tenant, knowledge_filter);
    SELECT s.chunks, s.lexemes::float / greatest(s.chunks, 1) INTO total, average
    FROM corpus_sizes s WHERE s.tenant_id = tenant AND s.chunks > 0;
    SELECT jsonb_agg(t) INTO terms FROM (
        SELECT q.language, q.lexeme, q.positions, q.own,
               ln(1 + (total - least(q.df, total) + 0.5) / (least(q.df, total) + 0.5)) AS idf
        FROM question_terms(query_text, tenant) q
        -- Each is a term of a sum that Postgres has to read: thousands of them would exceed its stack.
        ORDER BY q.df, q.lexeme, q.language LIMIT 200
    ) t;
    IF total IS NULL OR terms IS NULL THEN
        RETURN;
    END IF;
    -- tf / (tf + k) as 1 - k / (tf + k): the frequency is asked for once.
    SELECT string_agg(format('WHEN %L THEN %s', l.language, l.score), ' ') INTO scores FROM (
        SELECT t.language, string_agg(format(
            '%s * (1 - c.k / (width_bucket(ts_rank(''{1,1,1,1}'', c.lexemes, %L)::float, $1) + c.k))',
            2.2 * t.idf, quoted_lexeme(t.lexeme)), ' + ' ORDER BY t.idf DESC, t.lexeme) AS score
        FROM jsonb_to_recordset(terms) t (language text, lexeme text, idf float) GROUP BY 1
    ) l;
    SELECT string_agg(format('WHEN %L THEN %s', l.language, l.boost), ' ') INTO boosts FROM (
        SELECT a.language, string_agg(format('CASE WHEN c.lexemes @@ %L THEN %s ELSE 0 END',
            quoted_lexeme(a.lexeme) || ' <-> ' || quoted_lexeme(b.lexeme), phrase_boost * (a.idf + b.idf) / 2), ' + ') AS boost
        FROM jsonb_to_recordset(terms) a (language text, lexeme text, positions smallint[], idf float)
        JOIN jsonb_to_recordset(terms) b (language text, lexeme text, positions smallint[], idf float)
          ON b.language = a.language
         AND b.positions && array(SELECT (p + 1)::smallint FROM unnest(a.positions) p)
        WHERE phrase_boost > 0
        GROUP BY 1
    ) l;
    SELECT candidate_chunks(array_agg(o.lexeme ORDER BY o.own, o.lexeme), array_agg(o.own ORDER BY o.own, o.lexeme),
                            total, 500 + 6000 / (count(*) + 1)) INTO candidates
    FROM (SELECT DISTINCT t.lexeme, t.own FROM jsonb_to_recordset(terms) t (lexeme text, own bigint)) o;
    RETURN QUERY EXECUTE format(
        'WITH best AS MATERIALIZED ('
        'SELECT c.chunk_id, c.language, c.lexemes, CASE c.language %s ELSE 0 END AS score FROM ('
        'SELECT d.chunk_id, d.language, d.lexemes || '''' AS lexemes,'
        ' 1.2 * (0.25 + 0.75 * d.lexeme_count / %s::float) AS k FROM document_chunks d'
        ' WHERE d.tenant_id = %L AND d.lexemes @@ %L::tsquery%s%s OFFSET 0) c ORDER BY 4 DESC, 1 LIMIT %s * $2) %s',
        scores, average, tenant, candidates,
        CASE WHEN assistant_filter IS NULL THEN '' ELSE ' AND (d.assistant_key IS NULL OR d.assistant_key = $3)' END,
        CASE WHEN chosen IS NULL THEN '' ELSE ' AND d.doc_id = ANY ($4)' END,
        CASE WHEN boosts IS NULL THEN 1 ELSE 3 END,
        CASE WHEN boosts IS NULL THEN 'SELECT b.chunk_id, b.score FROM best b WHERE b.score > 0'
             ELSE format('SELECT c.chunk_id, c.score + CASE c.language %s ELSE 0 END FROM best c WHERE c.score > 0'
                         ' ORDER BY 2 DESC, 1 LIMIT $2', boosts) END
    ) USING term_ranks(), match_count, assistant_filter, chosen;
END
$$;

CREATE POLICY search ON document_chunks TO aura_searcher USING (true) WITH CHECK (false);
DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['documents', 'corpus_sizes', 'corpus_languages', 'term_frequencies'] LOOP
        EXECUTE format(
            'CREATE POLICY search ON %I TO aura_searcher '
            'USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) WITH CHECK (false)',
            tenant_table
        );
    END LOOP;
END
$$;
GRANT SELECT ON documents, corpus_sizes, corpus_languages, term_frequencies TO aura_searcher;
GRANT SELECT (tenant_id, chunk_id, doc_id, assistant_key, language, lexemes, lexeme_count) ON document_chunks
    TO aura_searcher;
REVOKE ALL ON FUNCTION bm25_document_chunks(text, int, uuid, text, jsonb, float) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bm25_document_chunks(text, int, uuid, text, jsonb, float) TO aura_app;
ALTER FUNCTION bm25_document_chunks(text, int, uuid, text, jsonb, float) OWNER TO aura_searcher;
