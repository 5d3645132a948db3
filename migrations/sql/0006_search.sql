-- Search: languages, filters, BM25 that stays fast in large tenants, and what finds tenants worth an index.

ALTER TABLE documents ADD COLUMN IF NOT EXISTS source TEXT DEFAULT 'document_chunks' NOT NULL;
ALTER TABLE document_chunks ADD COLUMN language TEXT DEFAULT 'english' NOT NULL;

CREATE TABLE corpus_languages (
    tenant_id UUID NOT NULL,
    language TEXT NOT NULL,
    chunks BIGINT NOT NULL,
    CONSTRAINT pk_corpus_languages PRIMARY KEY (tenant_id, language),
    CONSTRAINT fk_corpus_languages_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
);
-- The owner is bound by FORCE too, so what is there is counted before it.
ALTER TABLE corpus_sizes NO FORCE ROW LEVEL SECURITY;
INSERT INTO corpus_languages (tenant_id, language, chunks) SELECT tenant_id, 'english', chunks FROM corpus_sizes;
ALTER TABLE corpus_sizes FORCE ROW LEVEL SECURITY;

ALTER TABLE corpus_languages ENABLE ROW LEVEL SECURITY;
ALTER TABLE corpus_languages FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON corpus_languages TO aura_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON corpus_languages TO aura_app;

-- Tenants whose chunks of one model are at least so many: those that upkeep makes indexes for.
CREATE FUNCTION large_corpora(at_least bigint)
RETURNS TABLE (tenant_id uuid, embedding_model text, chunks bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$
    SELECT m.tenant_id, m.embedding_model, m.chunks FROM corpus_models m WHERE m.chunks >= at_least
$$;
CREATE POLICY sweep ON corpus_models TO aura_sweeper USING (true) WITH CHECK (false);
GRANT SELECT ON corpus_models TO aura_sweeper;
REVOKE ALL ON FUNCTION large_corpora(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION large_corpora(bigint) TO aura_app;
ALTER FUNCTION large_corpora(bigint) OWNER TO aura_sweeper;

-- The name of the index over one tenant's vectors of one model.
CREATE FUNCTION vector_index_name(tenant uuid, model text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$ SELECT 'vectors_' || md5(tenant::text || '|' || model) $$;

-- The documents that a filter lets through (`KnowledgeFilter` in `pipelines/ports/`); NULL where it limits nothing.
CREATE FUNCTION filtered_documents(tenant uuid, knowledge_filter jsonb) RETURNS uuid[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF coalesce(knowledge_filter, '{}') = '{}' THEN
        RETURN NULL;
    END IF;
    RETURN array(
        SELECT d.doc_id
        FROM documents d
        WHERE d.tenant_id = tenant
          AND (knowledge_filter -> 'doc_ids' IS NULL OR knowledge_filter -> 'doc_ids' ? d.doc_id::text)
          AND (knowledge_filter -> 'tags' IS NULL OR d.metadata -> 'tags'
               ?| array(SELECT jsonb_array_elements_text(knowledge_filter -> 'tags')))
          AND (knowledge_filter -> 'file_types' IS NULL OR knowledge_filter -> 'file_types' ? d.file_type)
          AND (knowledge_filter -> 'sources' IS NULL OR knowledge_filter -> 'sources' ? d.source)
          AND d.created_at >= coalesce((knowledge_filter ->> 'created_after')::timestamptz, '-infinity')
          AND d.created_at < coalesce((knowledge_filter ->> 'created_before')::timestamptz, 'infinity')
    );
END
$$;

DROP FUNCTION match_document_chunks(halfvec, float, int, uuid, text, text);
DROP FUNCTION bm25_document_chunks(text, int, uuid, text);

-- Names pgvector's settings to this session, without which a function could not fix them.
SELECT '[1]'::halfvec <=> '[1]'::halfvec;

-- Nearest chunks by cosine. `match_threshold` is a raw cosine similarity. Row level security holds inside: without
-- `tenant_filter` the transaction's tenant is searched, never more. Exact, but where upkeep has made an index for this
-- tenant and model: it is found by the tenant as a literal, as partial indexes are. A filter that leaves few chunks is
-- searched exactly there too, and so is one under which the index scan ended before it had `match_count`.
CREATE FUNCTION match_document_chunks(
    query_embedding halfvec,
    match_threshold float DEFAULT 0.7,
    match_count int DEFAULT 10,
    tenant_filter uuid DEFAULT NULL,
    model_filter text DEFAULT NULL,
    assistant_filter text DEFAULT NULL,
    knowledge_filter jsonb DEFAULT NULL
)
RETURNS TABLE (chunk_id bigint, doc_id uuid, chunk_text text, similarity float, metadata jsonb)
LANGUAGE plpgsql STABLE ROWS 100
SET hnsw.iterative_scan = 'relaxed_order'
SET hnsw.ef_search = 150
-- The index gives the order. Where statistics are old, sorting a tenant's chunks looks cheaper than it is.
SET enable_sort = off
AS $$
DECLARE
    few CONSTANT int := 2000;
    tenant uuid := coalesce(tenant_filter, nullif(current_setting('app.tenant_id', true), '')::uuid);
    width int := vector_dims(query_embedding);
    model text := model_filter;
    chosen uuid[] := filtered_documents(tenant, knowledge_filter);
    nearest text;
    exact text;
BEGIN
    IF model IS NULL THEN
        SELECT min(m.embedding_model) INTO model FROM corpus_models m
        WHERE m.tenant_id = tenant AND m.chunks > 0 HAVING count(*) = 1;
    END IF;
    nearest := format(
        'SELECT c.chunk_id, c.doc_id, c.chunk_text, c.metadata, %%1$s <=> $1%%2$s AS distance FROM document_chunks c'
        ' WHERE c.tenant_id = %L AND %s%s%s ORDER BY %%1$s <=> $1%%2$s LIMIT $2',
        tenant,
        CASE WHEN model IS NULL THEN format('vector_dims(c.embedding) = %s', width)
             ELSE format('c.embedding_model = %L', replace(model, '%', '%%')) END,
        CASE WHEN assistant_filter IS NULL THEN ''
             ELSE ' AND (c.assistant_key IS NULL OR c.assistant_key = $4)' END,
        CASE WHEN chosen IS NULL THEN '' ELSE ' AND c.doc_id = ANY ($5)' END
    );
    exact := format(nearest, 'c.embedding', '');
    IF EXISTS (SELECT FROM pg_index i
               WHERE i.indexrelid = to_regclass(vector_index_name(tenant, model)) AND i.indisvalid)
       AND (chosen IS NULL OR few < (
            SELECT sum(d.chunks_count) FROM documents d WHERE d.tenant_id = tenant AND d.doc_id = ANY (chosen)))
    THEN
        exact := format(
            'WITH found AS MATERIALIZED (%s) SELECT * FROM found WHERE (SELECT count(*) FROM found) >= $2'
            ' UNION ALL SELECT * FROM (%s) e WHERE (SELECT count(*) FROM found) < $2',
            format(nearest, format('(c.embedding::halfvec(%s))', width), format('::halfvec(%s)', width)),
            exact
        );
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT n.chunk_id, n.doc_id, n.chunk_text, 1 - n.distance, n.metadata FROM (%s) n'
        ' WHERE 1 - n.distance > $3 ORDER BY n.distance, n.chunk_id', exact)
    USING query_embedding, match_count, match_threshold, assistant_filter, chosen;
END
$$;
