"""Every part takes effect once, however often it is started."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg

from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.ingest import setbacks, stages
from pipelines.stores.ingest.parts import Claim, Made, Part, Span, StageRef
from pipelines.stores.knowledge import documents
from schemas.errors.files import Damaged
from schemas.errors.providers import ProviderUnavailable
from schemas.tables.knowledge import Stage, Status


def claim(ref: StageRef, lease_s: float = 60) -> Claim | None:
    with tenant_session(ref.tenant_id) as session:
        found = stages.claim(session, [ref], lease_s).ours
    return found[0] if found else None


def finish(claimed: Claim, payload: bytes) -> list[Part] | None:
    """Return what follows; None where the part was no longer ours."""
    with tenant_session(claimed.ref.tenant_id) as session:
        kept = stages.complete(session, [Made(claimed, payload=payload, following=Stage.CHUNK)])
        return stages.follow(session, kept, {}) if kept else None


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
    assert finish(late, b"late") is None
    with tenant_session(extract_ref.tenant_id) as session:
        assert not stages.renew(session, [late], 60, {})
    following = finish(prompt, b"prompt")
    assert following is not None
    assert [part.ref.stage for part in following] == [Stage.CHUNK]
    with tenant_session(extract_ref.tenant_id) as session:
        kept = stages.artefacts(session, [extract_ref], Stage.EXTRACT)
    assert kept == {extract_ref.doc_id: [("", b"prompt")]}


def test_of_parts_that_finish_at_once_one_starts_the_next_stage(extract_ref: StageRef) -> None:
    planner = claim(extract_ref)
    assert planner
    with tenant_session(extract_ref.tenant_id) as session:
        parts = stages.split(session, planner, [Span(i, i + 1) for i in range(8)])
    assert parts is not None

    def read(part: Part) -> list[Part] | None:
        claimed = claim(part.ref)
        assert claimed
        return finish(claimed, b"part-%d" % part.ref.part)

    with ThreadPoolExecutor(8) as pool:
        followed = [following for following in pool.map(read, parts) if following]
    assert len(followed) == 1
    with tenant_session(extract_ref.tenant_id) as session:
        kept = stages.artefacts(session, [extract_ref], Stage.EXTRACT)[extract_ref.doc_id]
        assert kept == [("", b"part-%d" % i) for i in range(8)]
        assert stages.progress_of(session, [extract_ref]) == {extract_ref.doc_id: (8, 8)}


def test_of_a_bundle_only_what_is_still_ours_takes_effect(admin: psycopg.Connection, library, tenant: UUID) -> None:
    library.accept_many(tenant, 10)
    refs = [part.ref for part in library.admit() if part.ref.tenant_id == tenant]
    with tenant_session(tenant) as session:
        claims = stages.claim(session, refs, 60).ours
    assert [ours.ref for ours in claims] == refs
    for ref in refs[:3]:
        expire(admin, ref)
        assert claim(ref)
    with tenant_session(tenant) as session:
        made = [Made(ours, payload=b"x", following=Stage.CHUNK) for ours in claims]
        kept = stages.complete(session, made)
        following = stages.follow(session, kept, dict.fromkeys([ref.doc_id for ref in refs], 1))
    assert {one.claim.ref for one in kept} == set(refs[3:])
    assert {part.ref.doc_id for part in following} == {ref.doc_id for ref in refs[3:]}
    assert all(part.small for part in following)


def test_a_part_that_kills_its_worker_runs_three_times(admin: psycopg.Connection, extract_ref: StageRef) -> None:
    for _ in range(3):
        assert claim(extract_ref)
        expire(admin, extract_ref)
    with tenant_session(extract_ref.tenant_id) as session:
        found = stages.claim(session, [extract_ref], 60)
    assert (found.ours, found.spent) == ([], [extract_ref])


def test_the_sweep_finds_work_whose_worker_died(admin: psycopg.Connection, extract_ref: StageRef) -> None:
    assert claim(extract_ref)
    assert extract_ref not in [part.ref for part in due()]
    expire(admin, extract_ref)
    assert extract_ref not in [part.ref for part in due()]  # Enqueued just now: its message may be on the way.
    admin.execute(
        "UPDATE document_stages SET enqueued_at = now() - interval '1 h' WHERE doc_id = %s", (extract_ref.doc_id,)
    )
    (found,) = [part for part in due() if part.ref == extract_ref]
    assert found.alone  # It may be what stopped its worker.
    assert extract_ref not in [part.ref for part in due()]


def due() -> list[Part]:
    with operator_session() as session:
        return documents.take_due(session, ["extract", "express"])


def test_waiting_for_a_provider_is_no_attempt(admin: psycopg.Connection, extract_ref: StageRef) -> None:
    claimed = claim(extract_ref)
    assert claimed
    with tenant_session(extract_ref.tenant_id) as session:
        assert setbacks.defer(session, claimed, ProviderUnavailable(retry_after_s=30))
        assert documents.get(session, extract_ref.doc_id).error_code == "provider_unavailable"
    assert claim(extract_ref) is None
    admin.execute("UPDATE document_stages SET due_at = now() WHERE doc_id = %s", (extract_ref.doc_id,))
    again = claim(extract_ref)
    assert again is not None
    assert again.attempts == 1


def test_a_failed_document_says_why_and_starts_anew_when_uploaded_again(extract_ref: StageRef, library) -> None:
    assert claim(extract_ref)
    with tenant_session(extract_ref.tenant_id) as session:
        assert setbacks.fail(session, extract_ref, Damaged())
        failed = documents.get(session, extract_ref.doc_id)
        assert (failed.processing_status, failed.error_code) == (Status.FAILED, "damaged")
        content = failed.content_sha256
    assert claim(extract_ref) is None
    assert library.accept(extract_ref.tenant_id, content) == extract_ref.doc_id
    again = [part.ref for part in library.admit() if part.ref.doc_id == extract_ref.doc_id]
    assert [ref.version for ref in again] == [extract_ref.version + 1]


def test_deleting_a_document_ends_its_work(extract_ref: StageRef) -> None:
    claimed = claim(extract_ref)
    assert claimed
    with tenant_session(extract_ref.tenant_id) as session:
        documents.remove(session, extract_ref.doc_id)
    assert finish(claimed, b"x") is None


def test_the_same_bytes_sent_at_once_are_one_document(library, tenant: UUID) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: library.accept(tenant, "same"), range(8)))
    assert len(ids) == 1
