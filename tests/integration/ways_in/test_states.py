"""Where a document stands explains itself: how many are before it, who works on it, why it waits or failed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from api import jobs
from pipelines.stores.redis import get_redis
from schemas.errors.tree import AuraError
from tests.integration.people import Person, code
from tests.integration.ways_in.conftest import Sender, words


@pytest.fixture
def live(servers: object) -> Callable[..., None]:
    """Return what says that these queues have a worker."""

    def say(*queues: str) -> None:
        for queue in queues:
            get_redis().set(f"aura:worker:{queue}:{queue}@test", "{}", ex=15)

    return say


@pytest.fixture(autouse=True)
def nobody_works(servers: object) -> None:
    for key in get_redis().scan_iter(match="aura:worker:*"):
        get_redis().delete(key)


def alone(sender: Sender, **fields: str) -> str:
    """Send one file and return its document's id."""
    return str(sender.send(words(1), "file", **fields).get_json()["job_id"])


def view(sender: Sender, doc_id: str) -> Any:
    found = sender.get(f"/api/documents/{doc_id}")
    assert sender.job(doc_id)["result"] == found
    [listed] = [each for each in sender.get("/api/documents?limit=200")["documents"] if each["id"] == doc_id]
    assert listed == found
    return found


def begun(sender: Sender, doc_id: str) -> None:
    """Admit the tenant's documents; other tenants' are left to their tests."""
    sender.rows("SELECT count(*) FROM admit_documents(100000, 10000, 100, 1000)")
    assert view(sender, doc_id)["status"] == "running"


def test_what_is_queued_says_what_it_waits_for(sender: Sender, live: Callable[..., None]) -> None:
    first, second = alone(sender), alone(sender)
    assert view(sender, second)["waiting_for"] == "a worker: none is running for `upkeep`"
    live("upkeep")
    assert (view(sender, first)["position"], view(sender, first)["waiting_for"]) == (0, "its turn")
    found = view(sender, second)
    assert (found["position"], found["waiting_for"]) == (1, "its turn: 1 of your documents are before it")


def test_the_position_follows_priorities_and_the_turns_of_lanes(sender: Sender) -> None:
    sender.send(words(5))  # A batch: its turn comes as often as that of what came alone.
    first, second, third = alone(sender), alone(sender), alone(sender, priority="5")
    assert [view(sender, doc_id)["position"] for doc_id in (third, first, second)] == [0, 1, 3]
    paused = sender.get("/api/batches")["batches"][0]["id"]
    sender.post(f"/api/jobs/{paused}/pause")
    assert [view(sender, doc_id)["position"] for doc_id in (third, first, second)] == [0, 1, 2]


def test_what_runs_says_how_far_it_is_and_who_works_on_it(sender: Sender, live: Callable[..., None]) -> None:
    doc_id = alone(sender)
    begun(sender, doc_id)
    waiting = view(sender, doc_id)
    queue = sender.rows("SELECT queue FROM document_stages WHERE doc_id = %s", doc_id)[0][0]
    assert waiting["waiting_for"] == f"a worker: none is running for `{queue}`"
    live(queue)
    assert view(sender, doc_id)["waiting_for"] == f"a free worker for `{queue}`"
    sender.rows(
        "UPDATE document_stages SET status = 'running', span_from = 0, span_to = 10, done = 4, attempts = 2,"
        " worker = 'extract@here', lease_until = now() + interval '1 minute' WHERE doc_id = %s RETURNING 1", doc_id,
    )  # fmt: skip
    sender.rows(
        "INSERT INTO document_stages (tenant_id, doc_id, version, stage, part, span_from, span_to, status, queue)"
        " SELECT tenant_id, doc_id, version, stage, 1, 10, 15, 'processed', queue FROM document_stages"
        " WHERE doc_id = %s RETURNING 1", doc_id,
    )  # fmt: skip
    found = view(sender, doc_id)
    assert (found["stage"], found["done"], found["total"]) == ("extract", 9, 15)
    assert (found["worker"], found["attempts"], found["waiting_for"]) == ("extract@here", 2, None)
    assert found["started_at"] is not None


def test_what_is_put_off_says_until_when_and_why(sender: Sender, live: Callable[..., None]) -> None:
    doc_id = alone(sender)
    begun(sender, doc_id)
    sender.rows(
        "UPDATE document_stages SET status = 'queued', due_at = now() + interval '40 s' WHERE doc_id = %s RETURNING 1",
        doc_id,
    )
    sender.set_documents(
        "doc_id = %s", doc_id, error_code="provider_unavailable", error_detail="The provider did not answer."
    )
    found = view(sender, doc_id)
    assert found["waiting_for"].startswith("The provider did not answer. It is tried again at ")
    assert (found["code"], found["remedy"]) == ("provider_unavailable", None)


CODES = ["damaged", "encrypted", "wrong_password", "no_text", "unpacks_too_large", "too_many_attempts", "not_offered",
         "provider_unavailable", "quota_exceeded", "budget_exceeded", "cancelled", "unsealable", "no_speech",
         "audio_too_long", "undecodable_audio", "unsupported_type", "type_mismatch", "empty_file", "file_too_large",
         "address_refused", "host_unknown", "bad_status", "remote_timeout", "unreachable", "answer_too_long",
         "nested_archive", "unsafe_entry", "too_many_documents", "too_many_files", "store_unavailable"]  # fmt: skip


@pytest.mark.parametrize("failure", CODES)
def test_every_code_a_file_can_fail_with_says_what_to_do(failure: str) -> None:
    error = AuraError.by_code(failure)
    assert error.code == failure
    assert error.remedy.endswith(".")
    assert error.remedy not in error.detail


