"""Tenants that know something, and people who ask: the steps of a turn are called as functions."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from api.dialogue import turns as asking
from api.door.auth import Caller
from pipelines.ingest.elements import Chunk
from pipelines.stores.database import TenantSession, tenant_session
from pipelines.stores.ingest import accepting
from pipelines.stores.ingest.accepting import Upload
from pipelines.stores.ingest.parts import StageRef
from pipelines.stores.knowledge import chunks, documents
from pipelines.stores.knowledge.chunks import Incoming
from pipelines.stores.knowledge.documents import Switch
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from schemas.tables.dialogue import Turn, TurnStatus
from schemas.tables.knowledge import Stage
from workers import send, turn, wiring

OPENING = "The museum opens at nine o'clock and closes at six o'clock."
SAFE = "The safe in the office opens with the code 4711."


class Visitor:
    """Somebody who asks a tenant's assistants."""

    def __init__(self, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.caller = Caller(tenant_id, "visitor", "user")

    def start(self, question: str, **fields: Any) -> UUID:
        """Ask, and return the turn's id."""
        assistant = fields.setdefault("assistant_key", "default-assistant")
        conversation = fields.pop("conversation_id", None) or asking.open_conversation(self.caller, assistant)
        return asking.start_turn(self.caller, conversation, question=question, **fields)

    def ask(self, question: str, **fields: Any) -> Turn:
        """Return the turn as it is answered: at once from the cache, else by the workers' steps."""
        turn_id = self.start(question, **fields)
        if self.turn(turn_id).answer is None:
            turn.retrieve(str(self.tenant_id), str(turn_id))
            turn.generate(str(self.tenant_id), str(turn_id))
        return self.turn(turn_id)

    def turn(self, turn_id: UUID) -> Turn:
        with tenant_session(self.tenant_id) as session:
            return turns.get(session, turn_id)


def learn(tenant_id: UUID, *texts: str, instead_of: UUID | None = None) -> UUID:
    """Store a document of these texts, and drop another, in one transaction; return its id."""
    upload = Upload("tester", "notes.txt", "txt", 100, uuid4().hex)
    with tenant_session(tenant_id) as session:
        document, _ = accepting.accept(session, tenant_id, upload)
        doc_id = document.doc_id
        admit(session, doc_id)
    embedder = wiring.embedder(tenant_id)
    vectors = embedder.embed(texts).astype(np.float16)
    made = [Chunk(i, text, "general", len(text.split()), 0, len(text)) for i, text in enumerate(texts)]
    ref = StageRef(tenant_id, doc_id, 1, Stage.STORE)
    with tenant_session(tenant_id) as session:
        if instead_of is not None:
            documents.remove(session, instead_of)
        found = documents.get(session, doc_id)
        chunks.replace(session, tenant_id, [Incoming(ref, found, made, vectors, embedder.model)])
        documents.switch(session, [Switch(ref, len(made), 0)])
    return doc_id


def admit(session: TenantSession, doc_id: UUID) -> None:
    """Begin the document's first version as the admission does."""
    session.execute(
        documents.text("INSERT INTO document_versions (tenant_id, doc_id, version) VALUES (:tenant, :doc, 1)"),
        {"tenant": session.tenant_id, "doc": doc_id},
    )


@pytest.fixture
def visitor(tenant: UUID) -> Visitor:
    """Return somebody who asks a tenant that knows two things."""
    learn(tenant, OPENING, SAFE)
    return Visitor(tenant)


@pytest.fixture
def another(new_tenant: Callable[[], UUID]) -> Visitor:
    """Return somebody who asks another tenant, which knows the same."""
    tenant_id = new_tenant()
    learn(tenant_id, OPENING, SAFE)
    return Visitor(tenant_id)


@pytest.fixture(autouse=True)
def tidy(servers: object) -> Iterator[None]:
    """Leave no message behind: no worker runs here."""
    yield
    get_redis().delete(*send.QUEUES)


def hit(answered: Turn) -> str | None:
    """Return whether the answer came from the cache, and how."""
    assert answered.status == TurnStatus.COMPLETED, answered.error_detail
    return answered.cache.get("hit")
