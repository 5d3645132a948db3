"""What is embedded is asked for once, in few requests, and never stored by halves."""

import base64
import struct
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from deploy.ephemeral import wait_until
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, Reply
from tests.integration.reindex.stacks import Embedders, Stack, embeds, gadget, vector_of

pytestmark = pytest.mark.timeout(900)
"""Whole processes are started: seconds where the machine is idle, minutes where it is not."""

Rows = Callable[..., list[tuple[Any, ...]]]


def first_then(first: Reply, times: int = 1) -> Reply:
    """Answer requests for documents by `first` so many times, then as is right."""
    lock, left = threading.Lock(), [times]

    def reply(exchange: Exchange) -> None:
        with lock:
            faulty = left[0] > 0 and any("\n" in text for text in exchange.asked.json["input"])
            left[0] -= faulty
        (first if faulty else embeds)(exchange)

    return reply


def answered(rows_of: Callable[[list[str], str], list[dict[str, Any]]]) -> Reply:
    def reply(exchange: Exchange) -> None:
        asked = exchange.asked.json
        data = rows_of(asked["input"], asked["model"])
        exchange.send_json({"object": "list", "data": data, "model": asked["model"], "usage": {}})

    return reply


def row(index: int, vector: Any) -> dict[str, Any]:
    packed = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    return {"object": "embedding", "index": index, "embedding": packed}


HALVES = {
    "a vector is missing": answered(
        lambda texts, model: [row(i, vector_of(t, model)) for i, t in enumerate(texts)][1:]
    ),
    "all have one index": answered(lambda texts, model: [row(0, vector_of(t, model)) for t in texts]),
    "no numbers": answered(lambda texts, model: [row(i, [float("nan")] * 64) for i, _ in enumerate(texts)]),
    "another width": answered(lambda texts, _: [row(i, [1.0, 2.0]) for i, _ in enumerate(texts)]),
}


def test_a_thousand_small_documents_are_embedded_in_twelve_requests(stack: Stack, counted: Embedders) -> None:
    files = [(f"note-{n}.txt", f"Note {n} is about gadget{n % 60}: {uuid4()}.".encode()) for n in range(1000)]
    data = [("files", file) for file in files]
    job = stack.client.post("/api/documents/upload", files=data).json()
    assert stack.finished(job["job_id"])["totals"]["processed"] == 1000
    assert len(counted.texts()) == 1000
    assert set(counted.texts().values()) == {1}
    assert len(counted.requests()) <= 12
    assert max(len(body["input"]) for body in counted.requests()) <= 100


def of_pages(counted: Embedders) -> list[str]:
    """Return the texts that were embedded, without the card, which holds the first pages together."""
    return [text for text in counted.texts() if text.count(" tells of ") <= 1]


def test_a_changed_page_embeds_what_changed_and_nothing_else(stack: Stack, counted: Embedders) -> None:
    pages = [f"# Part {n}\n\n" + f"Part {n} tells of gadget{n} and of {uuid4()}." for n in range(30)]
    [first] = stack.upload([("handbook.md", "\n\n".join(pages).encode())])
    assert len(of_pages(counted)) == 30
    counted.asked.clear()
    pages[17] = f"# Part 17\n\nPart 17 is new: {uuid4()}."
    [second] = stack.upload([("handbook.md", "\n\n".join(pages).encode())])
    assert second != first
    [text] = of_pages(counted)
    assert "Part 17 is new" in text
    assert stack.versions(second)[0]["embedded"] == 1
    assert len(stack.chunks(second)) == 30


@pytest.mark.parametrize("fault", HALVES)
def test_half_an_answer_is_asked_for_again_and_never_stored(
    stack: Stack, counted: Embedders, rows: Rows, fault: str
) -> None:
    stack.upload([gadget(1)])  # The width of the model is known from here on.
    counted.asked.clear()
    counted.reply = first_then(HALVES[fault])
    ids = stack.upload([gadget(number) for number in (2, 3, 4)])
    assert len(counted.requests()) >= 2
    for number, doc_id in zip((2, 3, 4), ids, strict=True):
        [[vector, model]] = rows(
            "SELECT embedding::text, embedding_model FROM document_chunks WHERE doc_id = %s", doc_id
        )
        expected = np.array(vector_of(f"gadget{number}", model))
        found = np.array(eval(vector))
        assert np.allclose(found, expected / np.linalg.norm(expected), atol=0.01)


def test_a_provider_that_asks_to_wait_is_asked_again_when_it_said(stack: Stack, counted: Embedders) -> None:
    at: list[float] = []

    def reply(exchange: Exchange) -> None:
        at.append(time.monotonic())
        (fakes.failure(429, retry_after="4") if len(at) == 1 else embeds)(exchange)

    counted.reply = reply
    stack.upload([gadget(5)])
    assert 4 <= at[1] - at[0] < 120


def test_what_is_too_long_is_asked_for_in_parts(stack: Stack, counted: Embedders, rows: Rows) -> None:
    """A server that reads little at once gets less at once; a single text becomes the mean of its halves."""

    def reply(exchange: Exchange) -> None:
        texts = exchange.asked.json["input"]
        if sum(map(len, texts)) > 400:
            said = "This model's maximum context length is 100 tokens, however you requested 413 tokens."
            fakes.failure(400, said)(exchange)
        else:
            embeds(exchange)

    counted.reply = reply
    sentences = " ".join(f"Sentence {n} tells of gadget{6 + n % 2}." for n in range(30))
    ids = stack.upload([gadget(6, sentences), *(gadget(number) for number in range(7, 27))])
    good = [body["input"] for body in counted.requests() if sum(map(len, body["input"])) <= 400]
    assert 4 < len(good) < 25
    [[vector, model]] = rows("SELECT embedding::text, embedding_model FROM document_chunks WHERE doc_id = %s", ids[0])
    found = np.array(eval(vector))
    assert abs(np.linalg.norm(found) - 1) < 0.01
    assert {int(at) for at in np.argsort(-found)[:2]} == {6, 7}
    assert model in ("model-a", "model-b")


def test_a_refused_text_fails_its_own_document_only(stack: Stack, counted: Embedders) -> None:
    def reply(exchange: Exchange) -> None:
        wrong = any("gadget28" in text for text in exchange.asked.json["input"])
        (fakes.failure(400, "This text is not allowed.") if wrong else embeds)(exchange)

    counted.reply = reply
    files = [("files", gadget(number)) for number in (27, 28, 29)]
    job = stack.client.post("/api/documents/upload", files=files).json()["job_id"]
    totals = stack.finished(job)["totals"]
    assert (totals["processed"], totals["failed"]) == (2, 1)
    wait_until(lambda: stack.finished(job)["totals"]["running"] == 0, 10, "nothing is left")
