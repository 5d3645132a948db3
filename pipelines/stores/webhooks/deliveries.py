"""The log of deliveries, as its tenant reads it, and what puts one there again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, CursorResult, func, insert, select, text, tuple_
from sqlalchemy.orm import Session

from pipelines.stores import webhooks
from schemas.errors.requests import InvalidRequest, NotFound
from schemas.events import Event, EventName, Subject
from schemas.tables.hooks import DeliveryStatus, WebhookAttempt, WebhookDelivery, WebhookEndpoint

MAX_REPLAYED = 10_000


@dataclass(frozen=True)
class Wanted:
    """Which deliveries of an endpoint are asked for; None asks for all. `until` is not among them."""

    status: str | None = None
    event_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self, endpoint_id: UUID) -> list[ColumnElement[bool]]:
        found = [WebhookDelivery.endpoint_id == endpoint_id]
        if self.status is not None:
            found.append(WebhookDelivery.status == self.status)
        if self.event_type is not None:
            found.append(WebhookDelivery.event_type == self.event_type)
        if self.since is not None:
            found.append(WebhookDelivery.created_at >= self.since)
        if self.until is not None:
            found.append(WebhookDelivery.created_at < self.until)
        return found


def listing(
    session: Session, endpoint_id: UUID, wanted: Wanted, limit: int, after: tuple[datetime, UUID] | None
) -> Sequence[WebhookDelivery]:
    """Return deliveries of an endpoint, newest first, those behind the place `after`."""
    order = tuple_(WebhookDelivery.created_at, WebhookDelivery.delivery_id)
    question = select(WebhookDelivery).where(*wanted.conditions(endpoint_id))
    if after is not None:
        question = question.where(order < after)
    newest = (WebhookDelivery.created_at.desc(), WebhookDelivery.delivery_id.desc())
    return session.scalars(question.order_by(*newest).limit(limit)).all()


def get(session: Session, delivery_id: UUID) -> WebhookDelivery:
    """Return a delivery. Raises NotFound."""
    found = session.scalar(select(WebhookDelivery).where(WebhookDelivery.delivery_id == delivery_id))
    if found is None:
        raise NotFound("There is no webhook delivery with this id.")
    return found


def attempts(session: Session, delivery_id: UUID) -> Sequence[WebhookAttempt]:
    """Return a delivery's tries, first to last."""
    return session.scalars(
        select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id).order_by(WebhookAttempt.attempt)
    ).all()


def add_test(session: Session, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Owe an endpoint a `webhook.test`, whatever its filters."""
    subject, event_id = Subject.tenant(endpoint.tenant_id), uuid4()
    event = Event(EventName.WEBHOOK_TEST, subject, {"endpoint_id": str(endpoint.endpoint_id)})
    delivery = WebhookDelivery(
        tenant_id=endpoint.tenant_id,
        delivery_id=uuid4(),
        endpoint_id=endpoint.endpoint_id,
        event_id=event_id,
        event_type=event.name.value,
        payload=webhooks.body(event, event_id),
    )
    session.add(delivery)
    session.flush()
    session.refresh(delivery)
    return delivery


def replay(session: Session, delivery: WebhookDelivery) -> WebhookDelivery:
    """Owe an event once more, by a delivery of its own; receivers know it by the same event id."""
    again = WebhookDelivery(
        tenant_id=delivery.tenant_id,
        delivery_id=uuid4(),
        endpoint_id=delivery.endpoint_id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        payload=delivery.payload,
        replay_of=delivery.delivery_id,
    )
    session.add(again)
    session.flush()
    session.refresh(again)
    return again


def replay_range(session: Session, endpoint_id: UUID, wanted: Wanted) -> int:
    """Owe the events of a range once more, and return how many; those that still wait, and replays, are not repeated.

    Raises InvalidRequest where they are more than MAX_REPLAYED.
    """
    chosen = [
        *wanted.conditions(endpoint_id),
        WebhookDelivery.replay_of.is_(None),
        WebhookDelivery.status != DeliveryStatus.PENDING,
    ]
    some = select(WebhookDelivery.delivery_id).where(*chosen).limit(MAX_REPLAYED + 1).subquery()
    if (session.scalar(select(func.count()).select_from(some)) or 0) > MAX_REPLAYED:
        raise InvalidRequest(
            f"The range holds more than {MAX_REPLAYED:,} deliveries. Replay shorter ranges one by one."
        )
    names = ("tenant_id", "endpoint_id", "event_id", "event_type", "payload", "replay_of", "due_at")
    again = select(
        WebhookDelivery.tenant_id,
        WebhookDelivery.endpoint_id,
        WebhookDelivery.event_id,
        WebhookDelivery.event_type,
        WebhookDelivery.payload,
        WebhookDelivery.delivery_id,
        # In the order in which it happened, as far as order goes here.
        func.now() + func.row_number().over(order_by=WebhookDelivery.created_at) * text("interval '1 us'"),
    ).where(*chosen)
    statement = insert(WebhookDelivery).from_select(names, again)
    found = session.execute(statement, execution_options={"preserve_rowcount": True})
    return cast("CursorResult[Any]", found).rowcount
