"""Large tenants get an index of their own, and search finds by it what it finds without."""

import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from deploy.database import indexer_url
from pipelines.ports.models import Calibration
from pipelines.ports.passages import KnowledgeFilter
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import chunks, promotion, search

CALIBRATION = Calibration(midpoint=0.5, slope=10)
MODEL = "test-model"
AT = 200


@pytest.fixture
def index_url(servers: tuple[str, str, str]) -> str:
    return indexer_url(servers[0], servers[1])


@pytest.fixture
def settle(index_url: str, admin: psycopg.Connection) -> Iterator[Callable[[], promotion.Settled]]:
    """Yield what settles the indexes of tenants of 200 chunks or more. Those of other tests are done with."""
    for tenant_id in admin.execute("SELECT tenant_id FROM corpus_models WHERE chunks >= %s", (AT // 2,)).fetchall():
        admin.execute("UPDATE corpus_models SET chunks = 0 WHERE tenant_id = %s", tenant_id)
    promotion.settle(index_url, AT)
    yield lambda: promotion.settle(index_url, AT)


def vectors(count: int, seed: int = 1) -> NDArray[np.float32]:
    found = np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def indexes(admin: psycopg.Connection) -> dict[str, bool]:
    return dict(
        admin.execute(
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE c.relname LIKE 'vectors\\_%'"
        ).fetchall()
    )


def nearest(tenant: UUID, query: NDArray[np.float32], count: int = 10, **limits: object) -> list[str]:
    wanted = KnowledgeFilter(**limits)  # type: ignore[arg-type]
    with tenant_session(tenant) as session:
        found = search.nearest(session, tenant, query, MODEL, CALIBRATION, count, None, wanted)
    return [passage.text for passage in found]


def used(admin: psycopg.Connection, tenant: UUID, query: NDArray[np.float32]) -> int:
    """Ask once more, and return how often this connection scanned the tenant's index."""
    call = "SELECT FROM match_document_chunks(%s::halfvec, -1, 10, %s, %s)"
    admin.execute(call, (HalfVector(query).to_text(), tenant, MODEL))
    admin.execute("SELECT pg_stat_force_next_flush()")
    name = f"vector_index_name('{tenant}', '{MODEL}')"
    row = admin.execute(f"SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = {name}").fetchone()
    return row[0] if row else 0


def test_a_tenant_that_grows_large_is_indexed_and_one_that_shrinks_no_more(
    library, settle, new_tenant: Callable[[], UUID], admin: psycopg.Connection
) -> None:
    large, small = new_tenant(), new_tenant()
    docs = [library.store(large, [f"t {n} {i}" for i in range(150)], vectors(150, n)) for n in range(2)]
    library.store(small, [f"t {i}" for i in range(AT - 1)], vectors(AT - 1))
    made = settle()
    assert len(made.made) == 1
    assert indexes(admin) == {made.made[0]: True}
    assert settle() == promotion.Settled()
    with tenant_session(large) as session:
        chunks.forget(session, large, docs[:1])
    assert settle() == promotion.Settled()  # 150 are less than 200, and not well below.
    with tenant_session(large) as session:
        chunks.forget(session, large, docs[1:])
    assert settle().dropped == made.made
    assert indexes(admin) == {}


def test_the_index_finds_what_is_nearest_also_of_what_came_later(
    library, tenant: UUID, new_tenant: Callable[[], UUID], settle, admin: psycopg.Connection
) -> None:
    known = vectors(800)
    library.store(tenant, [f"t {i}" for i in range(600)], known[:600])
    other = new_tenant()
    library.store(other, [f"other {i}" for i in range(300)], known[:300])
    settle()
    library.store(tenant, [f"t {i}" for i in range(600, 800)], known[600:])
    for query in vectors(20, seed=9):
        expected = [f"t {i}" for i in np.argsort(-(known.astype(np.float16).astype(np.float32) @ query))[:10]]
        assert len(set(nearest(tenant, query)) & set(expected)) >= 9
    assert used(admin, tenant, known[0]) > 0


def test_filters_hold_under_the_index_and_a_narrow_one_misses_nothing(
    library, tenant: UUID, settle, admin: psycopg.Connection
) -> None:
    known = vectors(3_000, seed=4)
    docs = [
        library.store(tenant, [f"t {n} {i}" for i in range(1_000)], known[n * 1_000 : (n + 1) * 1_000])
        for n in range(3)
    ]
    few = library.store(tenant, ["few 0", "few 1"], -known[:2])
    settle()
    query = known[5]
    assert set(nearest(tenant, query, doc_ids=(few,))) == {"few 0", "few 1"}
    found = nearest(tenant, query, 50, doc_ids=tuple(docs[1:]))
    own = known[1_000:]
    expected = [f"t {1 + i // 1000} {i % 1000}" for i in np.argsort(-(own @ query))[:50]]
    assert len(set(found) & set(expected)) >= 48
    # An assistant that has few of the tenant's chunks: the index scan ends before it has them all.
    admin.execute("UPDATE document_chunks SET assistant_key = 'cook' WHERE tenant_id = %s", (tenant,))
    admin.execute("UPDATE document_chunks SET assistant_key = 'florist' WHERE doc_id = %s", (few,))
    with tenant_session(tenant) as session:
        found = search.nearest(session, tenant, query, MODEL, CALIBRATION, 10, "florist")
    assert {passage.text for passage in found} == {"few 0", "few 1"}


def test_an_index_whose_builder_died_is_made_again(library, tenant: UUID, settle, admin: psycopg.Connection) -> None:
    library.store(tenant, [f"t {i}" for i in range(300)], vectors(300))
    [name] = settle().made
    admin.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", (name,))
    query = vectors(1, seed=8)[0]
    exact = nearest(tenant, query)
    settled = settle()
    assert (settled.dropped, settled.made) == ((name,), (name,))
    assert indexes(admin) == {name: True}
    assert nearest(tenant, query) == exact


def test_while_another_process_builds_nothing_is_touched(
    library, tenant: UUID, settle, admin: psycopg.Connection
) -> None:
    library.store(tenant, [f"t {i}" for i in range(300)], vectors(300))
    admin.execute("SELECT pg_advisory_lock(%s)", (promotion.ONE_AT_A_TIME,))
    try:
        assert settle() == promotion.Settled()
    finally:
        admin.execute("SELECT pg_advisory_unlock(%s)", (promotion.ONE_AT_A_TIME,))
    assert len(settle().made) == 1


def test_documents_are_stored_while_the_index_is_built(
    library, tenant: UUID, settle, admin: psycopg.Connection, servers: tuple[str, str, str]
) -> None:
    """A build waits for who reads from before; meanwhile the tenant's documents are stored and found."""
    library.store(tenant, [f"t {i}" for i in range(300)], vectors(300))
    url = servers[0].rpartition("/")[0] + "/aura"
    with psycopg.connect(url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT count(*) FROM document_chunks")
        building = threading.Thread(target=settle)
        building.start()
        while not admin.execute(
            "SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'"
        ).fetchall():
            assert building.is_alive()
        library.store(tenant, ["the newest"], vectors(1, seed=77))
        assert nearest(tenant, vectors(1, seed=77)[0], 1) == ["the newest"]
        reader.rollback()
    building.join(300)
    assert list(indexes(admin).values()) == [True]
    assert nearest(tenant, vectors(1, seed=77)[0], 1) == ["the newest"]


def test_the_app_can_not_index_and_the_indexer_sees_no_rows(library, tenant: UUID, index_url: str) -> None:
    library.store(tenant, ["the secret canary sings"])
    with pytest.raises(ProgrammingError, match="must be owner"), tenant_session(tenant) as session:
        session.execute(text("CREATE INDEX spy ON document_chunks_0 (chunk_id)"))
    with psycopg.connect(index_url, autocommit=True) as indexer:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            indexer.execute("SELECT FROM document_chunks")
        indexer.execute("SET ROLE aura_owner")
        assert indexer.execute("SELECT count(*) FROM document_chunks").fetchone() == (0,)
        flags = indexer.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = session_user"
        ).fetchone()
        assert flags == (False, False, False, False)


def test_the_reference_call_works_with_four_arguments(library, tenant: UUID, settle) -> None:
    known = vectors(300)
    library.store(tenant, [f"t {i}" for i in range(300)], known)
    written = "[" + ",".join(map(str, known[7])) + "]"
    call = text("SELECT chunk_text, similarity FROM match_document_chunks(CAST(:q AS halfvec), 0.9, 3, :t)")
    for _ in range(2):
        with tenant_session(tenant) as session:
            rows = session.execute(call, {"q": written, "t": tenant}).all()
        assert rows[0].chunk_text == "t 7"
        assert all(row.similarity > 0.9 for row in rows)
        settle()


def test_models_of_several_widths_do_not_disturb_the_reference_call(
    library, tenant: UUID, admin: psycopg.Connection
) -> None:
    library.store(tenant, ["sixteen wide"], vectors(1))
    doc_id = library.store(tenant, ["eight wide"])
    admin.execute("UPDATE document_chunks SET embedding_model = 'other' WHERE doc_id = %s", (doc_id,))
    admin.execute("UPDATE corpus_models SET chunks = 1 WHERE tenant_id = %s", (tenant,))
    admin.execute("INSERT INTO corpus_models VALUES (%s, 'other', 1)", (tenant,))
    call = text("SELECT chunk_text FROM match_document_chunks(CAST('[1,0,0,0,0,0,0,0]' AS halfvec), -1, 5, :t)")
    with tenant_session(tenant) as session:
        assert session.scalars(call, {"t": tenant}).all() == ["eight wide"]


def test_quotes_and_percents_in_a_models_name_are_only_text(
    library, tenant: UUID, admin: psycopg.Connection, settle
) -> None:
    name = 'it\'s a 100% %s %1$s "model"'
    library.store(tenant, [f"t {i}" for i in range(300)], vectors(300))
    admin.execute("UPDATE document_chunks SET embedding_model = %s WHERE tenant_id = %s", (name, tenant))
    admin.execute("UPDATE corpus_models SET embedding_model = %s WHERE tenant_id = %s", (name, tenant))
    assert len(settle().made) == 1
    with tenant_session(tenant) as session:
        found = search.nearest(session, tenant, vectors(300)[3], name, CALIBRATION, 1)
    assert [passage.text for passage in found] == ["t 3"]