def test_what_failed_says_why_and_what_to_do(sender: Sender) -> None:
    doc_id = alone(sender)
    sender.set_documents("true", processing_status="failed", error_code="encrypted", error_detail="It is protected.")
    found = view(sender, doc_id)
    assert (found["code"], found["detail"], found["retryable"]) == ("encrypted", "It is protected.", False)
    assert "password" in found["remedy"]
    assert found["searchable"] is False
    sender.set_documents("true", version=1)
    assert view(sender, doc_id)["searchable"] is True


def test_the_stream_and_the_view_say_the_same_of_an_end(sender: Sender) -> None:
    for status, name in (
        ("processed", "document.processed"),
        ("failed", "document.failed"),
        ("cancelled", "document.failed"),
    ):
        doc_id = alone(sender)
        sender.set_documents(
            "doc_id = %s", doc_id, processing_status=status, error_code=None if status == "processed" else "cancelled"
        )
        last = jobs._last_event(_Asking(sender), UUID(doc_id))  # type: ignore[arg-type]
        found = view(sender, doc_id)
        assert last is not None
        assert (last.name, last.data.get("code"), last.data["doc_id"]) == (name, found["code"], doc_id)


class _Asking:
    def __init__(self, sender: Sender) -> None:
        self.tenant_id = sender.tenant_id


def test_listings_are_filtered(sender: Sender) -> None:
    batch = sender.send(words(3)).get_json()["job_id"]
    alone(sender)
    sender.set_documents("filename = 'note-00001.txt'", processing_status="failed", error_code="damaged")
    names = {
        query: [each["filename"] for each in sender.get(f"/api/documents?{query}")["documents"]]
        for query in ("status=failed", "code=damaged", "code=encrypted", f"batch_id={batch}", "q=00001", "q=_0000%25",
                      "assistant_key=nobody", "q=NOTE-00002&status=queued")
    }  # fmt: skip
    assert names["status=failed"] == names["code=damaged"] == names["q=00001"] == ["note-00001.txt"]
    assert names["code=encrypted"] == names["q=_0000%25"] == names["assistant_key=nobody"] == []
    assert len(names[f"batch_id={batch}"]) == 3
    assert names["q=NOTE-00002&status=queued"] == ["note-00002.txt"]


def test_a_listing_asks_the_database_no_more_for_many_than_for_few(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import event

    from pipelines.stores.database import get_engine

    sender.send(words(60))
    asked: list[str] = []
    event.listen(get_engine(), "before_cursor_execute", lambda c, cu, statement, *_: asked.append(statement))
    counts = []
    for limit in (2, 50):
        sender.get("/api/documents?limit=1")  # Whoever asks is trusted from here on, for two seconds.
        asked.clear()
        sender.get(f"/api/documents?limit={limit}")
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_what_failed_for_good_is_listed_by_code_and_tried_again(sender: Sender) -> None:
    job = sender.send(words(5)).get_json()["job_id"]
    for number, failure in enumerate(["damaged", "damaged", "provider_unavailable"]):
        sender.set_documents(
            "filename = %s",
            f"note-{number:05d}.txt",
            processing_status="failed",
            error_code=failure,
            error_detail="So.",
        )
    letters = sender.get("/api/documents/dead-letters?limit=2")
    assert letters["by_code"] == {"damaged": 2, "provider_unavailable": 1}
    rest = sender.get(f"/api/documents/dead-letters?limit=2&after={letters['next']}")
    assert len(letters["documents"]) == 2 and len(rest["documents"]) == 1
    [retryable] = sender.get("/api/documents/dead-letters?code=provider_unavailable")["documents"]
    assert (retryable["retryable"], retryable["batch_id"], retryable["detail"]) == (True, job, "So.")
    answer = sender.post("/api/documents/dead-letters/replay", 202, code="damaged")
    assert answer["total"] == 2
    assert sender.totals(answer["job_id"]) == {"total": 2, "queued": 2}
    assert sender.get("/api/documents/dead-letters")["by_code"] == {"provider_unavailable": 1}
    assert sender.post("/api/documents/dead-letters/replay", 202, ids=[retryable["id"]])["total"] == 1
    assert code(sender.person.post("/api/documents/dead-letters/replay", json={})) == (409, "not_ready")
    acts = sender.rows(
        "SELECT count(*) FROM audit_log WHERE tenant_id = %s AND action = 'documents.replayed'", sender.tenant_id
    )
    assert acts == [(2,)]


def test_the_dead_letters_of_another_are_not_seen_nor_tried(new_sender: Callable[[], Sender]) -> None:
    owner, other = new_sender(), new_sender()
    doc_id = alone(owner)
    owner.set_documents("true", processing_status="failed", error_code="damaged")
    assert other.get("/api/documents/dead-letters") == {"by_code": {}, "documents": [], "next": None}
    assert code(other.person.post("/api/documents/dead-letters/replay", json={"ids": [doc_id]})) == (409, "not_ready")
    assert view(owner, doc_id)["status"] == "failed"


def test_a_user_may_cancel_and_retry_their_own_documents_only(sender: Sender, joined: Callable[..., Person]) -> None:
    bob = joined(sender.person)
    doc_id = alone(sender)
    assert code(bob.request("DELETE", f"/api/jobs/{doc_id}")) == (403, "forbidden")
    assert code(bob.post(f"/api/jobs/{doc_id}/retry")) == (403, "forbidden")
