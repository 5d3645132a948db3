"""Publishes what happened. Live events may be lost with Redis; the rows they tell of are not."""

from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from pipelines.stores import events, webhooks
from pipelines.stores.database import Driver, tenant_session
from pipelines.stores.redis import get_redis
from schemas.errors.providers import StoreUnavailable
from schemas.events import Event, EventName, Subject
from schemas.tables.dialogue import Turn
from schemas.tables.knowledge import UPLOADED, Document
from workers import send

log = structlog.get_logger()


def document(name: EventName, tenant_id: UUID, doc_id: UUID, /, **data: object) -> None:
    """Tell an event of a document."""
    durably([of_document(name, tenant_id, doc_id, **data)])


def of_document(name: EventName, tenant_id: UUID, doc_id: UUID, /, **data: object) -> Event:
    """Return an event of a document, to be published with others by `many`."""
    return Event(name, Subject.document(tenant_id, doc_id), {"doc_id": str(doc_id), **data})


def about(name: EventName, document: Document, /, **data: object) -> Event:
    """Return an event of a document that names its batch, where it is part of one, and of an entry its source."""
    also = {"batch_id": str(document.batch_id)} if document.batch_id else {}
    if document.source != UPLOADED:
        also["source"] = document.source
    return of_document(name, document.tenant_id, document.doc_id, **also, **data)


def batch(name: EventName, tenant_id: UUID, batch_id: UUID, /, **data: object) -> None:
    """Tell an event of a batch of documents."""
    durably([Event(name, Subject.batch(tenant_id, batch_id), {"batch_id": str(batch_id), **data})])


def of_turn(name: EventName, turn: Turn, /, **data: object) -> Event:
    """Return an event of a turn, which belongs to its conversation. It says so where the turn is not asked yet."""
    subject = Subject.conversation(turn.tenant_id, turn.conversation_id)
    about = {"turn_id": str(turn.turn_id), "conversation_id": str(turn.conversation_id), **data}
    return Event(name, subject, about if turn.confirmed_at is not None else {**about, "speculative": True})


def cancelled(tenant_id: UUID, conversation_id: UUID, turn_id: UUID, reason: str) -> None:
    """Publish that a turn was cancelled of which only this is known."""
    subject = Subject.conversation(tenant_id, conversation_id)
    about = {"turn_id": str(turn_id), "conversation_id": str(conversation_id), "reason": reason}
    many([Event(EventName.TURN_CANCELLED, subject, about)])


def forget_turn(turn: Turn) -> None:
    """Delete the events of a turn that was never asked. Raises StoreUnavailable."""
    subject = Subject.conversation(turn.tenant_id, turn.conversation_id)
    # A second for clocks that differ.
    began_ms = max(0, round((turn.created_at.timestamp() - 1) * 1e3))
    told = events.replay(get_redis(), subject, after=str(began_ms))
    events.drop(get_redis(), subject, [event for event in told if event.data.get("turn_id") == str(turn.turn_id)])


def tenant(name: EventName, tenant_id: UUID, /, **data: object) -> None:
    """Tell an event of a tenant as a whole."""
    durably([Event(name, Subject.tenant(tenant_id), {"tenant_id": str(tenant_id), **data})])


def owe(session: Session, tenant_id: UUID, told: Sequence[Event]) -> Callable[[], None]:
    """Owe events to webhooks in the caller's transaction; return what tells them after its commit."""
    owed = webhooks.enqueue(session, tenant_id, told)

    def tell() -> None:
        many(told)
        if owed:
            send.webhooks(tenant_id)

    return tell


def owe_by(driver: Driver, tenant_id: UUID, told: Sequence[Event], wanted: Sequence[str]) -> Callable[[], None]:
    """As `owe`, by a driver's connection; `wanted` are the filters of the tenant's endpoints (`webhooks.WANTED`)."""
    owed = webhooks.enqueue_by(driver, tenant_id, told, wanted)

    def tell() -> None:
        many(told)
        if owed:
            send.webhooks(tenant_id)

    return tell


def durably(told: Sequence[Event]) -> None:
    """Tell events, all of one tenant, to its webhooks too, where what happened has no transaction of ours."""
    if told:
        tenant_id = told[0].subject.tenant_id
        with tenant_session(tenant_id) as session:
            tell = owe(session, tenant_id, told)
        tell()


def many(found: Sequence[Event]) -> None:
    """Publish events, of any subjects, in this order and in one round trip."""
    try:
        events.publish_many(get_redis(), found)
    except StoreUnavailable:
        log.warning("events not published", names=sorted({event.name.value for event in found}), count=len(found))
