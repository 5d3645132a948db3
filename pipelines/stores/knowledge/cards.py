"""Cards of documents: kept when a document's chunks are, and compared with a question for the documents it may mean."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pipelines.stores.knowledge.chunks import context_sha256
from pipelines.stores.knowledge.search import Asked
from pipelines.turn.finding.fusion import Card, plainly
from pipelines.turn.wording.words import content_words
from schemas.tables.chunks import DocumentCard

MAX_WORD_CHARS = 64


@dataclass(frozen=True)
class IncomingCard:
    """A document's card: its text, and its vector by `model`."""

    doc_id: UUID
    text: str
    vector: NDArray[np.float16]
    model: str


def replace(session: Session, tenant_id: UUID, doc_ids: Sequence[UUID], cards: Sequence[IncomingCard]) -> None:
    """Put the cards in place of what cards these documents had."""
    session.execute(
        text("DELETE FROM document_cards WHERE tenant_id = :tenant_id AND doc_id = ANY (:doc_ids)"),
        {"tenant_id": tenant_id, "doc_ids": list(doc_ids)},
    )
    rows = [
        {
            "tenant_id": tenant_id,
            "doc_id": card.doc_id,
            "model": card.model,
            "embedding": HalfVector(card.vector).to_text(),
            "lexemes": sorted(_telling(card.text)),
            "sha256": context_sha256(card.text),
        }
        for card in cards
    ]
    if rows:
        session.execute(text(_ADD), rows)


_ADD = """
INSERT INTO document_cards (tenant_id, doc_id, embedding_model, embedding, lexemes, card_sha256)
VALUES (:tenant_id, :doc_id, :model, CAST(:embedding AS halfvec), array_to_tsvector(:lexemes), :sha256)
"""


def known_vectors(
    session: Session, tenant_id: UUID, model: str, hashes: Collection[bytes]
) -> dict[bytes, NDArray[np.float16]]:
    """Return the vectors that cards of the tenant have by this model, by the hash of their text."""
    rows = session.execute(
        select(DocumentCard.card_sha256, DocumentCard.embedding)
        .where(DocumentCard.tenant_id == tenant_id, DocumentCard.card_sha256.in_(hashes))
        .where(DocumentCard.embedding_model == model)
    )
    return {sha256: vector.to_numpy() for sha256, vector in rows}


def compared(
    session: Session, tenant_id: UUID, doc_ids: Collection[UUID], asked: Sequence[Asked], question: str
) -> dict[UUID, Card]:
    """Return how the cards of these documents fit the question; those without a card are not there.

    Without a vector to compare (`asked` is empty) the words alone.
    """
    if not doc_ids:
        return {}
    facts: dict[str, object] = {"tenant_id": tenant_id, "doc_ids": list(doc_ids)}
    facts["wanted"] = sorted(_telling(question))
    found: dict[UUID, Card] = {}
    if not asked:
        for row in session.execute(text(_COMPARED.format(cosine="0", model="")), facts):
            found[row.doc_id] = Card(0.0, frozenset(row.shared))
    for one in asked:
        facts |= {"query": HalfVector(one.vector).to_text(), "model": one.model}
        statement = _COMPARED.format(
            cosine="1 - (c.embedding <=> CAST(:query AS halfvec))", model=" AND c.embedding_model = :model"
        )
        rows = session.execute(text(statement), facts).all()
        similarities = one.calibration.similarity(np.array([row.cosine for row in rows], np.float32))
        for row, similarity in zip(rows, similarities, strict=True):
            found[row.doc_id] = Card(float(similarity), frozenset(row.shared))
    return found


_COMPARED = """
SELECT c.doc_id, {cosine} AS cosine,
       ARRAY(SELECT w FROM unnest(CAST(:wanted AS text[])) w WHERE c.lexemes @@ quote_literal(w)::tsquery) AS shared
FROM document_cards c
WHERE c.tenant_id = :tenant_id AND c.doc_id = ANY (:doc_ids){model}
"""


def _telling(text: str) -> set[str]:
    """Return the stems that carry meaning, and for a quarter in words or figures also the other form."""
    # Scripts without spaces are one long word to us, and too long for Postgres.
    found = {word for word in content_words(plainly(text)) if len(word) <= MAX_WORD_CHARS}
    found |= {f"q{quarter[2] or _ORDINALS[quarter[1].lower()]}" for quarter in _QUARTER.finditer(text)}
    return found


_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_QUARTER = re.compile(rf"\b({'|'.join(_ORDINALS)})\s+(?:fiscal\s+)?quarter\b|\bq([1-4])\b", re.IGNORECASE)
