"""Publishes what happened. Live events may be lost with Redis; the rows they tell of are not."""

from uuid import UUID

import structlog

from pipelines.stores import events
from pipelines.stores.redis import get_redis
from schemas.errors import StoreUnavailable
from schemas.events import Event, EventName, Subject

log = structlog.get_logger()


def document(name: EventName, tenant_id: UUID, doc_id: UUID, /, **data: object) -> None:
    """Publish an event of a document."""
    _publish(Event(name, Subject.document(tenant_id, doc_id), {"doc_id": str(doc_id), **data}))


def turn(name: EventName, tenant_id: UUID, conversation_id: UUID, turn_id: UUID, /, **data: object) -> None:
    """Publish an event of a turn, on its conversation."""
    subject = Subject.conversation(tenant_id, conversation_id)
    _publish(Event(name, subject, {"turn_id": str(turn_id), "conversation_id": str(conversation_id), **data}))


def tenant(name: EventName, tenant_id: UUID, /, **data: object) -> None:
    """Publish an event of a tenant as a whole."""
    _publish(Event(name, Subject.tenant(tenant_id), {"tenant_id": str(tenant_id), **data}))


def _publish(event: Event) -> None:
    try:
        events.publish(get_redis(), event)
    except StoreUnavailable:
        log.warning("event not published", name=event.name.value)
