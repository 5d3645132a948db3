"""Search inside one tenant: nearest by vector, best by BM25."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from pipelines.ports.models import Calibration
from pipelines.ports.passages import Box, KnowledgeFilter, Passage, Spot
from pipelines.searchable import searchable

PHRASE_BOOST = 0.25
"""What two neighbouring words of the question that stand together in a chunk add to its score, in means of their idf.

Chosen on half of xquad; see docs/decisions.md.
"""

MAX_QUERY_CHARS = 4000
"""More of a question is not searched for by its words: what makes it out stands in its first thousand."""

NO_FILTER = KnowledgeFilter()

COLUMNS = (
    "d.source, c.chunk_id, c.doc_id, d.filename, d.title, c.chunk_text, c.heading_path, c.page_from, c.page_to,"
    " c.boxes, c.chunk_type, c.metadata"
)

JOINS = (
    " JOIN document_chunks c ON c.tenant_id = :tenant_id AND c.chunk_id = f.chunk_id"
    " JOIN documents d ON d.tenant_id = c.tenant_id AND d.doc_id = c.doc_id"
)

BEST_WORDS = text(
    f"SELECT f.score AS found_score, {COLUMNS}"
    " FROM bm25_document_chunks(:query, :count, :tenant_id, :assistant_key, CAST(:filter AS jsonb), :phrase_boost) f"
    f"{JOINS} ORDER BY f.score DESC, c.chunk_id"
)


@dataclass(frozen=True)
class Asked:
    """A question as a model reads it: its unit vector, and what the model's cosines mean."""

    model: str
    vector: NDArray[np.float32]
    calibration: Calibration


@dataclass(frozen=True)
class Found:
    """The nearest passages, and all models by which chunks of the tenant are embedded."""

    passages: list[Passage]
    models: list[str]

    def unasked(self, asked: Sequence[str]) -> list[str]:
        """Return the models that are not among those asked."""
        return [model for model in self.models if model not in asked]


def nearest_of(
    session: Session,
    tenant_id: UUID,
    asked: Sequence[Asked],
    count: int,
    assistant_key: str | None = None,
    knowledge_filter: KnowledgeFilter = NO_FILTER,
) -> Found:
    """Return the `count` chunks with the highest calibrated `similarity` to a question, whatever model embedded them.

    A chunk compares with the question as its own model reads it; that is given in `asked` for one model or more.
    One statement, so that a document which changes from one model to another meanwhile is found by either.
    """
    facts: dict[str, object] = {"count": count, "tenant_id": tenant_id, "assistant_key": assistant_key}
    facts["filter"] = _written(knowledge_filter)
    for number, one in enumerate(asked):
        facts |= {f"query_{number}": HalfVector(one.vector).to_text(), f"model_{number}": one.model}
    rows = session.execute(_nearest(len(asked)), facts).all()
    scored: list[Passage] = []
    for number, one in enumerate(asked):
        ours = [row for _, of, *row in rows if of == number]
        similarities = one.calibration.similarity(np.array([score for score, *_ in ours], np.float32))
        scored += [_passage(row[1:], similarity=float(value)) for row, value in zip(ours, similarities, strict=True)]
    scored.sort(key=lambda passage: (-passage.similarity, passage.chunk_id))
    return Found(scored[:count], rows[0].models)


def nearest(
    session: Session,
    tenant_id: UUID,
    query: NDArray[np.float32],
    model: str,
    calibration: Calibration,
    count: int,
    assistant_key: str | None = None,
    knowledge_filter: KnowledgeFilter = NO_FILTER,
) -> list[Passage]:
    """Return the `count` chunks nearest to the unit vector `query`, with calibrated `similarity`.

    Only chunks embedded by the same `model` compare. Those of the assistant and of all assistants
    are searched.
    """
    asked = [Asked(model, query, calibration)]
    return nearest_of(session, tenant_id, asked, count, assistant_key, knowledge_filter).passages


def best_words(
    session: Session,
    tenant_id: UUID,
    query: str,
    count: int,
    assistant_key: str | None = None,
    knowledge_filter: KnowledgeFilter = NO_FILTER,
    phrase_boost: float = PHRASE_BOOST,
) -> list[Passage]:
    """Return the `count` chunks with the best BM25 score for the words of `query`.

    Where `phrase_boost` is not 0, words that stand together as in the query add to it.
    """
    facts = {"query": searchable(query[:MAX_QUERY_CHARS]), "count": count, "tenant_id": tenant_id}
    facts |= {"assistant_key": assistant_key, "filter": _written(knowledge_filter), "phrase_boost": phrase_boost}
    return [_passage(columns, bm25=float(score)) for score, *columns in session.execute(BEST_WORDS, facts)]


def _written(knowledge_filter: KnowledgeFilter) -> str | None:
    """Return the filter as SQL reads it: only what it limits; None where that is nothing."""
    limits = {name: value for name, value in vars(knowledge_filter).items() if value not in (None, ())}
    return json.dumps(limits, default=str) if limits else None


@lru_cache
def _nearest(models: int) -> TextClause:
    """Return the question to so many models. Where it finds nothing it still says which models there are."""
    branches = " UNION ALL ".join(
        f"SELECT {number} AS number, chunk_id, similarity AS found_score FROM match_document_chunks("
        f"CAST(:query_{number} AS halfvec), -1, :count, :tenant_id, :model_{number}, :assistant_key,"
        " CAST(:filter AS jsonb))"
        for number in range(models)
    )
    return text(
        "SELECT there.models, found.* FROM (SELECT array(SELECT m.embedding_model FROM corpus_models m"
        " WHERE m.tenant_id = :tenant_id AND m.chunks > 0 ORDER BY 1) AS models) there"
        f" LEFT JOIN (SELECT f.number, f.found_score, {COLUMNS} FROM ({branches}) f{JOINS}) found ON true"
    )


def _passage(row: Sequence[Any], *, similarity: float = 0.0, bm25: float = 0.0) -> Passage:
    """Return the passage of `COLUMNS`, by position: names cost more where there are two hundred for a question."""
    source, chunk_id, doc_id, filename, title, chunk_text, headings, page_from, page_to, boxes, kind, place = row
    return Passage(
        source=source,
        chunk_id=chunk_id,
        doc_id=doc_id,
        filename=filename,
        title=title,
        text=chunk_text,
        heading_path=tuple(headings),
        page_from=page_from,
        page_to=page_to,
        boxes=tuple(Box(**box) for box in boxes),
        chunk_type=kind,
        similarity=similarity,
        bm25=bm25,
        row_from=place.get("row_from"),
        row_to=place.get("row_to"),
        start_s=place.get("start_s"),
        end_s=place.get("end_s"),
        spots=tuple(Spot(start, Box(*box)) for start, *box in place.get("spots", ())),
    )
