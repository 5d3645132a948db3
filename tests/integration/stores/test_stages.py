"""Every part takes effect once, however often it is started."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from pipelines.stores import documents, stages
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.stages import Claim, Span, StageRef
from schemas.errors import Damaged, LeaseLost, ProviderUnavailable, TooManyAttempts
from schemas.knowledge import Stage, Status


def claim(ref: StageRef, lease_s: float = 60) -> Claim | None:
    with tenant_session(ref.tenant_id) as session:
        return stages.claim(session, ref, lease_s)


def expire(admin: psycopg.Connection, ref: StageRef) -> None:
    """Let the lease run out, as if its worker had died."""
    admin.execute("UPDATE document_stages SET lease_until = now() - interval '1 s' WHERE doc_id = %s", (ref.doc_id,))


def test_two_workers_never_hold_one_part(extract_ref: StageRef) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: claim(extract_ref), range(8)))
    assert sum(found is not None for found in claims) == 1


def test_a_late_worker_is_refused(admin: psycopg.Connection, extract_ref: StageRef) -> None:
    late = claim(extract_ref)
    expire(admin, extract_ref)
    prompt = claim(extract_ref)
    assert late and prompt
    with pytest.raises(LeaseLost), tenant_session(extract_ref.tenant_id) as session:
        stages.finish(session, late, "late", Stage.CHUNK)
    with tenant_session(extract_ref.tenant_id) as session:
        assert not stages.renew(session, late, 60)
        following = stages.finish(session, prompt, "prompt", Stage.CHUNK)
    assert [ref.stage for ref in following] == [Stage.CHUNK]


def test_of_parts_that_finish_at_once_one_starts_the_next_stage(extract_ref: StageRef) -> None:
    planner = claim(extract_ref)
    assert planner
    with tenant_session(extract_ref.tenant_id) as session:
        refs = stages.split(session, planner, [Span(i, i + 1) for i in range(8)])

    def finish(ref: StageRef) -> list[StageRef]:
        claimed = claim(ref)
        assert claimed
        with tenant_session(ref.tenant_id) as session:
            return stages.finish(session, claimed, f"part-{ref.part}", Stage.CHUNK)

    with ThreadPoolExecutor(8) as pool:
        followed = [following for following in pool.map(finish, refs) if following]
    assert len(followed) == 1
    with tenant_session(extract_ref.tenant_id) as session:
        assert stages.artefacts(session, extract_ref, Stage.EXTRACT) == [f"part-{i}" for i in range(8)]
        assert stages.done_of_total(session, extract_ref) == (8, 8)


def test_a_part_that_kills_its_worker_runs_three_times(admin: psycopg.Connection, extract_ref: StageRef) -> None:
    for _ in range(3):
        assert claim(extract_ref)
        expire(admin, extract_ref)
    with pytest.raises(TooManyAttempts):
        claim(extract_ref)


def test_the_sweep_finds_work_whose_worker_died(admin: psycopg.Connection, extract_ref: StageRef) -> None:
    assert claim(extract_ref)
    assert extract_ref not in due()
    expire(admin, extract_ref)
    assert extract_ref not in due()  # Enqueued a moment ago: its message may still be on the way.
    admin.execute(
        "UPDATE document_stages SET enqueued_at = now() - interval '1 h' WHERE doc_id = %s", (extract_ref.doc_id,)
    )
    assert extract_ref in due()
    assert extract_ref not in due()


def due() -> list[StageRef]:
    with operator_session() as session:
        return documents.take_due(session, ["extract"])


def test_waiting_for_a_provider_is_no_attempt(admin: psycopg.Connection, extract_ref: StageRef) -> None:
    claimed = claim(extract_ref)
    assert claimed
    with tenant_session(extract_ref.tenant_id) as session:
        assert stages.defer(session, claimed, ProviderUnavailable(retry_after_s=30))
        assert documents.get(session, extract_ref.doc_id).error_code == "provider_unavailable"
    assert claim(extract_ref) is None
    admin.execute("UPDATE document_stages SET due_at = now() WHERE doc_id = %s", (extract_ref.doc_id,))
    again = claim(extract_ref)
    assert again is not None
    assert again.attempts == 1


def test_a_failed_document_says_why_and_starts_anew_when_uploaded_again(extract_ref: StageRef, library) -> None:
    assert claim(extract_ref)
    with tenant_session(extract_ref.tenant_id) as session:
        assert stages.fail(session, extract_ref, Damaged())
        failed = documents.get(session, extract_ref.doc_id)
        assert (failed.processing_status, failed.error_code) == (Status.FAILED, "damaged")
        content = failed.content_sha256
    assert claim(extract_ref) is None
    assert library.accept(extract_ref.tenant_id, content) == extract_ref.doc_id
    again = [ref for ref in library.admit() if ref.doc_id == extract_ref.doc_id]
    assert [ref.version for ref in again] == [extract_ref.version + 1]


def test_deleting_a_document_ends_its_work(extract_ref: StageRef) -> None:
    claimed = claim(extract_ref)
    assert claimed
    with tenant_session(extract_ref.tenant_id) as session:
        documents.remove(session, extract_ref.doc_id)
    with pytest.raises(LeaseLost), tenant_session(extract_ref.tenant_id) as session:
        stages.finish(session, claimed, "x", Stage.CHUNK)


def test_a_big_tenant_does_not_keep_a_small_one_waiting(admin: psycopg.Connection, library, new_tenant) -> None:
    library.admit()
    running = admin.execute("SELECT count(*) FROM documents WHERE processing_status = 'running'").fetchone()
    big, small = new_tenant(), new_tenant()
    for _ in range(30):
        library.accept(big)
    single = library.accept(small)
    admitted = library.admit(in_flight=running[0] + 4, per_tenant=3)
    assert single in {ref.doc_id for ref in admitted}
    assert len(admitted) == 4


def test_the_same_bytes_sent_at_once_are_one_document(library, tenant: UUID) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: library.accept(tenant, "same"), range(8)))
    assert len(ids) == 1
