"""Documents that are stored as workers store them, without workers."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import numpy as np

from pipelines.ingest import card
from pipelines.ingest.elements import Chunk
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.ingest import accepting
from pipelines.stores.ingest.accepting import Upload
from pipelines.stores.knowledge import cards, chunks, documents
from pipelines.stores.knowledge.cards import IncomingCard
from pipelines.stores.knowledge.chunks import Incoming
from pipelines.stores.knowledge.documents import Description, Switch
from tests.integration.reindex.stacks import vector_of

MODEL = "model-b"

Piece = tuple[str, tuple[str, ...]]
"""A chunk's text and the headings above it."""


def store(
    tenant: UUID,
    filename: str,
    pieces: Sequence[str | Piece],
    title: str = "",
    model: str = MODEL,
    vector: Callable[[str], Sequence[float]] = lambda text: vector_of(text, MODEL),
    **facts: Any,
) -> UUID:
    """Store a document of these chunks, with vectors by a model that makes them by `vector`, and return its id."""

    def vectors(texts: Sequence[str]) -> Any:
        found = np.array([vector(text) for text in texts], np.float32)
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float16)

    upload = Upload("tester", filename, filename.rpartition(".")[2], 1 << 20, uuid4().hex, **facts)
    with tenant_session(tenant) as session:
        accepting.accept(session, tenant, upload)
    with operator_session() as session:
        admitted = documents.admit(session, 1_000_000, 1_000_000)
    ref = next(part.ref for part in admitted if part.ref.doc_id == upload.doc_id)
    placed = [(piece, ()) if isinstance(piece, str) else piece for piece in pieces]
    made = [Chunk(n, text, "general", 9, 0, 9, heading_path=path) for n, (text, path) in enumerate(placed)]
    front = card.card(made, filename, title or filename)
    with tenant_session(tenant) as session:
        documents.described(session, [Description(ref, title or filename, "", None)])
        session.expire_all()
        document = documents.get(session, ref.doc_id)
        chunks.replace(session, tenant, [Incoming(ref, document, made, vectors([text for text, _ in placed]), model)])
        kept = [IncomingCard(ref.doc_id, front, vectors([front])[0], model)] if front else []
        cards.replace(session, tenant, [ref.doc_id], kept)
        documents.switch(session, [Switch(ref, len(made), 0)])
    return ref.doc_id
