"""Providers whose far end is played, circuits that nothing is known of, and what tenants were told."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import redis

from pipelines.stores import events
from pipelines.stores.operations import provider_health
from pipelines.stores.redis import get_redis
from schemas.events import Subject
from schemas.settings import get_settings
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from workers import wiring
from workers.spending import health

Told = Callable[[UUID], list[dict[str, Any]]]


@pytest.fixture
def client(servers: object) -> "redis.Redis":
    return get_redis()


@pytest.fixture(autouse=True)
def nothing_known(client: "redis.Redis") -> Iterator[None]:
    """Other tests may have failed calls of the same providers on these servers."""
    forget(client)
    yield
    forget(client)


@pytest.fixture
def told(client: "redis.Redis") -> Told:
    """Return what gives a tenant's provider events, in order."""

    def of(tenant_id: UUID) -> list[dict[str, Any]]:
        kept = events.replay(client, Subject.tenant(tenant_id))
        return [event.data for event in kept if event.name.startswith("provider.")]

    return of


@pytest.fixture
def far_end(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarEnd]:
    """Yield the far end of every kind of provider; its chat model has a price, the others too but for embeddings."""
    with fakes.far_end() as fake:
        for name, value in {
            "AURA_CHAT_PROVIDER": "custom",
            "AURA_CHAT_BASE_URL": fake.url,
            "AURA_CHAT_MODEL": "gpt-5.4-mini",
            "AURA_CHAT_FALLBACK": "0",
            "AURA_TRANSCRIBER": "custom",
            "AURA_TRANSCRIBER_BASE_URL": fake.url,
            "AURA_TRANSCRIPTION_MODEL": "gpt-transcribe",
            "AURA_SPEAKER": "elevenlabs",
            "AURA_VOICE_FALLBACK": "0",
            "AURA_SPEECH_BASE_URL": fake.url,
            "AURA_EMBEDDER": "custom",
            "AURA_EMBEDDING_BASE_URL": fake.url,
            "AURA_EMBEDDING_MODEL": "a-free-one",
            "ELEVENLABS_API_KEY": "a-key",
        }.items():
            monkeypatch.setenv(name, value)
        _forget_settings()
        yield fake
    monkeypatch.undo()
    _forget_settings()


def half_a_minute_later(client: "redis.Redis") -> None:
    """Have all failures happened so much earlier: an open circuit lets one call through by then."""
    for key in provider_health.degraded(client):
        client.hincrbyfloat(key.key, "failed_at", -30)


def _forget_settings() -> None:
    get_settings.cache_clear()
    wiring._shared.cache_clear()


def forget(client: "redis.Redis") -> None:
    """Forget what is known of all providers."""
    health._seen.cache_clear()
    for key in client.scan_iter(match="aura:*:provider:*", count=1000):
        client.delete(key)
