"""A re-index leaves no gap: whatever happens on the way, a version answers."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from deploy.ephemeral import wait_until
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange
from tests.integration.reindex.stacks import Embedders, Stack, embeds, gadget, original
from workers.steps.step import INLINE_BYTES

pytestmark = pytest.mark.timeout(900)
"""Whole processes are started: seconds where the machine is idle, minutes where it is not."""

Rows = Callable[..., list[tuple[Any, ...]]]


def test_a_failed_reindex_leaves_the_version_before_and_says_why(stack: Stack, counted: Embedders) -> None:
    sentences = " ".join(f"Sentence {n} tells of the {n}th thing on the shelf." for n in range(60))
    [doc_id] = stack.upload([gadget(31, sentences)])
    before = stack.chunks(doc_id)
    counted.asked.clear()
    counted.reply = fakes.failure(401)
    # What is known already is not asked for: nothing can fail.
    stack.client.post(f"/api/documents/{doc_id}/reindex", json={"reread": True})
    assert stack.finished(doc_id)["status"] == "processed"
    assert counted.requests() == []
    stack.client.post(f"/api/documents/{doc_id}/reindex", json={"chunk_tokens": 256, "chunk_overlap": 0})
    failed = stack.finished(doc_id)
    assert (failed["status"], failed["code"], failed["searchable"]) == ("failed", "not_offered", True)
    assert [chunk["text"] for chunk in stack.chunks(doc_id)] == [chunk["text"] for chunk in before]
    assert [version["state"] for version in stack.versions(doc_id)] == ["ended", "answering", "replaced"]

    # Tried again while the embedder is slow, and cancelled: it still answers.
    going_on = threading.Event()

    def slow(exchange: Exchange) -> None:
        going_on.wait(150)
        embeds(exchange)

    counted.reply = slow
    counted.asked.clear()
    assert stack.client.post(f"/api/jobs/{doc_id}/retry").status_code == 200
    wait_until(lambda: bool(counted.requests()), 150, "it is embedded")
    cancelled = stack.client.delete(f"/api/jobs/{doc_id}").json()["result"]
    going_on.set()
    assert (cancelled["status"], cancelled["searchable"]) == ("processed", True)
    assert [chunk["text"] for chunk in stack.chunks(doc_id)] == [chunk["text"] for chunk in before]

    # And once more: now it is cut to the sizes that were asked for, without being read again.
    accepted = stack.client.post(f"/api/documents/{doc_id}/reindex", json={"chunk_tokens": 256, "chunk_overlap": 0})
    assert accepted.status_code == 202, accepted.text
    assert accepted.headers["Location"] == f"/api/jobs/{doc_id}"
    assert stack.finished(doc_id)["status"] == "processed"
    after = stack.chunks(doc_id)
    assert len(after) > len(before)
    assert max(chunk["token_count"] for chunk in after) <= 256
    newest = stack.versions(doc_id)[0]
    assert (newest["state"], newest["chunk_tokens"], newest["from_version"]) == ("answering", 256, 2)


def test_only_what_is_stale_is_made_again(stack: Stack, counted: Embedders, rows: Rows) -> None:
    long = " ".join(f"Sentence {n} tells of the {n}th thing." for n in range(60))
    stale, current = stack.upload([gadget(32, long), gadget(33)])
    stack.client.post(f"/api/documents/{stale}/reindex", json={"chunk_tokens": 300})
    stack.finished(stale)
    rows("UPDATE document_versions SET embedding_model = 'model-z' WHERE doc_id = %s RETURNING 1", current)
    counted.asked.clear()
    made = stack.client.post("/api/documents/reindex", json={"stale": True}).json()
    stack.finished(made["job_id"])
    of_batch = {row[0] for row in rows("SELECT doc_id::text FROM batch_items WHERE batch_id = %s", made["job_id"])}
    assert {stale, current} <= of_batch
    assert stack.versions(stale)[0]["chunk_tokens"] == 500
    again = stack.client.post("/api/documents/reindex", json={"stale": True}).json()
    assert again["documents"] == 0
    assert stack.finished(again["job_id"])["totals"]["total"] == 0


def test_a_reindex_of_a_long_file_takes_what_was_extracted_from_the_object_store(
    stack: Stack, counted: Embedders, rows: Rows
) -> None:
    words = " ".join(f"Sentence {n} of gadget{n % 50} tells of the {n}th thing {uuid4()}." for n in range(3200))
    assert len(words) > INLINE_BYTES
    [doc_id] = stack.upload([gadget(34, words)])
    folder = original(doc_id).parent

    def kept() -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    wait_until(lambda: kept() == {"original", "v1/extract-0"}, 150, f"the steps are tidied up: {kept()}")
    original(doc_id).write_bytes(b"gone")  # Whoever read it again would find nothing of the text.
    for version in (2, 3):
        stack.client.post(f"/api/documents/{doc_id}/reindex", json={"chunk_tokens": 200 + version * 100})
        assert stack.finished(doc_id)["status"] == "processed"
        wait_until(lambda: kept() == {"original", f"v{version}/extract-0"}, 150, f"only version {version} is kept")  # noqa: B023
        steps = rows("SELECT version, stage, artefact FROM document_stages WHERE doc_id = %s ORDER BY 2", doc_id)
        assert {row[0] for row in steps} == {version}
    texts = rows("SELECT chunk_text FROM document_chunks WHERE doc_id = %s", doc_id)
    assert any("3199th thing" in text for (text,) in texts)


def test_what_was_heard_is_not_listened_to_again(stack: Stack, counted: Embedders, rows: Rows) -> None:
    [doc_id] = stack.upload([gadget(35)])
    before = stack.chunks(doc_id)[0]["text"]
    # As the steps of a recording leave it: a plan of its pieces, and what was heard in them.
    rows(
        "INSERT INTO document_stages (tenant_id, doc_id, version, stage, part, status, payload)"
        " SELECT tenant_id, doc_id, version, 'listen', 0, status, payload FROM document_stages"
        " WHERE doc_id = %s AND stage = 'extract' RETURNING 1",
        doc_id,
    )
    plan = "UPDATE document_stages SET payload = '[[0.0, 4.0]]' WHERE doc_id = %s AND stage = 'extract' RETURNING 1"
    rows(plan, doc_id)
    original(doc_id).write_bytes(b"gone")
    for _ in range(2):
        stack.client.post(f"/api/documents/{doc_id}/reindex", json={})
        assert stack.finished(doc_id)["status"] == "processed"
        assert stack.chunks(doc_id)[0]["text"] == before
