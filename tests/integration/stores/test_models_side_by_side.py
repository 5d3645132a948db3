"""Chunks of several models are found by one question, each as its own model reads it."""

from collections.abc import Callable
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from pipelines.ingest.elements import Chunk
from pipelines.ports.models import Calibration
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import chunks, documents, search
from pipelines.stores.knowledge.chunks import Incoming
from pipelines.stores.knowledge.documents import Switch
from pipelines.stores.knowledge.search import Asked

SHARP, FLAT = Calibration(0.5, 10), Calibration(0.9, 10)


@pytest.fixture
def store(library, tenant: UUID) -> Callable[[str, list[str], NDArray[np.float32]], UUID]:
    """Return what stores texts with these vectors of a model."""

    def put(model: str, texts: list[str], vectors: NDArray[np.float32]) -> UUID:
        ref = library.admitted(tenant)
        made = [
            Chunk(i, text, "general", 1, 0, len(text), row_from=i + 2, row_to=i + 3) for i, text in enumerate(texts)
        ]
        with tenant_session(tenant) as session:
            document = documents.get(session, ref.doc_id)
            chunks.replace(session, tenant, [Incoming(ref, document, made, vectors.astype(np.float16), model)])
            documents.switch(session, [Switch(ref, len(made), 0)])
        return ref.doc_id

    return put


def unit(width: int, at: int, cosine: float = 1.0) -> NDArray[np.float32]:
    """Return a unit vector that has this cosine with the axis 0 (or is an axis)."""
    found = np.zeros(width, np.float32)
    found[at] = 1.0
    if cosine < 1:
        found[:] = 0
        found[0], found[at] = cosine, np.sqrt(1 - cosine**2)
    return found


def asked(model: str, width: int, calibration: Calibration) -> Asked:
    return Asked(model, unit(width, 0), calibration)


def test_the_nearest_of_all_models_are_merged_by_what_their_cosines_mean(store, tenant: UUID) -> None:
    store("wide", ["d", "c"], np.stack([unit(8, 1, 0.7), unit(8, 1, 0.95)]))
    store("narrow", ["b", "a"], np.stack([unit(4, 1, 0.6), unit(4, 1, 0.9)]))
    both = [asked("narrow", 4, SHARP), asked("wide", 8, FLAT)]
    with tenant_session(tenant) as session:
        found = search.nearest_of(session, tenant, both, 3)
    # 0.95 is less for a model whose cosines begin at 0.9 than 0.9 for one whose begin at 0.5.
    assert [passage.text for passage in found.passages] == ["a", "b", "c"]
    expected = [SHARP.similarity(np.float32(0.9)), SHARP.similarity(np.float32(0.6)), FLAT.similarity(np.float32(0.95))]
    assert np.allclose([passage.similarity for passage in found.passages], expected, atol=0.01)
    assert (found.passages[0].row_from, found.passages[0].row_to) == (3, 4)
    assert found.models == ["narrow", "wide"]


def test_who_asks_one_model_learns_of_the_others_also_where_nothing_is_found(store, tenant: UUID) -> None:
    store("wide", ["c"], np.stack([unit(8, 0)]))
    with tenant_session(tenant) as session:
        found = search.nearest_of(session, tenant, [asked("narrow", 4, SHARP)], 3)
        assert (found.passages, found.unasked(["narrow"])) == ([], ["wide"])
        nobody = search.nearest_of(session, uuid4(), [asked("narrow", 4, SHARP)], 3)
    assert (nobody.passages, nobody.models) == ([], [])


def test_a_model_whose_last_chunk_is_gone_is_asked_no_more(store, tenant: UUID, admin: psycopg.Connection) -> None:
    gone = store("wide", ["c"], np.stack([unit(8, 0)]))
    store("narrow", ["a"], np.stack([unit(4, 0)]))
    with tenant_session(tenant) as session:
        chunks.forget(session, tenant, [gone])
        assert search.nearest_of(session, tenant, [asked("narrow", 4, SHARP)], 3).models == ["narrow"]
    counted = admin.execute(
        "SELECT embedding_model, chunks FROM corpus_models WHERE tenant_id = %s AND chunks <> 0", (tenant,)
    )
    assert counted.fetchall() == [("narrow", 1)]


def test_known_vectors_are_those_of_the_tenant_and_the_model(
    store, tenant: UUID, new_tenant: Callable[[], UUID], admin: psycopg.Connection
) -> None:
    doc_id = store("narrow", ["a"], np.stack([unit(4, 0)]))
    [(sha256,)] = admin.execute("SELECT context_sha256 FROM document_chunks WHERE doc_id = %s", (doc_id,)).fetchall()
    with tenant_session(tenant) as session:
        assert list(chunks.known_vectors(session, tenant, "narrow", {sha256})) == [sha256]
        assert chunks.known_vectors(session, tenant, "wide", {sha256}) == {}
    other = new_tenant()
    with tenant_session(other) as session:
        assert chunks.known_vectors(session, other, "narrow", {sha256}) == {}
        # Also where it asks in the other's name.
        assert chunks.known_vectors(session, tenant, "narrow", {sha256}) == {}
