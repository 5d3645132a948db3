"""Retrieval does nothing twice: vectors of questions and what was found for one are remembered, each tenant's apart."""

from collections.abc import Callable, Iterator
from uuid import UUID

import numpy as np
import psycopg
import pytest

from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import documents, remembered
from pipelines.stores.redis import get_redis, open_redis
from schemas.settings import get_settings
from tests.integration.caching.conftest import Visitor
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from workers import wiring
from workers.dialogue import grounding
from workers.spending.questions import Remembering

QUESTION = "With which code does the safe in the office open?"


def forget_settings() -> None:
    for each in (get_settings, wiring._kept, wiring._shared, wiring._own):
        each.cache_clear()


@pytest.fixture
def far_end(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarEnd]:
    """Yield the far end of chat and embeddings."""
    with fakes.far_end() as fake:
        for name, value in {
            "AURA_CHAT_PROVIDER": "custom",
            "AURA_CHAT_MODEL": "some-model",
            "AURA_CHAT_BASE_URL": fake.url,
            "AURA_EMBEDDING_BASE_URL": fake.url,
        }.items():
            monkeypatch.setenv(name, value)
        forget_settings()
        yield fake
    monkeypatch.undo()
    forget_settings()
    for key in get_redis().scan_iter(match="aura:*:provider:*", count=10_000):
        get_redis().delete(key)


def test_a_question_is_embedded_once_for_a_tenant_and_a_model(
    far_end: FarEnd, monkeypatch: pytest.MonkeyPatch, new_tenant: Callable[[], UUID]
) -> None:
    far_end.reply = fakes.embeddings(lambda _: np.eye(8)[0].tolist())
    first, second = new_tenant(), new_tenant()

    def embed(tenant_id: UUID, question: str) -> int:
        far_end.asked.clear()
        vectors = Remembering(tenant_id, wiring.embedder(tenant_id)).embed([question])
        assert vectors.tolist() == [np.eye(8)[0].tolist()]
        return len(far_end.asked)

    for model in ("model-a", "model-b"):
        monkeypatch.setenv("AURA_EMBEDDER", "custom")
        monkeypatch.setenv("AURA_EMBEDDING_MODEL", model)
        forget_settings()
        assert [embed(first, QUESTION), embed(first, f" {QUESTION.lower()}"), embed(first, "Who?")] == [1, 0, 1]
        assert embed(second, QUESTION) == 1


def test_the_same_ground_is_found_once_until_knowledge_changes(visitor: Visitor, admin: psycopg.Connection) -> None:
    def found() -> int:
        started = visitor.start(QUESTION)
        return len(grounding.ground(visitor.turn(started)).passages)

    assert found() == 2
    admin.execute("DELETE FROM document_chunks WHERE tenant_id = %s", (visitor.tenant_id,))
    assert found() == 2
    with tenant_session(visitor.tenant_id) as session:
        documents.touch_knowledge(session)
    assert found() == 0


def test_what_the_composer_says_in_place_of_a_provider_is_not_kept(far_end: FarEnd, visitor: Visitor) -> None:
    far_end.reply = fakes.failure(503)
    assert visitor.ask(QUESTION).route["fallback"]
    far_end.reply = fakes.answer("It opens with 4711 [1].")
    again = visitor.ask(QUESTION)
    assert (again.cache.get("hit"), again.answer) == (None, "It opens with 4711 [1].")
    assert visitor.ask(QUESTION).cache["hit"] == "exact"


def test_without_redis_nothing_is_remembered_and_nothing_fails(visitor: Visitor) -> None:
    nowhere = open_redis("redis://127.0.0.1:1/0")
    remembered.keep_vector(nowhere, visitor.tenant_id, "m", QUESTION, np.zeros(3, np.float32))
    assert remembered.vector(nowhere, visitor.tenant_id, "m", QUESTION) is None
    assert remembered.ground(nowhere, visitor.tenant_id, "key") is None
