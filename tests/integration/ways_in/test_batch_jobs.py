"""A batch as a job: its totals are true at every moment, it can be stopped and started, and it ends once."""

import time
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest

from pipelines.stores import events
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import batches
from pipelines.stores.redis import get_redis
from schemas.events import Subject
from tests.integration.people import code
from tests.integration.ways_in.conftest import Sender, words
from workers.documents import batches as telling


def told(sender: Sender, batch_id: str) -> list[str]:
    """Return the names of the events of a batch, in order."""
    found = events.replay(get_redis(), Subject.batch(sender.tenant_id, UUID(batch_id)))
    return [event.name for event in found]


def begin(sender: Sender, count: int) -> str:
    """Send a batch and return its job's id."""
    return str(sender.send(words(count)).get_json()["job_id"])


@pytest.fixture
def look_again(admin: psycopg.Connection, sender: Sender) -> Callable[[], None]:
    """Return what makes the sender's batches due to be told of, and tells."""

    def look() -> None:
        # Only theirs: a hundred are looked at at a time, and other tests may have left more than that.
        admin.execute(
            "UPDATE batches SET told_at = CASE WHEN tenant_id <> %s THEN now() END WHERE finished_at IS NULL",
            (sender.tenant_id,),
        )
        telling.tell_progress()

    return look


def test_totals_say_where_every_file_is(sender: Sender) -> None:
    job = begin(sender, 6)
    states = ["running", "processed", "failed", "cancelled"]
    for number, state in enumerate(states):
        sender.set_documents("filename = %s", f"note-{number:05d}.txt", processing_status=state, chunks_count=2)
    doomed = sender.items(job)[5]["document_id"]
    sender.person.request("DELETE", f"/api/documents/{doomed}")
    expected = {"total": 6, "queued": 1, "running": 1, "processed": 1, "failed": 1, "cancelled": 1, "deleted": 1}
    assert sender.totals(job) == expected
    view = sender.job(job)["result"]
    assert view == sender.get(f"/api/batches/{job}")
    assert (view["chunks"], view["bytes"] > 0) == (8, True)
    for state in [*states, "queued", "deleted"]:
        assert [item["status"] for item in sender.items(job, f"status={state}")] == [state]


