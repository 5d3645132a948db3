"""An embedding provider that fails delays documents and spoils none."""

import hashlib

import numpy as np
import psycopg
import pytest

from deploy.ephemeral import Stack, wait_until
from tests.faults import texts, uploads
from tests.faults.provider import MANNERS, UNSPEAKABLE, Provider, vector

MANY = 5
"""More than the express queue takes: they go the way of all."""


def upload(stack: Stack, run: str, long: int = 1) -> list[str]:
    """Upload short documents and `long` of several requests, and return their ids."""
    files = {f"{run}-{i}.md": texts.prose(f"{run}{i}") for i in range(MANY)}
    files |= {f"{run}-long-{i}.md": texts.prose(f"{run}long{i}", texts.LONG_WORDS) for i in range(long)}
    return list(uploads.upload(stack, files).values())


@pytest.mark.parametrize("how", sorted(MANNERS.keys() - {"well", "limited", "held", "choosy"}))
def test_documents_wait_for_a_provider_and_say_so(stack: Stack, provider: Provider, how: str, run: str) -> None:
    provider.be(how)
    doc_ids = upload(stack, run)
    provider.await_asked(how, 3)

    def reasons() -> list[str]:
        return [str(stack.document(doc_id)["waiting_for"]) for doc_id in doc_ids]

    wait_until(lambda: all("It is tried again at" in reason for reason in reasons()), 20, "a reason for all")
    view = stack.document(doc_ids[0])
    assert (view["status"], view["code"], view["stage"]) == ("running", "provider_unavailable", "embed")
    with stack.database() as connection:
        assert made(connection, doc_ids) == 0
    provider.hold.set()
    provider.be("well")
    uploads.all_processed(stack, doc_ids)
    provider.hold.clear()
    with stack.database() as connection:
        assert wrong_vectors(connection, doc_ids, provider) == []
    assert {view["code"] for view in map(stack.document, doc_ids)} == {None}


def test_a_provider_is_not_asked_again_before_it_allows_it(stack: Stack, provider: Provider, run: str) -> None:
    provider.be("limited", retry_after_s=7)
    doc_ids = upload(stack, run)
    first = provider.await_asked("limited")[0]
    wait_until(lambda: _waiting(stack, doc_ids) == len(doc_ids), 20, "a reason for all")
    told_at = [one.at for one in provider.asked]
    assert max(told_at) - min(told_at) < 3, "asked again although it was told to wait"
    provider.be("well")
    again = provider.await_asked("well")[0]
    assert 7 <= again.at - first.at < 7 + 8
    uploads.all_processed(stack, doc_ids)


def test_a_rate_limit_holds_for_all_that_waits(stack: Stack, provider: Provider, run: str) -> None:
    provider.be("limited", retry_after_s=6)
    doc_ids = upload(stack, run, long=6)
    provider.await_asked("limited")
    wait_until(lambda: _waiting(stack, doc_ids) == len(doc_ids), 20, "a reason for all")
    # Two parts are embedded at a time, and express has two places: more were not begun before they knew.
    assert len(provider.asked) <= 6
    provider.be("well")
    uploads.all_processed(stack, doc_ids)


def test_a_text_that_is_refused_fails_alone(stack: Stack, provider: Provider, run: str) -> None:
    provider.be("choosy")
    files = {f"{run}-{i}.md": texts.prose(f"{run}{i}") for i in range(20)}
    files[f"{run}-7.md"] += UNSPEAKABLE.encode()
    found = uploads.upload(stack, files)
    refused = found.pop(f"{run}-7.md")
    uploads.all_processed(stack, list(found.values()))
    wait_until(lambda: stack.document(refused)["status"] == "failed", 20, "the end of the refused one")
    assert (stack.document(refused)["code"], stack.document(refused)["stage"]) == ("invalid_request", None)


def test_failures_in_turn_leave_each_text_its_own_vector(stack: Stack, provider: Provider, run: str) -> None:
    doc_ids = upload(stack, run, long=3)
    for number, how in enumerate(("fewer", "well", "cut", "reset", "well", "narrow", "broken"), 1):
        provider.how = how
        provider.await_some(number)
    provider.how = "well"
    uploads.all_processed(stack, doc_ids)
    with stack.database() as connection:
        assert wrong_vectors(connection, doc_ids, provider) == []


def made(connection: psycopg.Connection[object], doc_ids: list[str]) -> int:
    """Return how many vectors there are of the documents, between the steps or stored."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM document_chunks WHERE doc_id = ANY (%(ids)s::uuid[]))"
        " + (SELECT count(*) FROM document_stages WHERE doc_id = ANY (%(ids)s::uuid[])"
        "    AND stage = 'embed' AND status = 'processed')",
        {"ids": doc_ids},
    ).fetchone()
    return int(row[0]) if row else -1  # type: ignore[index]


def wrong_vectors(connection: psycopg.Connection[object], doc_ids: list[str], provider: Provider) -> list[object]:
    """Return the chunks that have another vector than the provider gave for their text."""
    given = {hashlib.sha256(text.encode()).digest(): text for one in provider.asked for text in one.texts}
    rows = connection.execute(
        "SELECT chunk_id, context_sha256, embedding::text FROM document_chunks WHERE doc_id = ANY (%s::uuid[])",
        (doc_ids,),
    ).fetchall()
    assert rows
    wrong: list[object] = []
    for chunk_id, sha256, embedding in rows:  # type: ignore[misc]
        stored = np.array(embedding.strip("[]").split(","), np.float32)  # type: ignore[attr-defined]
        text = given.get(bytes(sha256))  # type: ignore[arg-type]
        if text is None or stored.shape != vector(text).shape or stored @ vector(text) < 0.999:
            wrong.append(chunk_id)
    return wrong


def _waiting(stack: Stack, doc_ids: list[str]) -> int:
    return sum("tried again at" in str(stack.document(doc_id)["waiting_for"]) for doc_id in doc_ids)
