"""A question is put to the models of all chunks; where one can not be asked, words find what it embedded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import event

from pipelines.ingest.elements import Chunk
from pipelines.stores.database import get_engine, tenant_session
from pipelines.stores.knowledge import chunks, documents
from pipelines.stores.knowledge.chunks import Incoming
from pipelines.stores.knowledge.documents import Switch
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd, far_end
from tests.integration.reindex.stacks import embeds, vector_of
from tests.integration.stores.conftest import Library
from workers import wiring
from workers.dialogue import finding


def forget() -> None:
    """Let this process read its settings again, and forget what it has learned of tenants."""
    for remembered in (get_settings, wiring._kept, wiring._shared, wiring._own, wiring._shared_of, wiring._own_of):
        remembered.cache_clear()
    finding._others.clear()
    finding._away.clear()


@pytest.fixture
def far(servers: object) -> Iterator[FarEnd]:
    """Yield the server of one's own, whose model is `model-b` now."""
    with far_end() as fake, pytest.MonkeyPatch.context() as patch:
        fake.reply = embeds
        for name, value in (
            ("AURA_EMBEDDER", "custom"),
            ("AURA_EMBEDDING_MODEL", "model-b"),
            ("AURA_EMBEDDING_BASE_URL", f"{fake.url}/v1"),
        ):
            patch.setenv(name, value)
        forget()
        yield fake
    forget()


@pytest.fixture
def stored(tenant: UUID) -> Callable[[str, int], UUID]:
    """Return what stores a text about a gadget as a model embeds it."""

    def store(model: str, number: int) -> UUID:
        ref = Library().admitted(tenant)
        text = f"gadget{number}"
        vector = np.array([vector_of(text, model)], np.float32)
        vector /= np.linalg.norm(vector)
        with tenant_session(tenant) as session:
            document = documents.get(session, ref.doc_id)
            piece = Chunk(0, text, "general", 1, 0, len(text))
            chunks.replace(session, tenant, [Incoming(ref, document, [piece], vector.astype(np.float16), model)])
            documents.switch(session, [Switch(ref, 1, 1)])
        return ref.doc_id

    return store


def found(tenant: UUID, question: str) -> tuple[list[str], list[str]]:
    found = finding.rankings(Turn(tenant_id=tenant, turn_id=uuid4(), assistant_key=None), question)
    dense, lexical = found.dense, found.lexical
    return [passage.text for passage in dense], [passage.text for passage in lexical]


@contextmanager
def searches() -> Iterator[list[str]]:
    """Yield the searches by vectors that this process makes meanwhile."""
    made: list[str] = []

    def note(*given: object) -> None:
        if "match_document_chunks" in str(given[2]):
            made.append(str(given[2]))

    event.listen(get_engine(), "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(get_engine(), "before_cursor_execute", note)


def models_asked(far: FarEnd) -> list[str]:
    asked = [asked.json["model"] for asked in far.asked]
    far.asked.clear()
    return asked


def test_a_tenant_with_one_model_asks_one(far: FarEnd, tenant: UUID, stored: Callable[[str, int], UUID]) -> None:
    stored("model-b", 3)
    for question in ("widget3?", "Where is widget3?", "What of widget3?"):
        assert found(tenant, question)[0] == ["gadget3"]
    assert models_asked(far) == ["model-b"] * 3


def test_chunks_of_an_earlier_model_are_found_from_the_first_question_on(
    far: FarEnd, tenant: UUID, stored: Callable[[str, int], UUID]
) -> None:
    stored("model-b", 3)
    old = stored("model-a", 4)
    assert found(tenant, "widget4?")[0][0] == "gadget4"
    assert found(tenant, "widget3?")[0][0] == "gadget3"
    assert models_asked(far) == ["model-b", "model-a"] * 2
    with searches() as searched:
        found(tenant, "widget3?")
    assert len(searched) == 1
    models_asked(far)
    with tenant_session(tenant) as session:
        chunks.forget(session, tenant, [old])
    found(tenant, "Where is widget3?")
    models_asked(far)
    assert found(tenant, "What of widget3?")[0] == ["gadget3"]
    assert models_asked(far) == ["model-b"]


def test_an_earlier_model_that_is_away_costs_one_try_and_words_still_find(
    far: FarEnd, tenant: UUID, stored: Callable[[str, int], UUID]
) -> None:
    def reply(exchange: Exchange) -> None:
        (fakes.failure(404) if exchange.asked.json["model"] == "model-a" else embeds)(exchange)

    far.reply = reply
    stored("model-b", 3)
    stored("model-a", 4)
    for _ in range(3):
        dense, lexical = found(tenant, "gadget4")
        assert dense == ["gadget3"]
        assert lexical == ["gadget4"]
    assert models_asked(far).count("model-a") == 1


def test_a_model_that_nothing_here_makes_is_no_hindrance(
    far: FarEnd, tenant: UUID, stored: Callable[[str, int], UUID]
) -> None:
    stored("model-a", 4)
    # Not the fixture: that is undone after `far`, and would bring back what `far` had set.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AURA_EMBEDDER", "local")
        patch.setenv("AURA_EMBEDDING_BASE_URL", "")
        patch.setenv("AURA_EMBEDDING_MODEL", "")
        forget()
        dense, lexical = found(tenant, "gadget4")
    assert (dense, lexical) == ([], ["gadget4"])
