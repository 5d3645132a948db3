"""Assistants: what each is set to, and what becomes of its knowledge when it goes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, literal, select, text, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pipelines.stores.knowledge import chunks, documents, reindexing
from pipelines.stores.organisation.tenants import DEFAULT_ASSISTANT
from schemas.errors.callers import QuotaExceeded
from schemas.errors.requests import AssistantInUse, ChangedMeanwhile, Conflict, UnknownAssistant
from schemas.tables.knowledge import Document, Status
from schemas.tables.tenancy import Agent

MAX_AGENTS = 1_000
"""Of a tenant."""

COPIED = (
    "instructions",
    "greeting",
    "persona",
    "voice_id",
    "voice_speed",
    "filler_after_ms",
    "fillers",
    "language",
    "knowledge_filter",
    "model_policy",
    "kind",
)


def get(session: Session, assistant_key: str, *, lock: bool = False) -> Agent:
    """Return the tenant's assistant; with `lock` nobody else changes it until the transaction ends.

    Raises UnknownAssistant.
    """
    wanted = select(Agent).where(Agent.assistant_key == assistant_key)
    found = session.scalar(wanted.with_for_update() if lock else wanted, execution_options={"populate_existing": True})
    if found is None:
        raise UnknownAssistant
    return found


def listing(
    session: Session, limit: int, after: tuple[datetime, UUID] | None = None, *, active_only: bool = False
) -> list[Agent]:
    """Return the tenant's assistants, oldest first, `limit` at most, those younger than `after`."""
    query = select(Agent).order_by(Agent.created_at, Agent.agent_id).limit(limit)
    if after is not None:
        query = query.where(tuple_(Agent.created_at, Agent.agent_id) > tuple_(*map(literal, after)))
    return list(session.scalars(query.where(Agent.is_active) if active_only else query))


def add(session: Session, tenant_id: UUID, fields: Mapping[str, Any]) -> Agent:
    """Add an assistant. Raises Conflict where its key is taken, QuotaExceeded where there are too many."""
    there = session.scalar(select(func.count()).select_from(Agent)) or 0
    if there >= MAX_AGENTS:
        raise QuotaExceeded(f"An organisation has {MAX_AGENTS:,} assistants at most.")
    agent = Agent(tenant_id=tenant_id, agent_id=uuid4(), **fields)
    session.add(agent)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"There is an assistant {fields['assistant_key']!r} already.") from error
    session.refresh(agent)
    return agent


def change(session: Session, agent: Agent, fields: Mapping[str, Any]) -> None:
    """Change a locked assistant; where nothing differs it stays the revision that it is."""
    differing = {name: value for name, value in fields.items() if getattr(agent, name) != value}
    if not differing:
        return
    for name, value in differing.items():
        setattr(agent, name, value)
    agent.revision += 1
    agent.updated_at = func.now()
    session.flush()
    session.refresh(agent)


def require(agent: Agent, matches: bool) -> None:
    """Raise ChangedMeanwhile where the assistant is not the revision that somebody has read."""
    if not matches:
        raise ChangedMeanwhile(f"The assistant is at revision {agent.revision}. Read it again, then repeat the change.")


def copied(agent: Agent) -> dict[str, Any]:
    """Return what a copy has of an assistant."""
    return {name: getattr(agent, name) for name in COPIED}


def owned(session: Session, assistant_key: str, at_most: int | None = None) -> list[Document]:
    """Return documents, those of entries too, that only this assistant uses."""
    wanted = select(Document).where(Document.assistant_key == assistant_key).order_by(Document.doc_id)
    return list(session.scalars(wanted.limit(at_most)))


def remove_documents(session: Session, tenant_id: UUID, found: Sequence[Document]) -> None:
    """Delete documents with their chunks and, where they are of entries, these."""
    ids = [document.doc_id for document in found]
    chunks.forget(session, tenant_id, ids)
    session.execute(delete(Document).where(Document.doc_id.in_(ids)).execution_options(synchronize_session=False))
    documents.touch_knowledge(session)


def share(session: Session, tenant_id: UUID, assistant_key: str) -> int:
    """Let all assistants use what only this one did; return how many documents that are, those of entries too.

    Raises Conflict where some of it is there for all already.
    """
    chunks.lock_corpus(session, tenant_id)
    running = select(Document.doc_id).where(
        Document.assistant_key == assistant_key, Document.processing_status == Status.RUNNING
    )
    # What is stored later would still be the assistant's own.
    if ids := list(session.scalars(running)):
        reindexing.anew(session, ids)
    about = {"key": assistant_key}
    try:
        for table in ("training_data", "logic_notes", "reference_materials", "document_chunks"):
            session.execute(text(f"UPDATE {table} SET assistant_key = NULL WHERE assistant_key = :key"), about)
        shared = session.execute(
            update(Document).where(Document.assistant_key == assistant_key).values(assistant_key=None)
        )
    except IntegrityError as error:
        raise Conflict("Some of its knowledge is there for all assistants already. Delete one of the two.") from error
    documents.touch_knowledge(session)
    return int(shared.rowcount)  # type: ignore[attr-defined]


def remove(session: Session, assistant_key: str) -> None:
    """Delete an assistant that owns nothing. Raises UnknownAssistant, AssistantInUse, Conflict for the default one."""
    agent = get(session, assistant_key, lock=True)
    require_removable(agent)
    if owned(session, assistant_key, 1):
        raise AssistantInUse
    session.delete(agent)
    session.flush()


def require_removable(agent: Agent) -> None:
    """Raise Conflict where it is the assistant that answers where none is named."""
    if agent.assistant_key == DEFAULT_ASSISTANT:
        raise Conflict(f"{DEFAULT_ASSISTANT!r} answers where no assistant is named, and cannot be deleted.")
