"""A document's card is there with its chunks, is made anew with them, and goes with the document."""

from collections.abc import Callable
from uuid import UUID

import numpy as np
import psycopg

from pipelines.ports.models import Calibration
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import cards, documents
from pipelines.stores.knowledge.cards import IncomingCard
from pipelines.stores.knowledge.chunks import context_sha256
from pipelines.stores.knowledge.search import Asked

ASKED = Asked("model-b", np.ones(64, np.float32) / 8, Calibration(0.5, 10))


def count(admin: psycopg.Connection, tenant: UUID) -> int:
    row = admin.execute("SELECT count(*) FROM document_cards WHERE tenant_id = %s", (tenant,)).fetchone()
    assert row is not None
    return int(row[0])


def test_it_goes_with_its_document(tenant: UUID, stored: Callable[..., UUID], admin: psycopg.Connection) -> None:
    doc_id = stored("acme-report.pdf", ["Cover of Acme.", "Sales rose."])
    stored("single.txt", ["Only one."])
    assert count(admin, tenant) == 1
    with tenant_session(tenant) as session:
        documents.remove(session, doc_id)
    assert count(admin, tenant) == 0


def test_a_new_one_takes_the_place_of_the_old(tenant: UUID, stored: Callable[..., UUID]) -> None:
    doc_id = stored("acme-report.pdf", ["Cover of Acme.", "Sales rose."])
    vector = np.ones(64, np.float16)
    with tenant_session(tenant) as session:
        cards.replace(session, tenant, [doc_id], [IncomingCard(doc_id, "Zebra crossing", vector, "model-b")])
    with tenant_session(tenant) as session:
        [found] = cards.compared(session, tenant, [doc_id], [ASKED], "zebra or acme?").values()
        assert found.lexemes == {"zebra"}
        cards.replace(session, tenant, [doc_id], [])
    with tenant_session(tenant) as session:
        assert cards.compared(session, tenant, [doc_id], [ASKED], "zebra") == {}


def test_its_vector_is_known_by_its_text_and_model(tenant: UUID, stored: Callable[..., UUID]) -> None:
    doc_id = stored("acme-report.pdf", ["Cover.", "Sales."])
    sha256 = context_sha256("Zebra crossing")
    with tenant_session(tenant) as session:
        vector = np.ones(64, np.float16)
        cards.replace(session, tenant, [doc_id], [IncomingCard(doc_id, "Zebra crossing", vector, "model-b")])
        assert set(cards.known_vectors(session, tenant, "model-b", {sha256})) == {sha256}
        assert cards.known_vectors(session, tenant, "model-a", {sha256}) == {}


def test_another_tenant_sees_none(tenant: UUID, new_tenant: Callable[[], UUID], stored: Callable[..., UUID]) -> None:
    doc_id = stored("acme-report.pdf", ["Cover of Acme.", "Sales rose."])
    other = new_tenant()
    with tenant_session(other) as session:
        assert cards.compared(session, tenant, [doc_id], [ASKED], "acme") == {}
        assert cards.compared(session, other, [doc_id], [ASKED], "acme") == {}


def test_words_alone_compare_where_no_vector_does(tenant: UUID, stored: Callable[..., UUID]) -> None:
    doc_id = stored("x0001.pdf", ["It's the third quarter of 2023.", "Sales rose."])
    with tenant_session(tenant) as session:
        [found] = cards.compared(session, tenant, [doc_id], [], "Sales in Q3 2023?").values()
    assert {"2023", "q3"} <= found.lexemes
    assert found.similarity == 0.0
