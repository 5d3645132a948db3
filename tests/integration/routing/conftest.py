"""Three providers of answers whose far ends are played, each on a server of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis

from pipelines.stores.database import tenant_session
from pipelines.stores.organisation import tenants
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from pipelines.turn.generating import routing
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn, TurnStage
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from workers import turn, wiring
from workers.spending import circuits, health

Ask = Callable[..., Turn]


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
    """Yield the far ends of OpenAI, xAI and Groq, each of which answers with its own name."""
    with ExitStack() as stack:
        found = {name: stack.enter_context(fakes.far_end()) for name in ("openai", "grok", "groq")}
        for name, end in found.items():
            end.reply = fakes.answer(f"{name} says", " 900 euros [1].", usage=(1000, 100))
            monkeypatch.setenv(f"{name.upper()}_API_KEY", "a-key")
            monkeypatch.setenv(f"AURA_{name.upper()}_BASE_URL", end.url)
        # Who answers is not to be late on a busy machine, and who was waited for in vain not to count as slow for it.
        monkeypatch.setattr(routing, "SLOW_MS", 5_000.0)
        monkeypatch.setenv("AURA_PROVIDER_FIRST_TOKEN_S", "3")
        monkeypatch.setenv("AURA_PROVIDER_TIMEOUT_S", "3")
        monkeypatch.setenv("AURA_PROVIDER_ANSWER_S", "30")
        forget_settings()
        yield found
    monkeypatch.undo()
    forget_settings()


@pytest.fixture
def ask(tenant: UUID) -> Ask:
    """Return what asks a question of a tenant and returns the turn as its answer left it."""

    def asked(question: str = "What does a bicycle cost?", **fields: Any) -> Turn:
        of = fields.pop("tenant", tenant)
        turn_id = new_turn(of, question, **fields)
        turn.generate(str(of), str(turn_id))
        with tenant_session(of) as session:
            return turns.get(session, turn_id)

    return asked


def new_turn(tenant: UUID, question: str, **fields: Any) -> UUID:
    """Return a turn whose ground is found and whose answer is to be made."""
    turn_id = uuid4()
    passage = {"source": "document_chunks", "chunk_id": 1, "doc_id": str(uuid4()), "filename": "prices.txt"}
    passage |= {"text": "A bicycle costs 900 euros.", "heading_path": [], "boxes": []}
    values = {"assistant_key": "default-assistant", "spoken": False, "stage": TurnStage.GENERATE, **fields}
    with tenant_session(tenant) as session:
        conversation_id = turns.open_conversation(session, tenant, "u", values["assistant_key"])
        session.add(
            Turn(
                tenant_id=tenant,
                turn_id=turn_id,
                conversation_id=conversation_id,
                question=question,
                passages=[passage],
                confidence=0.9,
                **values,
            )
        )
    return turn_id


def forget_settings() -> None:
    for remembered in (get_settings, wiring._kept, wiring._shared, wiring._own):
        remembered.cache_clear()


def forget(client: "redis.Redis") -> None:
    health._seen.cache_clear()
    circuits._away_until = 0.0
    for key in client.scan_iter(match="aura:*:provider:*", count=1000):
        client.delete(key)


@pytest.fixture
def policy(tenant: UUID) -> Callable[..., None]:
    """Return what sets the tenant's policy."""

    def set_to(**given: Any) -> None:
        with tenant_session(tenant) as session:
            tenants.get(session, tenant).custom_settings = {"model_policy": given}

    return set_to
