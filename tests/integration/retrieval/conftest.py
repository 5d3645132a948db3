"""Documents of several chunks, a far end that embeds, reranks and chats, and turns that are looked for in-process."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from pipelines.stores.database import tenant_session
from pipelines.stores.turns import turns
from schemas.settings import get_settings
from schemas.tables.dialogue import Message, Turn
from tests.integration import storing
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd, Reply, far_end
from tests.integration.reindex.stacks import vector_of
from tests.integration.storing import MODEL
from workers import wiring
from workers.dialogue import finding, reranking


class Far(FarEnd):
    """What each path answers; embeddings are those of `vector_of` unless a test says otherwise."""


def forget() -> None:
    """Let this process read its settings again, and forget what it has learned of tenants."""
    for remembered in (get_settings, wiring._kept, wiring._shared, wiring._own, wiring._shared_of, wiring._own_of):
        remembered.cache_clear()
    reranking._remote.cache_clear()
    finding._others.clear()
    finding._away.clear()


@pytest.fixture
def replies() -> dict[str, Reply]:
    """Return what the far end answers by the end of the path; a test changes it."""
    return {"/embeddings": fakes.embeddings(lambda text: vector_of(text, MODEL))}


@pytest.fixture
def far(servers: object, replies: dict[str, Reply]) -> Iterator[FarEnd]:
    """Yield the far end, by which this process embeds."""

    def reply(exchange: Exchange) -> None:
        known = next((answer for end, answer in replies.items() if exchange.asked.path.endswith(end)), None)
        (known or fakes.failure(404))(exchange)

    with far_end() as fake, pytest.MonkeyPatch.context() as patch:
        fake.reply = reply
        patch.setenv("AURA_EMBEDDER", "custom")
        patch.setenv("AURA_EMBEDDING_MODEL", MODEL)
        patch.setenv("AURA_EMBEDDING_BASE_URL", f"{fake.url}/v1")
        forget()
        yield fake
    forget()


@pytest.fixture
def configured(far: FarEnd, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what changes settings of this process; `{url}` in a value is the far end's."""

    def configure(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"AURA_{name.upper()}", value.format(url=far.url))
        forget()

    return configure


@pytest.fixture
def stored(tenant: UUID) -> Callable[..., UUID]:
    """Return what stores a document of these chunks, as the workers do, and returns its id."""

    return partial(storing.store, tenant)


@pytest.fixture
def talk(tenant: UUID) -> Callable[..., Turn]:
    """Return what makes a turn that is to be looked for, after these (question, answer) pairs."""

    def make(question: str, *before: tuple[str, str], filters: dict[str, Any] | None = None, **facts: Any) -> Turn:
        with tenant_session(tenant) as session:
            conversation = turns.open_conversation(session, tenant, "tester", "default-assistant")
            for asked, answer in before:
                turn_id = _add(tenant, session, conversation, asked)
                for role, text in (("user", asked), ("assistant", answer)):
                    session.add(
                        Message(
                            tenant_id=tenant, turn_id=turn_id, role=role, conversation_id=conversation, content=text
                        )
                    )
            turn_id = _add(tenant, session, conversation, question, filters=filters or {}, **facts)
        with tenant_session(tenant) as session:
            turn = turns.get(session, turn_id)
            session.expunge(turn)
        return turn

    return make


def _add(tenant: UUID, session: Any, conversation: UUID, question: str, **facts: Any) -> UUID:
    turn_id = uuid4()
    about = {"assistant_key": "default-assistant", "spoken": False, "stage": "retrieve", "status": "completed"}
    of = {"tenant_id": tenant, "turn_id": turn_id, "conversation_id": conversation}
    session.add(Turn(**of, **about, question=question, **facts))
    session.flush()
    return turn_id
