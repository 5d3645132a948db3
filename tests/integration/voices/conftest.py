"""Three providers of voice whose far ends are played, each on a server of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import pytest
import redis

from pipelines.stores.database import tenant_session
from pipelines.stores.organisation import tenants
from pipelines.stores.redis import get_redis
from schemas.settings import get_settings
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd, Reply
from tests.integration.providers.sounds_of_far_ends import wav
from workers import wiring
from workers.speech import voice_line
from workers.spending import circuits, health

PATIENCE_S = 3.0
"""How long a provider is waited for: the one that works is not to be late on a busy machine."""

HELD = "SELECT FROM usage_events WHERE tenant_id = %s AND held_until IS NOT NULL"


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
def far_ends(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, FarEnd]]:
    """Yield the far ends of OpenAI, Groq and ElevenLabs, which listen (but for the last) and speak."""
    with ExitStack() as stack:
        found = {name: stack.enter_context(fakes.far_end()) for name in ("openai", "groq", "elevenlabs")}
        for name, end in found.items():
            end.reply = working(name)
            monkeypatch.setenv(f"{name.upper()}_API_KEY", "a-key")
            where = "AURA_SPEECH_BASE_URL" if name == "elevenlabs" else f"AURA_{name.upper()}_BASE_URL"
            monkeypatch.setenv(where, end.url)
        given = {"TRANSCRIBER": "openai,groq", "SPEAKER": "elevenlabs,openai,groq", "VOICE_FALLBACK": "0"}
        given |= {"PROVIDER_TRANSCRIPT_S": PATIENCE_S, "PROVIDER_FIRST_SOUND_S": PATIENCE_S, "PROVIDER_TIMEOUT_S": 9}
        for name, value in given.items():
            monkeypatch.setenv(f"AURA_{name}", str(value))
        forget_settings()
        yield found
    monkeypatch.undo()
    forget_settings()


@pytest.fixture
def policy(tenant: UUID) -> Callable[..., None]:
    """Return what sets a part of the tenant's settings."""

    def set_to(**given: Any) -> None:
        with tenant_session(tenant) as session:
            tenants.get(session, tenant).custom_settings = given
        voice_line._policies.cache_clear()

    return set_to


def silent(exchange: Exchange) -> None:
    """Say nothing, far longer than anybody waits."""
    exchange.far_end.closing.wait(20 * PATIENCE_S)


def working(name: str) -> Reply:
    """Return what a provider answers that works: its name as transcript, a tone as sound."""

    def reply(exchange: Exchange) -> None:
        if exchange.asked.path.endswith("/transcriptions"):
            exchange.send_json({"text": f"{name} heard it."})
        elif name == "groq":
            fakes.pcm(wav(24_000), content_type="audio/wav")(exchange)
        else:
            fakes.pcm(sound_of(name)[:1000], sound_of(name)[1000:])(exchange)

    return reply


def sound_of(name: str) -> bytes:
    """Return half a second that tells who speaks."""
    return {"elevenlabs": b"\1\0", "openai": b"\2\0"}[name] * 12_000


def forget_settings() -> None:
    for remembered in (get_settings, wiring._kept, wiring._shared, wiring._own, voice_line._policies):
        remembered.cache_clear()


def forget(client: "redis.Redis") -> None:
    health._seen.cache_clear()
    circuits._away_until = 0.0
    for key in client.scan_iter(match="aura:*:provider:*", count=1000):
        client.delete(key)
