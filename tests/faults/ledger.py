"""What must be true of the rows once all is done: each chunk there once, each word counted once."""

from collections.abc import Sequence
from typing import Any

import psycopg

from schemas.tables.base import DEFAULT_TENANT_ID

Connection = psycopg.Connection[Any]

CHUNKS = """
SELECT d.filename, d.chunks_count, count(c.chunk_id), count(DISTINCT c.chunk_index), min(c.chunk_index),
       max(c.chunk_index) + 1, count(DISTINCT c.version), count(c.embedding)
FROM documents d LEFT JOIN document_chunks c USING (tenant_id, doc_id)
WHERE d.doc_id = ANY (%s::uuid[]) GROUP BY d.tenant_id, d.doc_id
"""
FREQUENCIES = """
SELECT coalesce(f.lexeme, n.lexeme), f.chunks, n.chunks
FROM (SELECT lexeme, chunks FROM term_frequencies WHERE tenant_id = %(tenant)s) f FULL JOIN
     (SELECT l.lexeme, count(*) AS chunks FROM document_chunks c, unnest(c.lexemes) l
      WHERE c.tenant_id = %(tenant)s GROUP BY 1) n USING (lexeme)
WHERE coalesce(f.chunks, 0) <> coalesce(n.chunks, 0)
"""
SIZES = """
SELECT coalesce((SELECT chunks FROM corpus_sizes WHERE tenant_id = %(tenant)s), 0),
       coalesce((SELECT lexemes FROM corpus_sizes WHERE tenant_id = %(tenant)s), 0),
       count(*), coalesce(sum(lexeme_count), 0)
FROM document_chunks WHERE tenant_id = %(tenant)s
"""
OF_DOCUMENT = ("documents", "document_versions", "document_stages", "document_chunks")


def wrong_documents(connection: Connection, doc_ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return those of the documents that lack a chunk, have one twice, or count them wrongly."""
    rows = connection.execute(CHUNKS, (list(doc_ids),)).fetchall()
    assert len(rows) == len(set(doc_ids)), "a document is gone"
    return [row for row in rows if not row[1] or row[4:5] + row[6:7] != (0, 1) or len({*row[1:4], row[5], row[7]}) != 1]


def wrong_counts(connection: Connection, tenant_id: str = DEFAULT_TENANT_ID) -> list[tuple[Any, ...]]:
    """Return what BM25 counts otherwise than its chunks are: words with both numbers, and the corpus."""
    wrong = connection.execute(FREQUENCIES, {"tenant": tenant_id}).fetchall()
    size = connection.execute(SIZES, {"tenant": tenant_id}).fetchone()
    assert size is not None
    return wrong if size[:2] == size[2:] else [*wrong, ("corpus", size[:2], size[2:])]


def states(connection: Connection, doc_ids: Sequence[str]) -> dict[str, int]:
    """Return how many of the documents are in which state, failures with their code."""
    rows = connection.execute(
        "SELECT processing_status || coalesce(': ' || error_code, ''), count(*) FROM documents"
        " WHERE doc_id = ANY (%s::uuid[]) GROUP BY 1",
        (list(doc_ids),),
    )
    return dict(rows.fetchall())


def unfinished(connection: Connection, doc_ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the parts of work that are not done."""
    return connection.execute(
        "SELECT doc_id, stage, part, status FROM document_stages"
        " WHERE doc_id = ANY (%s::uuid[]) AND status <> 'processed'",
        (list(doc_ids),),
    ).fetchall()


def rows_of(connection: Connection, doc_id: str) -> dict[str, int]:
    """Return in which tables there are rows of a document, and how many."""
    counted = {
        table: connection.execute(f"SELECT count(*) FROM {table} WHERE doc_id = %s", (doc_id,)).fetchone()  # type: ignore[arg-type]
        for table in OF_DOCUMENT
    }
    return {table: row[0] for table, row in counted.items() if row and row[0]}
