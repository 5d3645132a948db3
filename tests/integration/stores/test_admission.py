"""Who may begin: fair between tenants and between a tenant's batches, in whole bundles, and never too much."""

from collections import Counter
from uuid import UUID

import psycopg
import pytest

from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import batches
from pipelines.stores.ingest.parts import EXPRESS, Part
from schemas.tables.batches import BatchState, Source
from schemas.tables.knowledge import LARGE_UNITS

BUNDLE = 100


@pytest.fixture(autouse=True)
def nothing_in_work(admin: psycopg.Connection) -> None:
    """End what other tests have left: admission looks at all tenants."""
    admin.execute(
        "UPDATE documents SET processing_status = 'processed' WHERE processing_status IN ('queued', 'running')"
    )


def batch(tenant_id: UUID) -> UUID:
    with tenant_session(tenant_id) as session:
        return batches.begin(session, tenant_id, "tester", Source.FILES).batch_id


def of(parts: list[Part], tenant_id: UUID) -> list[UUID]:
    return [part.ref.doc_id for part in parts if part.ref.tenant_id == tenant_id]


def end(admin: psycopg.Connection, tenant_id: UUID, count: int) -> None:
    admin.execute(
        "UPDATE documents SET processing_status = 'processed', express = false WHERE (tenant_id, doc_id) IN (SELECT"
        " tenant_id, doc_id FROM documents WHERE tenant_id = %s AND processing_status = 'running' LIMIT %s)",
        (tenant_id, count),
    )


def test_a_big_tenant_does_not_keep_a_small_one_waiting(library, new_tenant) -> None:
    big, small = new_tenant(), new_tenant()
    library.accept_many(big, 2000)
    assert len(library.admit(1600, 400)) == 400
    assert library.admit(1600, 400) == []
    single = library.accept(small)
    assert of(library.admit(1600, 400), small) == [single]


def test_a_small_tenant_begins_at_once_also_where_others_have_all_places(library, new_tenant) -> None:
    for tenant_id in (crowd := [new_tenant() for _ in range(4)]):
        library.accept_many(tenant_id, 500)
    assert Counter(part.ref.tenant_id for part in library.admit(1600, 400)) == dict.fromkeys(crowd, 400)
    small = new_tenant()
    single = library.accept(small)
    (part,) = library.admit(1600, 400)
    assert (part.ref.doc_id, part.queue) == (single, EXPRESS)


def test_many_tenants_share_what_there_is(library, new_tenant) -> None:
    crowd = [new_tenant() for _ in range(16)]
    for tenant_id in crowd:
        library.accept_many(tenant_id, 150)
    shares = Counter(part.ref.tenant_id for part in library.admit(1600, 400))
    assert shares == dict.fromkeys(crowd, 100)


def test_small_documents_begin_in_whole_bundles(admin: psycopg.Connection, library, tenant: UUID) -> None:
    library.accept_many(tenant, 1000)
    assert len(library.admit(1600, 450)) == 400  # The rest of a bundle would be one of its own.
    end(admin, tenant, 30)
    assert library.admit(1600, 450) == []
    end(admin, tenant, 70)
    assert len(library.admit(1600, 450)) == BUNDLE


def test_the_last_ones_need_not_fill_a_bundle(library, tenant: UUID) -> None:
    library.accept_many(tenant, 130)
    assert len(library.admit(1600, 400)) == 130


def test_large_documents_count_as_much_as_a_bundle_of_some(library, tenant: UUID) -> None:
    library.accept_many(tenant, 100, file_size=5 << 20)
    parts = library.admit(1600, 400)
    assert len(parts) == 400 // LARGE_UNITS
    assert not any(part.small for part in parts)


def test_each_batch_of_a_tenant_has_its_turn(library, tenant: UUID) -> None:
    first, second = batch(tenant), batch(tenant)
    library.accept_many(tenant, 1000, batch_id=first)
    library.admit(1600, 400)
    late = library.accept_many(tenant, 5, batch_id=second)
    library.accept_many(tenant, 5)
    assert set(late) <= set(of(library.admit(1600, 1000), tenant))


def test_what_is_urgent_comes_first(library, tenant: UUID) -> None:
    library.accept_many(tenant, 500, batch_id=batch(tenant))
    urgent = library.accept_many(tenant, 100, batch_id=batch(tenant), priority=5)
    assert sorted(of(library.admit(1600, 100), tenant)) == sorted(urgent)


def test_a_paused_batch_waits_and_goes_on(library, tenant: UUID) -> None:
    paused = batch(tenant)
    held = library.accept_many(tenant, 20, batch_id=paused)
    with tenant_session(tenant) as session:
        assert batches.pause(session, paused).state == BatchState.PAUSED
    alone = library.accept(tenant)
    assert of(library.admit(), tenant) == [alone]
    with tenant_session(tenant) as session:
        batches.resume(session, paused)
    assert sorted(of(library.admit(), tenant)) == sorted(held)


def test_a_few_documents_of_an_idle_tenant_go_by_the_express_queue(library, tenant: UUID) -> None:
    library.accept_many(tenant, 3)
    assert {part.queue for part in library.admit()} == {EXPRESS}
    library.accept_many(tenant, 50)
    assert {part.queue for part in library.admit()} == {"extract"}


def test_the_express_queue_holds_few(library, new_tenant) -> None:
    for _ in range(10):
        library.accept(new_tenant())
    parts = library.admit()
    assert len(parts) == 10
    assert sum(part.queue == EXPRESS for part in parts) == 4
