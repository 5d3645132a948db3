"""Server-sent events over a real server: order, resume, an end, and nothing left behind."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import redis

from pipelines.stores import events
from schemas.events import Event, EventName, Subject
from schemas.tables.base import DEFAULT_TENANT_ID
from tests.integration.relay.talking import WITHIN_S, Web
from tests.integration.relay.valkey import wait_until

pytestmark = pytest.mark.timeout(700)
"""What is started here takes a while: more than others have where the machine is busy, and a place in front."""


def publish(client: "redis.Redis", doc_id: UUID, name: EventName, **data: Any) -> str:
    return events.publish(client, Event(name, Subject.document(UUID(DEFAULT_TENANT_ID), doc_id), data))


def blocks(answer: httpx.Response) -> Iterator[dict[str, str]]:
    """Yield the stream's blocks as a browser's EventSource reads them; comments are named `comment`."""
    block: dict[str, str] = {}
    for line in answer.iter_lines():
        if not line and block:
            yield block
            block = {}
        elif line:
            field, _, value = line.partition(":")
            block[field or "comment"] = value.removeprefix(" ")


@pytest.fixture(autouse=True)
def every_seat_is_given_back(web: Web) -> Iterator[None]:
    yield
    wait_until(lambda: web.state() == {"taken": 0, "followers": 0})


def test_events_come_with_their_id_until_the_last_one(web: Web, client: "redis.Redis") -> None:
    doc_id = uuid4()
    ids = [publish(client, doc_id, EventName.DOCUMENT_EXTRACTED, done=n) for n in range(3)]
    publish(client, doc_id, EventName.DOCUMENT_EXTRACTED, done=9, hidden=True)
    url = f"http://127.0.0.1:{web.port}/events/{doc_id}"
    with httpx.stream("GET", url, timeout=WITHIN_S) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        found = blocks(answer)
        assert next(found) == {"retry": "1000"}
        for n, event_id in enumerate(ids):
            block = next(found)
            data = json.loads(block["data"])
            assert (block["id"], block["event"], data["done"]) == (event_id, "document.extracted", n)
            assert (data["id"], data["type"]) == (event_id, "document.extracted")
        assert "comment" in next(found)
        last = publish(client, doc_id, EventName.DOCUMENT_PROCESSED, chunks=4)
        rest = [block for block in found if "comment" not in block]
        assert [block["id"] for block in rest] == [last]


@pytest.mark.parametrize("by", ["header", "query"])
def test_a_client_goes_on_after_its_last_id(web: Web, client: "redis.Redis", by: str) -> None:
    doc_id = uuid4()
    ids = [publish(client, doc_id, EventName.DOCUMENT_EXTRACTED, done=n) for n in range(5)]
    publish(client, doc_id, EventName.DOCUMENT_PROCESSED)
    url = f"http://127.0.0.1:{web.port}/events/{doc_id}"
    headers, params = ({"Last-Event-ID": ids[2]}, {}) if by == "header" else ({}, {"after": ids[2]})
    with httpx.stream("GET", url, headers=headers, params=params, timeout=WITHIN_S) as answer:
        found = [json.loads(block["data"]) for block in blocks(answer) if "data" in block]
    assert [data.get("done") for data in found] == [3, 4, None]


def test_a_place_that_is_none_is_a_problem(web: Web) -> None:
    answer = httpx.get(f"http://127.0.0.1:{web.port}/events/{uuid4()}?after=x", timeout=WITHIN_S)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_stream_ends_by_the_truth_where_its_last_event_is_lost(web: Web, client: "redis.Redis") -> None:
    doc_id = uuid4()
    with httpx.stream("GET", f"http://127.0.0.1:{web.port}/events/{doc_id}", timeout=WITHIN_S) as answer:
        found = blocks(answer)
        assert "comment" in [*next(found), *next(found)]
        client.set(f"test:settled:{doc_id}", 7, ex=60)
        rest = [block for block in found if "comment" not in block]
    assert [(block["event"], json.loads(block["data"])["chunks"]) for block in rest] == [("document.processed", 7)]


def test_a_client_that_vanishes_gives_its_thread_back(web: Web) -> None:
    with socket.create_connection(("127.0.0.1", web.port)) as gone:
        gone.sendall(f"GET /events/{uuid4()}?heartbeat=600 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        gone.recv(1000)
        assert web.state()["taken"] == 1
    wait_until(lambda: web.state()["taken"] == 0)


def test_streams_end_when_the_server_stops(serve: Callable[..., Web]) -> None:
    server = serve()
    with httpx.stream("GET", f"http://127.0.0.1:{server.port}/events/{uuid4()}", timeout=WITHIN_S) as answer:
        found = blocks(answer)
        next(found)
        server.process.terminate()
        assert all("comment" in block for block in found)


def test_there_are_no_more_streams_than_seats(serve: Callable[..., Web]) -> None:
    server = serve(max_sockets="1")
    url = f"http://127.0.0.1:{server.port}/events/{uuid4()}"
    with httpx.stream("GET", url, timeout=WITHIN_S) as answer:
        # Kept by its name: a stream whose iterator is thrown away is closed, and its seat is free.
        found = blocks(answer)
        next(found)
        refused = httpx.get(url, timeout=WITHIN_S)
    assert (refused.status_code, refused.json()["code"]) == (503, "too_busy")
    assert int(refused.headers["retry-after"]) >= 1
