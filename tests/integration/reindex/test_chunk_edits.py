"""An edited chunk answers with its new text, once it is embedded; no edit is lost, and BM25 stays exact."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from deploy.ephemeral import wait_until
from schemas.tables.base import DEFAULT_TENANT_ID
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange
from tests.integration.reindex.stacks import Embedders, Stack, embeds, gadget, widget

pytestmark = pytest.mark.timeout(900)
"""Whole processes are started: seconds where the machine is idle, minutes where it is not."""

Rows = Callable[..., list[tuple[Any, ...]]]
PARTS = "\n\n".join(f"# Part {n}\n\nPart {n} tells of a thing that is {n} years old." for n in range(5)).encode()


def uploaded(stack: Stack, name: str) -> str:
    [doc_id] = stack.upload([(name, PARTS + f"\n\n{uuid4()}".encode())])
    return doc_id


def place(doc_id: str, chunk: dict[str, Any]) -> str:
    return f"/api/documents/{doc_id}/chunks/{chunk['chunk_id']}"


def counts_are_exact(rows: Rows) -> bool:
    """Return whether what is counted of the chunks is what they are."""
    frequencies = (
        "SELECT lexeme, count(*) FROM document_chunks c, unnest(c.lexemes) l WHERE tenant_id = %s GROUP BY 1",
        "SELECT lexeme, chunks FROM term_frequencies WHERE tenant_id = %s AND chunks <> 0",
    )
    sizes = (
        "SELECT count(*), sum(lexeme_count) FROM document_chunks WHERE tenant_id = %s",
        "SELECT chunks, lexemes FROM corpus_sizes WHERE tenant_id = %s",
    )
    models = (
        "SELECT embedding_model, count(*) FROM document_chunks WHERE tenant_id = %s GROUP BY 1",
        "SELECT embedding_model, chunks FROM corpus_models WHERE tenant_id = %s AND chunks <> 0",
    )
    pairs = (frequencies, sizes, models)
    return all(sorted(rows(real, DEFAULT_TENANT_ID)) == sorted(rows(kept, DEFAULT_TENANT_ID)) for real, kept in pairs)


def test_an_edited_chunk_is_found_by_its_new_text_and_not_by_the_old_one(
    stack: Stack, counted: Embedders, rows: Rows
) -> None:
    doc_id = uploaded(stack, "edited.md")
    chunk = stack.chunks(doc_id)[2]
    [[knowledge]] = rows(
        "SELECT knowledge_version FROM tenants t JOIN documents d USING (tenant_id) WHERE doc_id = %s", doc_id
    )
    counted.asked.clear()
    body = {"text": "  The gadget41 weighs a quintal and a zwieback.  "}
    answer = stack.client.patch(place(doc_id, chunk), json=body, headers={"Prefer": "wait=200"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "applied"
    assert stack.client.get(answer.headers["Location"]).json() == answer.json()
    assert list(counted.texts()) == [f"edited > Part 2\n{body['text'].strip()}"] or len(counted.texts()) == 1

    now = stack.client.get(place(doc_id, chunk)).json()
    assert now["text"] == body["text"].strip()
    assert now["edited_at"]
    assert now["edit"]["id"] == answer.json()["id"]
    assert stack.chunks(doc_id)[2]["text"] == now["text"]
    assert now["token_count"] < 20
    assert stack.sources(widget(41))[0] == "edited.md"
    assert "edited.md" in stack.sources("zwieback quintal")
    [[lexemes]] = rows("SELECT lexemes::text FROM document_chunks WHERE chunk_id = %s", chunk["chunk_id"])
    assert "zwieback" in lexemes
    assert "year" not in lexemes
    assert counts_are_exact(rows)
    [[later]] = rows(
        "SELECT knowledge_version FROM tenants t JOIN documents d USING (tenant_id) WHERE doc_id = %s", doc_id
    )
    assert later == knowledge + 1


def test_of_edits_of_one_chunk_the_last_one_counts(stack: Stack, counted: Embedders, rows: Rows) -> None:
    doc_id = uploaded(stack, "often.md")
    chunk = stack.chunks(doc_id)[1]
    accepted: list[tuple[int, str]] = []
    start = threading.Barrier(8)

    def edit(number: int) -> None:
        start.wait()
        answer = stack.client.patch(place(doc_id, chunk), json={"text": f"Text of edit {number}."})
        accepted.append((answer.status_code, answer.json()["id"]))

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in accepted} == {202}

    def found() -> list[tuple[Any, ...]]:
        return rows("SELECT status, chunk_text FROM chunk_edits WHERE doc_id = %s ORDER BY created_at, status", doc_id)

    wait_until(lambda: not {"queued", "running"} & {row[0] for row in found()}, 150, "all edits have ended")
    assert sorted(status for status, _ in found()) == ["applied", *["superseded"] * 7]
    [last] = [text for status, text in found() if status == "applied"]
    [[newest]] = rows("SELECT chunk_text FROM chunk_edits WHERE doc_id = %s ORDER BY created_at DESC LIMIT 1", doc_id)
    assert last == newest == stack.chunks(doc_id)[1]["text"]
    assert counts_are_exact(rows)


def test_a_text_that_is_none_or_too_long_is_refused(stack: Stack, counted: Embedders) -> None:
    doc_id = uploaded(stack, "refusing.md")
    chunk = stack.chunks(doc_id)[0]
    for text in ("", "   ", "word " * 2001, "x" * 64_001, "a\x00b", "\ud800", 7, None):
        raw = b'{"text": "\\ud800"}' if text == "\ud800" else None
        sent = {"content": raw, "headers": {"Content-Type": "application/json"}} if raw else {"json": {"text": text}}
        answer = stack.client.patch(place(doc_id, chunk), **sent)  # type: ignore[arg-type]
        assert answer.status_code == 422, (text, answer.text)
    assert stack.client.patch(place(doc_id, chunk), json={"text": "word " * 1990}).status_code == 202


def test_what_is_not_there_is_not_found(stack: Stack, counted: Embedders) -> None:
    doc_id, other = uploaded(stack, "here.md"), uploaded(stack, "there.md")
    foreign = stack.chunks(other)[0]
    for path in (place(doc_id, foreign), place(doc_id, {"chunk_id": 2**62}), place(str(uuid4()), foreign)):
        for answer in (stack.client.get(path), stack.client.patch(path, json={"text": "no"})):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert stack.client.get(place(doc_id, {"chunk_id": 2**64})).status_code == 404
    for path in (f"/api/documents/{uuid4()}/versions", f"/api/documents/{doc_id}/edits/{uuid4()}"):
        assert stack.client.get(path).status_code == 404
    assert stack.client.post(f"/api/documents/{uuid4()}/reindex", json={}).status_code == 404
    for body in ({"ids": [doc_id, str(uuid4())]}, {"batch_id": str(uuid4())}):
        assert stack.client.post("/api/documents/reindex", json=body).status_code == 404
    for body in ({}, {"ids": []}, {"all": True, "stale": True}, {"all": False}, {"ids": [doc_id], "chunk_tokens": 10}):
        assert stack.client.post("/api/documents/reindex", json=body).status_code == 422


def test_an_edit_that_can_not_be_embedded_fails_with_the_reason(stack: Stack, counted: Embedders) -> None:
    doc_id = uploaded(stack, "failing.md")
    chunk = stack.chunks(doc_id)[0]
    counted.reply = fakes.failure(401)
    body = {"text": f"New {uuid4()}"}
    answer = stack.client.patch(place(doc_id, chunk), json=body, headers={"Prefer": "wait=200"})
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (200, "failed", "not_offered")
    assert stack.chunks(doc_id)[0] == chunk


def test_an_edit_waits_for_a_provider_that_is_away_and_outlives_its_worker(
    stack: Stack, counted: Embedders, rows: Rows
) -> None:
    doc_id = uploaded(stack, "waiting.md")
    chunk = stack.chunks(doc_id)[0]
    counted.reply = fakes.failure(503)
    answer = stack.client.patch(place(doc_id, chunk), json={"text": f"New {uuid4()}"}, headers={"Prefer": "wait=200"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert answer.json()["code"] == "provider_unavailable"
    # A worker takes it and dies: its lease runs out, and the sweep gives it to another.
    rows(
        "UPDATE chunk_edits SET status = 'running', lease_token = gen_random_uuid(), attempts = 1,"
        " lease_until = now() + interval '3 s', enqueued_at = now() - interval '1 min' WHERE edit_id = %s RETURNING 1",
        answer.json()["id"],
    )
    counted.reply = embeds
    wait_until(lambda: stack.client.get(answer.headers["Location"]).json()["status"] == "applied", 200, "it is applied")


def test_an_edit_that_stops_its_workers_is_given_up(stack: Stack, counted: Embedders, rows: Rows) -> None:
    doc_id = uploaded(stack, "stopping.md")
    chunk = stack.chunks(doc_id)[0]
    counted.reply = fakes.failure(503)
    answer = stack.client.patch(place(doc_id, chunk), json={"text": f"New {uuid4()}"}, headers={"Prefer": "wait=200"})
    rows("UPDATE chunk_edits SET attempts = 3, due_at = now() WHERE edit_id = %s RETURNING 1", answer.json()["id"])
    edit = answer.headers["Location"]
    wait_until(lambda: stack.client.get(edit).json()["status"] == "failed", 150, "it is given up")
    assert stack.client.get(edit).json()["code"] == "too_many_attempts"


def test_a_reindex_keeps_edits_whose_text_is_cut_as_it_was_and_drops_the_others(
    stack: Stack, counted: Embedders, rows: Rows
) -> None:
    sentences = "\n\n".join(
        " ".join(f"Sentence {n} of paragraph {p} tells of a thing." for n in range(20)) for p in range(10)
    )
    [doc_id] = stack.upload([("kept.md", f"{sentences}\n\n# Small\n\nA small part {uuid4()}.".encode())])
    before, *_, small = stack.chunks(doc_id)
    for chunk, text in ((before, "Nothing is left of it."), (small, "The gadget42 is small.")):
        answer = stack.client.patch(place(doc_id, chunk), json={"text": text}, headers={"Prefer": "wait=200"})
        assert answer.json()["status"] == "applied"
    # Edited twice, the text before the first edit is what counts.
    again = stack.client.patch(
        place(doc_id, small), json={"text": "The gadget43 is tiny."}, headers={"Prefer": "wait=200"}
    )
    assert again.json()["status"] == "applied"

    counted.asked.clear()
    stack.client.post(f"/api/documents/{doc_id}/reindex", json={})
    stack.finished(doc_id)
    assert len(counted.texts()) <= 1, "the card alone, which tells how the document begins now"
    texts = [chunk["text"] for chunk in stack.chunks(doc_id)]
    assert (texts[0], texts[-1]) == ("Nothing is left of it.", "The gadget43 is tiny.")
    assert (stack.versions(doc_id)[0]["edits_kept"], stack.versions(doc_id)[0]["edits_dropped"]) == (2, 0)

    stack.client.post(f"/api/documents/{doc_id}/reindex", json={"chunk_tokens": 300})
    stack.finished(doc_id)
    texts = [chunk["text"] for chunk in stack.chunks(doc_id)]
    assert texts[-1] == "The gadget43 is tiny."
    assert "Nothing is left of it." not in texts
    assert (stack.versions(doc_id)[0]["edits_kept"], stack.versions(doc_id)[0]["edits_dropped"]) == (1, 1)
    kept = stack.client.get(again.headers["Location"]).json()
    assert (kept["status"], kept["chunk_id"]) == ("applied", stack.chunks(doc_id)[-1]["chunk_id"])
    dropped = rows("SELECT error_code FROM chunk_edits WHERE doc_id = %s AND status = 'dropped'", doc_id)
    assert dropped == [("text_changed",)]
    assert counts_are_exact(rows)


def test_an_edit_during_a_reindex_is_applied_to_the_new_chunk(stack: Stack, counted: Embedders, rows: Rows) -> None:
    doc_id = uploaded(stack, "during.md")
    chunk = stack.chunks(doc_id)[3]
    rows("UPDATE document_chunks SET context_sha256 = NULL WHERE doc_id = %s RETURNING 1", doc_id)
    going_on = threading.Event()

    def slow(exchange: Exchange) -> None:
        if any("years old" in text for text in exchange.asked.json["input"]):
            going_on.wait(150)
        embeds(exchange)

    counted.reply = slow
    counted.asked.clear()
    stack.client.post(f"/api/documents/{doc_id}/reindex", json={})
    wait_until(lambda: bool(counted.requests()), 150, "the new version is embedded")
    # One is applied to the version that answers, one waits: both are of a chunk that will be gone.
    first = stack.client.patch(place(doc_id, chunk), json={"text": "It is old."}, headers={"Prefer": "wait=200"})
    assert first.json()["status"] == "applied"
    going_on.set()
    assert stack.finished(doc_id)["version"] == 2
    wait_until(lambda: stack.chunks(doc_id)[3]["text"] == "It is old.", 150, "the edit is in the new version")
    edit = stack.client.get(first.headers["Location"]).json()
    assert edit["chunk_id"] == stack.chunks(doc_id)[3]["chunk_id"] != chunk["chunk_id"]
    assert stack.versions(doc_id)[0]["edits_kept"] == 1
    assert counts_are_exact(rows)


def test_deleting_a_document_takes_its_edits_along(stack: Stack, counted: Embedders, rows: Rows) -> None:
    _, content = gadget(44)
    [doc_id] = stack.upload([("gone.txt", content)])
    counted.reply = fakes.failure(503)
    stack.client.patch(place(doc_id, stack.chunks(doc_id)[0]), json={"text": "New."}, headers={"Prefer": "wait=200"})
    assert stack.client.delete(f"/api/documents/{doc_id}").status_code == 200
    assert rows("SELECT 1 FROM chunk_edits WHERE doc_id = %s", doc_id) == []
    assert counts_are_exact(rows)
