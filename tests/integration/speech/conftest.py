"""A far end that speaks, and settings that let this process's workers ask it."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from pipelines.stores.database import tenant_session
from pipelines.stores.events import replay
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from schemas.events import EventName, Subject
from schemas.settings import get_settings
from schemas.tables.dialogue import Sentence, Turn, TurnStage, TurnStatus
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from workers import wiring

NewTurn = Callable[..., UUID]


@pytest.fixture
def voice(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarEnd]:
    """Yield the far end of ElevenLabs, the one that speaks; it says 0.1 s of the same for everything."""
    with fakes.far_end() as end:
        end.reply = fakes.pcm(b"\1\0" * 2_205)
        monkeypatch.setenv("AURA_SPEAKER", "elevenlabs")
        monkeypatch.setenv("ELEVENLABS_API_KEY", "a-key")
        monkeypatch.setenv("ELEVENLABS_VOICE_ID", "of-the-deployment")
        monkeypatch.setenv("AURA_SPEECH_BASE_URL", end.url)
        _forget()
        yield end
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for remembered in (get_settings, wiring._kept, wiring._shared, wiring._own):
        remembered.cache_clear()


@pytest.fixture
def set_up(admin: psycopg.Connection, tenant: UUID) -> Callable[..., None]:
    """Return what changes the tenant's assistant."""

    def change(**fields: object) -> None:
        for name, value in fields.items():
            admin.execute(f"UPDATE agents SET {name} = %s WHERE tenant_id = %s", (value, tenant))

    return change


@pytest.fixture
def new_turn(tenant: UUID) -> NewTurn:
    """Return a maker of spoken turns that wait for their answer."""

    def make(user_id: str = "u", said: str | None = None, **fields: Any) -> UUID:
        turn_id = uuid4()
        values = {"assistant_key": "default-assistant", "spoken": True, "stage": TurnStage.GENERATE, **fields}
        with tenant_session(tenant) as session:
            conversation_id = turns.open_conversation(session, tenant, user_id, "default-assistant")
            turn = Turn(
                tenant_id=tenant,
                turn_id=turn_id,
                conversation_id=conversation_id,
                question="?",
                status=TurnStatus.RUNNING,
                **values,
            )
            session.add(turn)
            session.flush()
            if said is not None:
                session.add(Sentence(tenant_id=tenant, turn_id=turn_id, seq=0, text=said))
        return turn_id

    return make


@pytest.fixture
def told(tenant: UUID) -> Callable[[UUID], list[dict[str, Any]]]:
    """Return what reads the sound that was told of a turn."""

    def read(turn_id: UUID) -> list[dict[str, Any]]:
        with tenant_session(tenant) as session:
            conversation = turns.get(session, turn_id).conversation_id
        found = replay(get_redis(), Subject.conversation(tenant, conversation))
        return [one.data for one in found if one.name == EventName.TURN_AUDIO]

    return read
