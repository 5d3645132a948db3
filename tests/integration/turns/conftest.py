"""Spoken turns whose steps are called as functions: nobody waits for a worker, and providers are played at the wire."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api.dialogue import turns as asking
from api.door.auth import Caller
from pipelines.stores import events
from pipelines.stores.database import tenant_session
from pipelines.stores.events import Published
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from schemas.events import Subject
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn
from tests.integration import storing
from tests.integration.provider_health.conftest import forget
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd, Reply
from workers import send, turn, wiring
from workers.app import app

QUESTION = "When does the museum open?"
ANSWER = "The museum opens at nine. It closes at six. Mondays are quiet."
SECOND = bytes(32_000)
EVERYWHERE = [1.0, 0.0, 0.0]


class Speaker:
    """Somebody who talks to a tenant's assistant, in one conversation."""

    def __init__(self, tenant_id: UUID, admin: psycopg.Connection) -> None:
        self.tenant_id, self.admin = tenant_id, admin
        self.caller = Caller(tenant_id, "visitor", "user")
        self.conversation_id = asking.open_conversation(self.caller, "default-assistant")

    def say(self, **fields: Any) -> UUID:
        """Say something, and return its turn's id."""
        about = {"assistant_key": "default-assistant", "utterance": SECOND, "spoken": True, **fields}
        return asking.start_turn(self.caller, self.conversation_id, **about)

    def knows(self, text: str) -> None:
        """Store a text that is as near to every question as another."""
        storing.store(self.tenant_id, "known.txt", [text], model="free", vector=lambda _: EVERYWHERE)

    def run(self, turn_id: UUID, *steps: str) -> None:
        """Carry out these steps, whether they are due or not."""
        for step in steps:
            getattr(turn, step)(str(self.tenant_id), str(turn_id))

    def speak(self, turn_id: UUID) -> None:
        """Speak all sentences that the turn has."""
        rows = self.admin.execute("SELECT seq FROM sentences WHERE turn_id = %s ORDER BY seq", (turn_id,))
        for (seq,) in rows.fetchall():
            turn.synthesize(str(self.tenant_id), str(turn_id), seq)

    def answered(self, turn_id: UUID) -> None:
        """Carry out all of a turn."""
        self.run(turn_id, "transcribe", "retrieve", "generate")
        self.speak(turn_id)

    def turn(self, turn_id: UUID) -> Turn:
        with tenant_session(self.tenant_id) as session:
            return turns.get(session, turn_id)

    def history(self) -> list[tuple[str, str]]:
        """Return what the conversation remembers, in order."""
        return self.admin.execute(
            "SELECT role, content FROM messages WHERE conversation_id = %s ORDER BY created_at, turn_id, role DESC",
            (self.conversation_id,),
        ).fetchall()

    def woken(self, queue: str) -> list[str]:
        """Return the ids of this tenant's turns that a worker of the queue would be woken for."""
        messages = get_redis().lrange(queue, 0, -1)
        named = [json.loads(base64.b64decode(json.loads(message)["body"]))[0] for message in messages]
        return [turn_id for tenant_id, turn_id, *_ in named if tenant_id == str(self.tenant_id)]

    def told(self, tenant_wide: bool = False) -> list[Published]:
        """Return the events of the conversation, or those that the tenant's own stream has."""
        subject = Subject.tenant(self.tenant_id) if tenant_wide else None
        return events.replay(
            get_redis(), subject or Subject.conversation(self.tenant_id, self.conversation_id), events.START
        )


@pytest.fixture
def speaker(tenant: UUID, admin: psycopg.Connection, far_end: FarEnd) -> Speaker:
    """Return somebody who talks to an assistant that answers `ANSWER` to everything it is asked aloud."""
    return Speaker(tenant, admin)


def reply_with(said: str = QUESTION, answer: str = ANSWER, others: Reply | None = None) -> Reply:
    """Return a far end that hears `said`, answers `answer` and speaks a tenth of a second for every sentence."""

    def reply(exchange: Exchange) -> None:
        path = exchange.asked.path
        if others is not None and not path.endswith("/embeddings"):
            others(exchange)
        elif path.endswith("/transcriptions"):
            fakes.body({"text": said, "language": "en"})(exchange)
        elif path.endswith("/embeddings"):
            fakes.embeddings(lambda _: EVERYWHERE)(exchange)
        elif "text-to-speech" in path:
            fakes.pcm(bytes(2 * 2_205))(exchange)
        else:
            words = answer.split(" ")
            fakes.answer(*(f"{word} " for word in words[:-1]), words[-1], usage=(10, 10))(exchange)

    return reply


@contextmanager
def providers(url: str, patch: pytest.MonkeyPatch, **others: str) -> Iterator[None]:
    """Have all providers answer from one far end, none of which has a price."""
    given = {
        "AURA_CHAT_PROVIDER": "custom",
        "AURA_CHAT_BASE_URL": url,
        "AURA_CHAT_MODEL": "free",
        "AURA_TRANSCRIBER": "custom",
        "AURA_TRANSCRIBER_BASE_URL": url,
        "AURA_TRANSCRIPTION_MODEL": "free",
        "AURA_SPEAKER": "elevenlabs",
        "AURA_SPEECH_BASE_URL": url,
        "AURA_EMBEDDER": "custom",
        "AURA_EMBEDDING_BASE_URL": url,
        "AURA_EMBEDDING_MODEL": "free",
        "ELEVENLABS_API_KEY": "a-key",
        "AURA_VOICE_FALLBACK": "0",
        **others,
    }
    for name, value in given.items():
        patch.setenv(name, value)
    forget_settings()
    forget(get_redis())
    yield
    forget(get_redis())
    patch.undo()
    forget_settings()


@pytest.fixture
def far_end(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarEnd]:
    """Yield the far end of all providers."""
    with fakes.far_end() as fake, providers(fake.url, monkeypatch):
        fake.reply = reply_with()
        yield fake


def forget_settings() -> None:
    for remembered in (get_settings, wiring._kept, wiring._shared, wiring._own):
        remembered.cache_clear()


@pytest.fixture(autouse=True, scope="package")
def broker(servers: tuple[str, str, str]) -> None:
    """Send messages to the tests' own Valkey."""
    app.conf.broker_url = servers[2]
    app._pool = app.amqp._producer_pool = None


@pytest.fixture(autouse=True)
def tidy(servers: object) -> Iterator[None]:
    """Leave no message behind: no worker runs here."""
    get_redis().delete(*send.QUEUES)
    yield
    get_redis().delete(*send.QUEUES)


Age = Callable[[UUID, float], None]


@pytest.fixture
def age(admin: psycopg.Connection) -> Age:
    """Return what makes a turn older by some seconds."""

    def older(turn_id: UUID, by_s: float) -> None:
        for name in ("created_at", "enqueued_at", "due_at"):
            admin.execute(
                f"UPDATE turns SET {name} = {name} - make_interval(secs => %s) WHERE turn_id = %s",  # type: ignore[arg-type]
                (by_s, turn_id),
            )

    return older
