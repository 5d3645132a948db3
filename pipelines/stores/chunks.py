"""Chunks: replacing a document's in one transaction, with the frequencies that BM25 needs."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from psycopg.types.json import Jsonb
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from pipelines.ingest.elements import Chunk
from pipelines.stores.stages import StageRef
from schemas.knowledge import Document, DocumentChunk

COLUMNS = {
    "chunk_index": "int4",
    "chunk_text": "text",
    "chunk_type": "text",
    "token_count": "int4",
    "start_char": "int4",
    "end_char": "int4",
    "heading_path": "text[]",
    "page_from": "int4",
    "page_to": "int4",
    "boxes": "jsonb",
    "context": "text",
    "embedding": "halfvec",
}


def replace(
    session: Session,
    ref: StageRef,
    document: Document,
    chunks: Sequence[Chunk],
    vectors: NDArray[np.float32],
    model: str,
) -> None:
    """Put `chunks` with their `vectors`, shape (len(chunks), width), in place of the document's others.

    BINARY COPY into a temporary table, then one INSERT that lets Postgres make the lexemes.
    """
    _lock_corpus(session, ref.tenant_id)
    forget(session, ref.tenant_id, ref.doc_id)
    _copy(session, chunks, vectors, document)
    session.execute(
        text(
            "INSERT INTO document_chunks (tenant_id, doc_id, version, assistant_key, embedding_model, chunk_index,"
            " chunk_text, chunk_type, token_count, start_char, end_char, heading_path, page_from, page_to, boxes,"
            " embedding, lexemes, lexeme_count)"
            " SELECT :tenant_id, :doc_id, :version, :assistant_key, :model, chunk_index, chunk_text, chunk_type,"
            " token_count, start_char, end_char, heading_path, page_from, page_to, boxes, embedding, lexemes,"
            " (SELECT coalesce(sum(cardinality(l.positions)), 0) FROM unnest(lexemes) l)"
            " FROM (SELECT *, to_tsvector('english', context) AS lexemes FROM incoming_chunks) incoming"
        ),
        {
            "tenant_id": ref.tenant_id,
            "doc_id": ref.doc_id,
            "version": ref.version,
            "assistant_key": document.assistant_key,
            "model": model,
        },
    )
    _count(session, ref.tenant_id, ref.doc_id, sign=1)


def forget(session: Session, tenant_id: UUID, doc_id: UUID) -> int:
    """Delete the document's chunks and take them out of the frequencies; return how many there were."""
    _lock_corpus(session, tenant_id)
    _count(session, tenant_id, doc_id, sign=-1)
    gone = session.execute(
        delete(DocumentChunk).where(DocumentChunk.tenant_id == tenant_id, DocumentChunk.doc_id == doc_id)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def listing(session: Session, doc_id: UUID, limit: int, after: int = -1) -> list[DocumentChunk]:
    """Return the document's chunks in order, `limit` at most, those behind index `after`."""
    return list(
        session.scalars(
            select(DocumentChunk)
            .where(DocumentChunk.doc_id == doc_id, DocumentChunk.chunk_index > after)
            .order_by(DocumentChunk.chunk_index)
            .limit(limit)
        )
    )


def _lock_corpus(session: Session, tenant_id: UUID) -> None:
    # Two stores of one tenant would update the same frequency rows in different orders and deadlock.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"aura.corpus.{tenant_id}", 0))))


def _copy(session: Session, chunks: Sequence[Chunk], vectors: NDArray[np.float32], document: Document) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    session.execute(text(f"CREATE TEMP TABLE IF NOT EXISTS incoming_chunks ({columns}) ON COMMIT DELETE ROWS"))
    session.execute(text("DELETE FROM incoming_chunks"))
    driver = session.connection().connection.driver_connection
    assert driver is not None
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY incoming_chunks ({', '.join(COLUMNS)}) FROM STDIN BINARY") as copy,
    ):
        copy.set_types(list(COLUMNS.values()))
        for chunk, vector in zip(chunks, vectors, strict=True):
            copy.write_row(
                (
                    chunk.index,
                    chunk.text,
                    chunk.chunk_type,
                    chunk.token_count,
                    chunk.start_char,
                    chunk.end_char,
                    list(chunk.heading_path),
                    chunk.page_from,
                    chunk.page_to,
                    Jsonb([vars(box) for box in chunk.boxes]),
                    chunk.context(document.filename, document.title),
                    HalfVector(vector),
                )
            )


def _count(session: Session, tenant_id: UUID, doc_id: UUID, sign: int) -> None:
    """Add (sign 1) or take away (-1) the document's chunks in the tenant's frequencies."""
    facts = {"tenant_id": tenant_id, "doc_id": doc_id, "sign": sign}
    session.execute(
        text(
            "INSERT INTO term_frequencies AS f (tenant_id, lexeme, chunks)"
            " SELECT c.tenant_id, l.lexeme, :sign * count(*) FROM document_chunks c, unnest(c.lexemes) l"
            " WHERE c.tenant_id = :tenant_id AND c.doc_id = :doc_id GROUP BY 1, 2"
            " ON CONFLICT (tenant_id, lexeme) DO UPDATE SET chunks = f.chunks + EXCLUDED.chunks"
        ),
        facts,
    )
    session.execute(
        text(
            "INSERT INTO corpus_sizes AS s (tenant_id, chunks, lexemes)"
            " SELECT :tenant_id, :sign * count(*), :sign * coalesce(sum(lexeme_count), 0) FROM document_chunks"
            " WHERE tenant_id = :tenant_id AND doc_id = :doc_id"
            " ON CONFLICT (tenant_id) DO UPDATE"
            " SET chunks = s.chunks + EXCLUDED.chunks, lexemes = s.lexemes + EXCLUDED.lexemes"
        ),
        facts,
    )
