"""Chunks: replacing a document's in one transaction, and the text of one."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from psycopg.types.json import Jsonb
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from pipelines.ingest.elements import Chunk
from pipelines.languages import language_of, languages_of
from pipelines.searchable import searchable
from pipelines.stores.ingest.parts import StageRef
from pipelines.stores.knowledge import frequencies
from schemas.errors.requests import NotFound
from schemas.tables.chunks import DocumentChunk
from schemas.tables.knowledge import Document

COLUMNS = {
    "doc_id": "uuid",
    "version": "int4",
    "assistant_key": "text",
    "embedding_model": "text",
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
    "metadata": "jsonb",
    "context": "text",
    "context_sha256": "bytea",
    "embedding": "halfvec",
    "language": "text",
    "searched": "text",
}
MAX_ID = 2**63 - 1
STORED = [name for name in COLUMNS if name not in ("context", "searched")]


@dataclass(frozen=True)
class Incoming:
    """The chunks of one version with their vectors, shape (len(chunks), width), all of one model."""

    ref: StageRef
    document: Document
    chunks: Sequence[Chunk]
    vectors: NDArray[np.float16]
    model: str


@dataclass(frozen=True)
class Rewritten:
    """A text that is to be in a chunk, with what is embedded and indexed of it, and its vector by `model`."""

    text: str
    tokens: int
    context: str
    vector: NDArray[np.float16]
    model: str


def context(document: Document, heading_path: Sequence[str], chunk_text: str) -> str:
    """Return what is embedded and indexed of a text that stands under these headings of the document."""
    piece = Chunk(0, chunk_text, "", 0, 0, 0, heading_path=tuple(heading_path))
    return piece.context(document.filename, document.title)


def context_sha256(context: str) -> bytes:
    """Return what a chunk's embedded text is known by: 32 bytes."""
    return hashlib.sha256(context.encode(errors="replace")).digest()


def replace(session: Session, tenant_id: UUID, incoming: Sequence[Incoming]) -> None:
    """Put the chunks in place of their documents' others.

    BINARY COPY into a temporary table, then one INSERT that lets Postgres make the lexemes.
    """
    lock_corpus(session, tenant_id)
    replaced = [one.ref.doc_id for one in incoming if one.document.version]
    if replaced:
        forget(session, tenant_id, replaced)
    _copy(session, incoming)
    session.execute(text(_STORE), {"tenant_id": tenant_id})


_NAMES = ", ".join(STORED)
_STORE = f"""
WITH made AS MATERIALIZED (
    SELECT *, to_tsvector(language::regconfig, coalesce(searched, context)) AS lexemes FROM incoming_chunks
), stored AS (
    INSERT INTO document_chunks (tenant_id, {_NAMES}, lexemes, lexeme_count)
    SELECT :tenant_id, {_NAMES}, lexemes,
           (SELECT coalesce(sum(cardinality(l.positions)), 0) FROM unnest(lexemes) l)
    FROM made
    RETURNING embedding_model, language, lexeme_count
), words AS (
    INSERT INTO term_frequencies AS f (tenant_id, lexeme, chunks)
    SELECT :tenant_id, l.lexeme, count(*) FROM made, unnest(tsvector_to_array(made.lexemes)) AS l (lexeme) GROUP BY 2
    ON CONFLICT (tenant_id, lexeme) DO UPDATE SET chunks = f.chunks + EXCLUDED.chunks
), models AS (
    INSERT INTO corpus_models AS m (tenant_id, embedding_model, chunks)
    SELECT :tenant_id, embedding_model, count(*) FROM stored GROUP BY 2
    ON CONFLICT (tenant_id, embedding_model) DO UPDATE SET chunks = m.chunks + EXCLUDED.chunks
), languages AS (
    INSERT INTO corpus_languages AS g (tenant_id, language, chunks)
    SELECT :tenant_id, language, count(*) FROM stored GROUP BY 2
    ON CONFLICT (tenant_id, language) DO UPDATE SET chunks = g.chunks + EXCLUDED.chunks
)
INSERT INTO corpus_sizes AS s (tenant_id, chunks, lexemes)
SELECT :tenant_id, count(*), coalesce(sum(lexeme_count), 0) FROM stored
ON CONFLICT (tenant_id) DO UPDATE SET chunks = s.chunks + EXCLUDED.chunks, lexemes = s.lexemes + EXCLUDED.lexemes
"""
"""Lexemes are made once for the index, the lengths and the frequencies: read again, they would be unpacked again."""


