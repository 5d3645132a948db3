"""GET /api/knowledge/search: a worker ranks, the answer shows what every ranking says."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from api.knowledge import knowledge
from pipelines.stores.redis import get_redis
from tests.integration.people import Person, code
from tests.integration.stores.conftest import Library
from workers import searching, wiring
from workers.app import app as celery

TEXTS = [
    "The battery of a rented bicycle is covered by the warranty for two years.",
    "A helmet costs five euros a day, a child seat eight.",
    "Cancel until the evening before and the whole price is refunded.",
]


@pytest.fixture
def broker(servers: tuple[str, str, str]) -> None:
    """Send messages to the tests' own Valkey, also where Celery was imported before it ran."""
    celery.conf.broker_url = servers[2]
    celery._pool = celery.amqp._producer_pool = None
    get_redis().delete("retrieve")


@pytest.fixture
def worker(broker: None) -> Iterator[None]:
    """Do what is sent to the queue `retrieve`, as its worker would."""

    def work() -> None:
        while True:
            if (found := get_redis().blpop(["retrieve"], timeout=4)) is None:
                continue
            message = json.loads(found[1])
            if message["headers"]["task"] == "end":
                return
            assert message["headers"]["task"] == "workers.searching.search"
            searching.search(*json.loads(base64.b64decode(message["body"]))[0])

    thread = threading.Thread(target=work)
    thread.start()
    yield
    get_redis().rpush("retrieve", json.dumps({"headers": {"task": "end"}}))
    thread.join()


@pytest.fixture
def stored(ada: Person) -> Callable[[list[str]], UUID]:
    """Return what stores texts, with the vectors of the model that embeds questions."""
    tenant_id = UUID(ada.tenant_id)
    embedder = wiring.embedder(tenant_id)
    return lambda texts: Library().store(tenant_id, texts, embedder.embed(texts), embedder.model)


def ask(person: Person, **query: Any) -> dict[str, Any]:
    response = person.get("/api/knowledge/search", query_string=query)
    assert response.status_code == 200, response.json
    return response.json or {}


def test_each_mode_ranks_by_its_own_score_and_shows_all(ada: Person, stored, worker: None) -> None:
    stored(TEXTS)
    fused = ask(ada, query="How long does the battery warranty last?")
    assert fused["mode"] == "fused"
    best = fused["passages"][0]
    assert best["text"] == TEXTS[0]
    assert (best["source"], best["filename"], best["chunk_type"]) == ("document_chunks", "notes.txt", "general")
    assert all(best["scores"][name] > 0 for name in ("vector", "bm25", "fused"))
    for mode in ("vector", "bm25", "fused"):
        scores = [p["scores"][mode] for p in ask(ada, query="battery warranty", mode=mode)["passages"]]
        assert scores == sorted(scores, reverse=True)
    unsaid = ask(ada, query="battery warranty", mode="vector")["passages"][-1]
    assert unsaid["scores"]["bm25"] is None
    assert len(ask(ada, query="battery warranty", mode="vector", limit=2)["passages"]) == 2


def test_filters_and_aliases(ada: Person, stored, worker: None) -> None:
    stored(TEXTS[:1])
    doc_id = stored(TEXTS[1:])
    found = ask(ada, query="battery", doc_ids=str(doc_id))
    assert {passage["doc_id"] for passage in found["passages"]} == {str(doc_id)}
    assert ask(ada, query="battery", tags=["a", "b"])["passages"] == []
    assert ask(ada, query="battery", created_before="2001-01-01T00:00:00Z")["passages"] == []
    assert len(ask(ada, query="battery", created_after="2001-01-01T00:00:00Z", file_types="txt")["passages"]) == 3
    response = ada.get("/knowledge/search", query_string={"query": "battery"})
    assert len((response.json or {})["passages"]) == 3


def test_another_organisation_finds_nothing(ada: Person, founder, stored, worker: None) -> None:
    doc_id = stored(TEXTS)
    eve = founder()
    assert ask(eve, query="battery warranty")["passages"] == []
    assert ask(eve, query="battery warranty", doc_ids=str(doc_id))["passages"] == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"query": ""},
        {"query": "a\x00b"},
        {"query": "a", "mode": "magic"},
        {"query": "a", "limit": 0},
        {"query": "a", "limit": 101},
        {"query": "a", "doc_ids": "7"},
        {"query": "a", "created_after": "2020-01-01T00:00:00"},
        {"query": "a" * 4001},
        {"query": "a", "tags": "b\x00"},
    ],
)
def test_what_can_not_be_asked_is_refused(ada: Person, query: dict[str, Any]) -> None:
    response = ada.get("/api/knowledge/search", query_string=query)
    assert code(response) == (422, "invalid_request")


def test_without_a_worker_it_says_so(ada: Person, broker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge, "SEARCH_TIMEOUT_S", 0.1)
    response = ada.get("/api/knowledge/search", query_string={"query": "battery"})
    assert code(response) == (503, "provider_unavailable")
