"""Many rows at once, by several callers at once: each content is one document, and nobody waits in a circle."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest

from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import accepting
from pipelines.stores.ingest.accepting import Upload
from schemas.errors.callers import Unsealable
from schemas.tables.knowledge import NO_LANE, Document, units_of


def uploads(count: int) -> list[Upload]:
    return [Upload("u", f"{n}.txt", "txt", 10, uuid4().hex) for n in range(count)]


def test_callers_with_the_same_files_in_opposite_order_do_not_wait_in_a_circle(
    tenant: UUID, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Statement by statement, so that the callers surely meet.
    monkeypatch.setattr(accepting, "ROWS_AT_ONCE", 5)
    for _ in range(4):
        files = uploads(400)
        together = threading.Barrier(4)

        def accept(turn: int, files: list[Upload] = files, together: threading.Barrier = together) -> list[UUID]:
            own = [replace(upload, doc_id=uuid4()) for upload in files]
            with tenant_session(tenant) as session:
                together.wait()
                found = accepting.accept_many(session, tenant, own[::-1] if turn % 2 else own)
            ids = [document.doc_id for document, _ in found]
            return ids[::-1] if turn % 2 else ids

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(accept, range(4)))
        assert found[0] == found[1] == found[2] == found[3]
    row = admin.execute("SELECT count(*) FROM documents WHERE tenant_id = %s", (tenant,)).fetchone()
    assert row == (1600,)


def test_documents_come_back_in_the_order_given_and_only_new_ones_as_new(tenant: UUID) -> None:
    files = uploads(5)
    with tenant_session(tenant) as session:
        accepting.accept_many(session, tenant, files[:2])
    again = [replace(upload, doc_id=uuid4()) for upload in [*files[::-1], files[4]]]
    with tenant_session(tenant) as session:
        found = accepting.accept_many(session, tenant, again)
    assert [document.filename for document, _ in found] == ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt", "4.txt"]
    assert [is_new for _, is_new in found] == [True, True, True, False, False, False]


def test_a_password_opens_for_its_own_document_only(tenant: UUID) -> None:
    one, two = uploads(2)
    with tenant_session(tenant) as session:
        document, _ = accepting.accept(session, tenant, replace(one, password="open sesame"))
        other, _ = accepting.accept(session, tenant, two)
        assert (accepting.password_of(document), accepting.password_of(other)) == ("open sesame", None)
        other.password_sealed = document.password_sealed
        with pytest.raises(Unsealable):
            accepting.password_of(other)


def test_what_came_alone_has_no_lane_and_weighs_by_size(tenant: UUID) -> None:
    small, large = uploads(2)
    large = replace(large, file_size=1 << 20)
    with tenant_session(tenant) as session:
        rows: list[Document] = [found for found, _ in accepting.accept_many(session, tenant, [small, large], None, -3)]
    assert [(str(row.lane), row.batch_id, row.priority) for row in rows] == [(NO_LANE, None, -3)] * 2
    assert [row.units for row in rows] == [units_of("txt", 10), units_of("txt", 1 << 20)] == [1, 16]