def forget(session: Session, tenant_id: UUID, doc_ids: Sequence[UUID]) -> int:
    """Delete the documents' chunks and take them out of the frequencies; return how many there were."""
    lock_corpus(session, tenant_id)
    frequencies.count(session, tenant_id, doc_ids, sign=-1)
    gone = session.execute(
        delete(DocumentChunk)
        .where(DocumentChunk.tenant_id == tenant_id, DocumentChunk.doc_id.in_(doc_ids))
        .execution_options(synchronize_session=False)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def get(session: Session, doc_id: UUID, chunk_id: int, *, lock: bool = False) -> DocumentChunk:
    """Return a chunk of the document; with `lock` nobody else changes it until the transaction ends.

    Raises NotFound.
    """
    wanted = select(DocumentChunk).where(DocumentChunk.doc_id == doc_id, DocumentChunk.chunk_id == chunk_id)
    if lock:
        wanted = wanted.with_for_update()
    is_id = chunk_id <= MAX_ID
    found = session.scalar(wanted, execution_options={"populate_existing": True}) if is_id else None
    if found is None:
        raise NotFound("The document has no chunk with this id.")
    return found


def rewrite(session: Session, chunk: DocumentChunk, written: Rewritten) -> None:
    """Put a text with its vector in place of the chunk's, with its lexemes, and keep the frequencies exact.

    Needs `lock_corpus`, and the chunk locked.
    """
    frequencies.count(session, chunk.tenant_id, chunk_ids=[chunk.chunk_id], sign=-1)
    session.execute(
        text(_REWRITE),
        {
            "tenant_id": chunk.tenant_id,
            "chunk_id": chunk.chunk_id,
            "chunk_text": written.text,
            "token_count": written.tokens,
            "context_sha256": context_sha256(written.context),
            "embedding": HalfVector(written.vector).to_text(),
            "model": written.model,
            "language": language_of(written.context, otherwise=chunk.language),
            "searched": searchable(written.context),
        },
    )
    frequencies.count(session, chunk.tenant_id, chunk_ids=[chunk.chunk_id], sign=1)


_REWRITE = """
UPDATE document_chunks SET
    chunk_text = :chunk_text, token_count = :token_count, context_sha256 = :context_sha256,
    embedding = CAST(:embedding AS halfvec), embedding_model = :model, edited_at = now(),
    language = :language, lexemes = made.lexemes,
    lexeme_count = (SELECT coalesce(sum(cardinality(l.positions)), 0) FROM unnest(made.lexemes) l)
FROM (SELECT to_tsvector(CAST(:language AS regconfig), :searched) AS lexemes) made
WHERE tenant_id = :tenant_id AND chunk_id = :chunk_id
"""


def known_vectors(
    session: Session, tenant_id: UUID, model: str, hashes: Collection[bytes]
) -> dict[bytes, NDArray[np.float16]]:
    """Return the vectors that chunks of the tenant have by this model, by the hash of what was embedded.

    The chunks are the cache: it holds what answers now, of no other tenant, and nothing that was deleted.
    """
    rows = session.execute(
        select(DocumentChunk.context_sha256, DocumentChunk.embedding)
        .where(DocumentChunk.tenant_id == tenant_id, DocumentChunk.context_sha256.in_(hashes))
        .where(DocumentChunk.embedding_model == model)
    )
    return {sha256: vector.to_numpy() for sha256, vector in rows if sha256 is not None}


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


def lock_corpus(session: Session, tenant_id: UUID) -> None:
    """Wait until this transaction alone changes the tenant's chunks.

    Two stores of one tenant would update the same frequency rows in different orders and deadlock.
    """
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"aura.corpus.{tenant_id}", 0))))


def _copy(session: Session, incoming: Sequence[Incoming]) -> None:
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
        for one in incoming:
            contexts = [chunk.context(one.document.filename, one.document.title) for chunk in one.chunks]
            languages = languages_of(chunk.text for chunk in one.chunks)
            for chunk, vector, context, language in zip(one.chunks, one.vectors, contexts, languages, strict=True):
                copy.write_row((*_row(one, chunk, vector, context), language, _searched(context)))


def _searched(context: str) -> str | None:
    """Return what is indexed of a context where that differs from it: most texts need not be sent twice."""
    found = searchable(context)
    return None if found == context else found


def _row(one: Incoming, chunk: Chunk, vector: NDArray[np.float16], context: str) -> tuple[object, ...]:
    return (
        one.ref.doc_id,
        one.ref.version,
        one.document.assistant_key,
        one.model,
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
        Jsonb({**chunk.place(), **_spots(chunk)}),
        context,
        context_sha256(chunk.embedded(one.document.filename, one.document.title)),
        HalfVector(vector),
    )


def _spots(chunk: Chunk) -> dict[str, object]:
    """Return where the chunk's paragraphs stand."""
    if not chunk.spots:
        return {}
    return {"spots": [[one.start, *vars(one.box).values()] for one in chunk.spots]}
