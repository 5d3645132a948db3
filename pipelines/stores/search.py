"""Search inside one tenant: nearest by vector, best by BM25."""

from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import text
from sqlalchemy.orm import Session

from pipelines.ports import Box, Calibration, Passage

SOURCE = "document_chunks"

FOUND = (
    "SELECT f.found_score, c.chunk_id, c.doc_id, d.filename, c.chunk_text, c.heading_path, c.page_from, c.page_to,"
    " c.boxes, c.chunk_type"
    " FROM ({function}) f"
    " JOIN document_chunks c ON c.tenant_id = :tenant_id AND c.chunk_id = f.chunk_id"
    " JOIN documents d ON d.tenant_id = c.tenant_id AND d.doc_id = c.doc_id"
    " ORDER BY f.found_score DESC, c.chunk_id"
)

NEAREST = text(
    FOUND.format(
        function="SELECT chunk_id, similarity AS found_score FROM match_document_chunks("
        "CAST(:query AS halfvec), -1, :count, :tenant_id, :model, :assistant_key)"
    )
)

BEST_WORDS = text(
    FOUND.format(
        function="SELECT chunk_id, score AS found_score FROM bm25_document_chunks("
        ":query, :count, :tenant_id, :assistant_key)"
    )
)


def nearest(
    session: Session,
    tenant_id: UUID,
    query: NDArray[np.float32],
    model: str,
    calibration: Calibration,
    count: int,
    assistant_key: str | None = None,
) -> list[Passage]:
    """Return the `count` chunks nearest to the unit vector `query`, with calibrated `similarity`.

    Only chunks embedded by the same `model` compare. Those of the assistant and of all assistants
    are searched.
    """
    rows = session.execute(
        NEAREST,
        {
            "query": HalfVector(query).to_text(),
            "count": count,
            "tenant_id": tenant_id,
            "model": model,
            "assistant_key": assistant_key,
        },
    ).all()
    similarities = calibration.similarity(np.array([row.found_score for row in rows], dtype=np.float32))
    return [_passage(row, similarity=float(value)) for row, value in zip(rows, similarities, strict=True)]


def best_words(
    session: Session, tenant_id: UUID, query: str, count: int, assistant_key: str | None = None
) -> list[Passage]:
    """Return the `count` chunks with the best BM25 score for the words of `query`."""
    rows = session.execute(
        BEST_WORDS, {"query": query, "count": count, "tenant_id": tenant_id, "assistant_key": assistant_key}
    )
    return [_passage(row, bm25=float(row.found_score)) for row in rows]


def _passage(row: Any, *, similarity: float = 0.0, bm25: float = 0.0) -> Passage:
    return Passage(
        source=SOURCE,
        chunk_id=row.chunk_id,
        doc_id=row.doc_id,
        filename=row.filename,
        text=row.chunk_text,
        heading_path=tuple(row.heading_path),
        page_from=row.page_from,
        page_to=row.page_to,
        boxes=tuple(Box(**box) for box in row.boxes),
        chunk_type=row.chunk_type,
        similarity=similarity,
        bm25=bm25,
    )
