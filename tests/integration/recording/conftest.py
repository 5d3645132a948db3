"""Spoken turns whose providers are played, worked on within the test's own process, on real servers."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from api.dialogue import turns as starting
from api.door.auth import Caller
from pipelines.stores.redis import get_redis
from pipelines.turn.sound.audio import pcm16
from schemas.settings import get_settings
from tests.integration.people import Person
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange
from tests.integration.whole_stack import vector_of
from workers import send, turn, wiring
from workers.app import app as worker

QUESTION = "When is the shop open?"
SEGMENT = {"id": 0, "seek": 0, "start": 0.0, "end": 1.0, "text": QUESTION, "tokens": [], "temperature": 0.0}
SEGMENTS = {"segments": [{**SEGMENT, "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0}]}
CHANCE = np.random.default_rng(6)


def noise(seconds: float, rate_hz: int) -> bytes:
    """Return sound that is like nothing else, as PCM16: wherever it turns up, it is this."""
    return pcm16(CHANCE.uniform(-0.5, 0.5, int(seconds * rate_hz)).astype(np.float32))


@dataclass
class Studio:
    """Where turns are spoken. `said` and `answered` are the sound of the last one, PCM16."""

    answered: bytes = b""
    said: bytes = b""

    def turn(self, person: Person, recorded: bool, conversation_id: UUID | None = None, upto: str = "") -> "Spoken":
        """Have a person ask by voice and work on it to its end, or up to a step."""
        caller = Caller(UUID(person.tenant_id), str(person.login["user_id"]), "user", "user")
        conversation_id = starting.open_conversation(caller, "default-assistant", conversation_id)
        self.said = noise(1.5, 16_000)
        turn_id = starting.start_turn(
            caller,
            conversation_id,
            assistant_key="default-assistant",
            utterance=self.said,
            spoken=True,
            language="en",
            recorded=recorded,
        )
        spoken = Spoken(caller, conversation_id, turn_id)
        for step in ("transcribe", "retrieve", "generate"):
            if step == upto:
                return spoken
            getattr(turn, step)(str(caller.tenant_id), str(turn_id))
        for seq in range(10):
            if starting.last_event(caller, turn_id) is not None:
                return spoken
            turn.synthesize(str(caller.tenant_id), str(turn_id), seq)
        raise AssertionError("the turn did not end")

    def reply(self, exchange: Exchange) -> None:
        path = exchange.asked.path
        if path.endswith("/embeddings"):
            fakes.embeddings(vector_of)(exchange)
        elif path.endswith("/audio/transcriptions"):
            exchange.send_json({"task": "transcribe", "language": "en", "duration": 1.5, "text": QUESTION, **SEGMENTS})
        else:
            sound = noise(0.4, 22_050)
            self.answered += sound
            fakes.pcm(sound[:9_000], sound[9_000:])(exchange)


@dataclass(frozen=True)
class Spoken:
    """A turn that was spoken."""

    caller: Caller
    conversation_id: UUID
    turn_id: UUID


@pytest.fixture
def studio(servers: tuple[str, str, str], app: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    made = Studio()
    worker.conf.broker_url = servers[2]
    worker._pool = worker.amqp._producer_pool = None
    with fakes.far_end() as fake:
        fake.reply = made.reply
        for name, value in {
            "AURA_CHAT_PROVIDER": "local",
            "AURA_EMBEDDER": "custom",
            "AURA_EMBEDDING_BASE_URL": fake.url,
            "AURA_EMBEDDING_MODEL": "words",
            "AURA_TRANSCRIBER": "custom",
            "AURA_TRANSCRIBER_BASE_URL": fake.url,
            "AURA_TRANSCRIPTION_MODEL": "whisper-large-v3",
            "AURA_SPEAKER": "elevenlabs",
            "AURA_SPEECH_BASE_URL": fake.url,
            "ELEVENLABS_API_KEY": "a-key",
        }.items():
            monkeypatch.setenv(name, value)
        forget_settings()
        yield made
    get_redis().delete(*send.QUEUES)
    monkeypatch.undo()
    forget_settings()


@pytest.fixture
def recorded_tenant(ada: Person) -> Person:
    """Return the admin of an organisation that keeps what is said."""
    changed = ada.request("PATCH", "/api/tenant", json={"record_voice": True, "recording_days": 7})
    assert changed.status_code == 200 and (changed.json or {})["record_voice"], changed.json
    return ada


@pytest.fixture
def kept_files(servers: object) -> Callable[[str], list[Path]]:
    """Return what lists the files that the object store has of a tenant."""

    def listed(tenant_id: str) -> list[Path]:
        root = Path(os.environ["AURA_DATA_DIR"]) / "objects" / tenant_id
        return sorted(path for path in root.rglob("*") if path.is_file())

    return listed


def forget_settings() -> None:
    get_settings.cache_clear()
    wiring._shared.cache_clear()
    wiring.objects.cache_clear()