def test_items_come_in_pages_that_join(sender: Sender) -> None:
    job = begin(sender, 7)
    seen: list[int] = []
    after = ""
    while True:
        page = sender.get(f"/api/batches/{job}/documents?limit=3{after}")
        seen += [item["item"] for item in page["documents"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == list(range(7))


def test_the_remaining_time_is_what_is_left_over_the_speed_of_the_last_minute(sender: Sender) -> None:
    job = begin(sender, 100)
    assert sender.job(job)["result"]["remaining_unknown"] == "none of its documents was finished in the last minute"
    sender.rows(
        "UPDATE documents SET processing_status = 'processed', version = 1, started_at = now() - interval '10 s',"
        " processed_at = now() WHERE batch_id = %s AND filename < 'note-00040' RETURNING 1",
        job,
    )
    view = sender.job(job)["result"]
    # Later than ten seconds after they were begun, where the machine is busy.
    assert 0.5 < view["documents_per_s"] <= 4.1
    assert view["remaining_s"] * view["documents_per_s"] == pytest.approx(60, rel=0.1)
    sender.rows("UPDATE documents SET processed_at = now() - interval '61 s' WHERE batch_id = %s RETURNING 1", job)
    assert sender.job(job)["result"]["remaining_s"] is None


def test_a_paused_batch_says_so_and_goes_on_when_resumed(sender: Sender) -> None:
    job = begin(sender, 2)
    assert sender.post(f"/api/jobs/{job}/pause")["status"] == "paused"
    view = sender.job(job)["result"]
    assert (view["remaining_s"], view["remaining_unknown"]) == (None, "the batch is paused")
    one = sender.items(job)[0]["document_id"]
    assert sender.get(f"/api/documents/{one}")["waiting_for"] == "its batch, which is paused"
    assert (
        sender.rows("SELECT doc_id FROM admit_documents(10000, 10000, 100, 4) WHERE tenant_id = %s", sender.tenant_id)
        == []
    )
    assert sender.post(f"/api/jobs/{job}/resume")["status"] == "running"
    begun = sender.rows(
        "SELECT doc_id FROM admit_documents(10000, 10000, 100, 4) WHERE tenant_id = %s", sender.tenant_id
    )
    assert len(begun) == 2


def test_a_cancelled_batch_keeps_what_was_processed_and_takes_the_leases_of_the_rest(sender: Sender) -> None:
    job = begin(sender, 4)
    assert sender.rows("SELECT 1 FROM admit_documents(10000, 10000, 100, 4) WHERE tenant_id = %s", sender.tenant_id)
    sender.rows(
        "UPDATE document_stages SET status = 'running', lease_token = gen_random_uuid(),"
        " lease_until = now() + interval '1 minute' WHERE tenant_id = %s RETURNING 1",
        sender.tenant_id,
    )
    sender.set_documents("filename = %s", "note-00000.txt", processing_status="processed", version=1)
    sender.set_documents("filename = %s", "note-00001.txt", processing_status="queued")
    sender.set_documents("filename = %s", "note-00002.txt", version=1)
    answer = sender.person.request("DELETE", f"/api/jobs/{job}").get_json()
    assert (answer["status"], answer["finished"]) == ("cancelled", True)
    # The third was being indexed anew: it goes on answering.
    assert [item["status"] for item in sender.items(job)] == ["processed", "cancelled", "processed", "cancelled"]
    leases = sender.rows(
        "SELECT DISTINCT s.status FROM document_stages s JOIN documents d USING (tenant_id, doc_id)"
        " WHERE s.tenant_id = %s AND d.filename > 'note-00001.txt' AND s.lease_token IS NULL",
        sender.tenant_id,
    )
    assert leases == [("failed",)]
    assert code(sender.person.request("DELETE", f"/api/jobs/{job}")) == (409, "not_ready")
    assert told(sender, job)[-1] == "batch.cancelled"
    cancelled = sender.items(job, "status=cancelled")[0]
    assert cancelled["code"] == "cancelled" and cancelled["remedy"]


def test_retrying_queues_what_failed_or_was_cancelled_and_nothing_else(sender: Sender) -> None:
    job = begin(sender, 3)
    sender.set_documents("filename = %s", "note-00000.txt", processing_status="processed", version=1)
    sender.set_documents("filename = %s", "note-00001.txt", processing_status="failed", error_code="damaged")
    assert sender.person.request("DELETE", f"/api/jobs/{job}").status_code == 200
    assert sender.post(f"/api/jobs/{job}/retry")["status"] == "running"
    assert sender.totals(job) == {"total": 3, "processed": 1, "queued": 2}
    sender.set_documents("true", processing_status="processed", version=1)
    assert code(sender.person.post(f"/api/jobs/{job}/retry")) == (409, "not_ready")


def test_a_document_can_be_cancelled_and_retried_by_itself(sender: Sender) -> None:
    doc_id = sender.send(words(1), "file").get_json()["job_id"]
    answer = sender.person.request("DELETE", f"/api/jobs/{doc_id}").get_json()
    assert (answer["kind"], answer["status"], answer["finished"]) == ("document", "cancelled", True)
    assert answer["result"]["retryable"] and answer["result"]["remedy"]
    assert code(sender.person.request("DELETE", f"/api/jobs/{doc_id}")) == (409, "not_ready")
    assert sender.post(f"/api/jobs/{doc_id}/retry")["status"] == "queued"
    assert code(sender.person.post(f"/api/jobs/{doc_id}/retry")) == (409, "not_ready")


def test_a_batch_is_completed_once_by_whoever_ends_its_last_document(sender: Sender) -> None:
    job = begin(sender, 2)
    sender.set_documents("filename = %s", "note-00000.txt", processing_status="processed", version=1)
    telling.settle(sender.tenant_id, [UUID(job)])
    assert told(sender, job) == ["batch.accepted"]
    sender.set_documents("true", processing_status="failed", error_code="damaged")
    for _ in range(3):
        telling.settle(sender.tenant_id, [UUID(job), UUID(job)])
    assert told(sender, job) == ["batch.accepted", "batch.completed"]
    assert sender.job(job)["finished"]


def test_a_batch_waits_for_a_document_that_another_batch_has_in_work(sender: Sender) -> None:
    files = words(1)
    first = sender.send([*files, *words(1)]).get_json()["job_id"]
    sender.set_documents("filename = %s", files[0][0], processing_status="running")
    second = sender.send([*files, ("copy.txt", files[0][1])]).get_json()["job_id"]
    telling.settle(sender.tenant_id, [UUID(second)])
    assert sender.job(second)["status"] == "running"
    sender.set_documents("content_sha256 IS NOT NULL", processing_status="processed", version=1)
    telling.settle(sender.tenant_id, [UUID(second)])
    assert sender.job(second)["status"] == "completed"
    assert sender.job(first)["status"] == "running"


def test_progress_is_told_only_where_something_moved(sender: Sender, look_again: Callable[[], None]) -> None:
    job = begin(sender, 3)
    for _ in range(3):
        look_again()
    assert told(sender, job) == ["batch.accepted", "batch.progress"]
    sender.set_documents("filename = %s", "note-00000.txt", processing_status="processed", version=1)
    look_again()
    telling.tell_progress()
    assert told(sender, job) == ["batch.accepted", "batch.progress", "batch.progress"]
    sender.set_documents("true", processing_status="processed", version=1)
    look_again()
    look_again()
    assert told(sender, job)[-1] == "batch.completed"
    assert told(sender, job).count("batch.completed") == 1


def test_the_stream_of_a_batch_ends_with_its_last_event_as_the_rows_know_it(sender: Sender) -> None:
    job = begin(sender, 2)
    sender.set_documents("true", processing_status="processed", version=1, chunks_count=3)
    telling.settle(sender.tenant_id, [UUID(job)])
    for lost in (False, True):
        if lost:
            events.forget(get_redis(), Subject.batch(sender.tenant_id, UUID(job)))
        stream = sender.person.get(f"/api/jobs/{job}/events").get_data(as_text=True)
        assert "event: batch.completed" in stream
        assert '"processed":2' in stream.replace(" ", "") and '"chunks":6' in stream.replace(" ", "")


def test_what_is_tried_again_is_followed_past_the_end_of_the_time_before(sender: Sender) -> None:
    doc_id = sender.items(begin(sender, 2))[0]["document_id"]
    sender.person.request("DELETE", f"/api/jobs/{doc_id}")
    sender.person.post(f"/api/jobs/{doc_id}/retry")
    sender.set_documents("true", processing_status="processed", version=1)
    stream = sender.person.get(f"/api/jobs/{doc_id}/events").get_data(as_text=True)
    told = [line.removeprefix("event: ") for line in stream.splitlines() if line.startswith("event: document.")]
    assert told[-1] == "document.processed" and "document.failed" in told


@pytest.mark.parametrize("method", ["pause", "resume", "retry", "close"])
def test_the_batch_of_another_is_as_unknown_as_none(new_sender: Callable[[], Sender], method: str) -> None:
    owner, other = new_sender(), new_sender()
    job = begin(owner, 2)
    where = "batches" if method == "close" else "jobs"
    for unknown in (job, str(uuid4())):
        assert code(other.person.post(f"/api/{where}/{unknown}/{method}")) == (404, "not_found")
        assert code(other.person.get(f"/api/batches/{unknown}/documents")) == (404, "not_found")
        assert code(other.person.request("DELETE", f"/api/jobs/{unknown}")) == (404, "not_found")
    assert owner.job(job)["status"] == "running"


def test_ten_thousand_files_are_looked_at_quickly(sender: Sender) -> None:
    with tenant_session(sender.tenant_id) as session:
        job = begin(sender, 2)
        batch = batches.get(session, UUID(job))
    sender.rows(
        "WITH d AS (INSERT INTO documents (tenant_id, user_id, filename, file_type, file_size, content_sha256,"
        " batch_id, lane, units, processing_status) SELECT %s, 'u', 'f' || n || '.txt', 'txt', 10, 'h' || n, %s, %s, 1,"
        " CASE n %% 4 WHEN 0 THEN 'queued' ELSE 'processed' END FROM generate_series(1, 10000) n RETURNING doc_id)"
        " INSERT INTO batch_items (tenant_id, batch_id, item, filename, doc_id)"
        " SELECT %s, %s, 10 + row_number() OVER (), 'f', doc_id FROM d RETURNING 1",
        sender.tenant_id, batch.batch_id, batch.batch_id, sender.tenant_id, batch.batch_id,
    )  # fmt: skip
    paths = (
        f"/api/jobs/{job}",
        f"/api/batches/{job}/documents?limit=200",
        f"/api/batches/{job}/documents?limit=200&status=failed",
        "/api/documents?limit=200&status=queued",
        f"/api/documents/{sender.items(job)[0]['document_id']}",
        "/api/batches",
    )
    took = {path: min(_timed(sender, path) for _ in range(5)) for path in paths}
    # A thirtieth of this where nothing else runs on the machine.
    assert all(seconds < 3 for seconds in took.values()), took


def _timed(sender: Sender, path: str) -> float:
    started = time.perf_counter()
    sender.get(path)
    return time.perf_counter() - started
