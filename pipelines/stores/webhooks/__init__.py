"""Webhooks in the database: what is owed is written with what happened, in one transaction."""

import json
from collections.abc import Collection, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import redis
from sqlalchemy import CursorResult, func, select, text
from sqlalchemy.orm import Session

from pipelines.stores.database import Driver
from pipelines.stores.events import reaching_redis
from pipelines.webhooks import filters
from schemas.events import Event
from schemas.tables.hooks import WEBHOOK_EVENTS, WebhookEndpoint

WOKEN_S = 5
"""How long a wake-up stands for all that come after it, unless a worker takes it first."""

_OWE = (
    # The microseconds keep the order of one call.
    "INSERT INTO webhook_deliveries (tenant_id, endpoint_id, event_id, event_type, payload, due_at)"
    " SELECT e.tenant_id, e.endpoint_id, v.event_id, v.event_type, v.payload, now() + v.nth * interval '1 us'"
    " FROM unnest(CAST({ids} AS uuid[]), CAST({types} AS text[]), CAST({filters} AS text[]),"
    " CAST({payloads} AS jsonb[])) WITH ORDINALITY AS v(event_id, event_type, filters, payload, nth)"
    " JOIN webhook_endpoints e ON e.tenant_id = {tenant} AND e.is_active"
    " AND e.events && string_to_array(v.filters, ' ')"
)
_ENQUEUE = text(_OWE.format(**{name: f":{name}" for name in ("ids", "types", "filters", "payloads", "tenant")}))
OWE = _OWE.format(**{name: f"%({name})s" for name in ("ids", "types", "filters", "payloads", "tenant")})
"""The same for a driver's statement: part of one that does what is told of, with what `owing` returns."""

WANTED = (
    "SELECT array(SELECT DISTINCT unnest(events) FROM webhook_endpoints WHERE tenant_id = %(tenant)s AND is_active)"
)
"""Which filters the tenant's endpoints have."""


def enqueue(session: Session, tenant_id: UUID, events: Sequence[Event]) -> int:
    """Owe these events to the endpoints that want them, and return how many deliveries that makes.

    For the caller's own transaction: what happened and that it is told are committed together. Where it is
    more than 0, wake a worker after the commit (`workers.send.webhooks`). A tenant without endpoints costs one
    small question, however many events there are.
    """
    told = [event for event in events if event.name in WEBHOOK_EVENTS]
    if not told:
        return 0
    wanted = set(
        session.scalars(select(func.unnest(WebhookEndpoint.events)).where(WebhookEndpoint.is_active).distinct())
    )
    told = [event for event in told if wanted.intersection(filters.matching(event.name))] if wanted else []
    if not told:
        return 0
    found = session.execute(_ENQUEUE, owing(tenant_id, told))
    return cast("CursorResult[Any]", found).rowcount


def enqueue_by(driver: Driver, tenant_id: UUID, events: Sequence[Event], wanted: Collection[str]) -> int:
    """As `enqueue`, by a driver's connection; `wanted` is what `WANTED` found."""
    told = [event for event in events if event.name in WEBHOOK_EVENTS]
    told = [event for event in told if set(filters.matching(event.name)).intersection(wanted)]
    return driver.execute(OWE, owing(tenant_id, told)).rowcount if told else 0


def owing(tenant_id: UUID, told: Sequence[Event]) -> dict[str, Any]:
    """Return what the statement takes by which these events are owed to those endpoints that want them."""
    told = [event for event in told if event.name in WEBHOOK_EVENTS]
    ids = [uuid4() for _ in told]
    return {
        "tenant": tenant_id,
        "ids": ids,
        "types": [event.name.value for event in told],
        "filters": [" ".join(filters.matching(event.name)) for event in told],
        "payloads": [json.dumps(body(event, id)) for event, id in zip(told, ids, strict=True)],
    }


def body(event: Event, event_id: UUID) -> dict[str, Any]:
    """Return what receivers are sent."""
    return {
        "type": event.name.value,
        "timestamp": event.at.isoformat(),
        "id": str(event_id),
        "tenant_id": str(event.subject.tenant_id),
        "data": dict(event.data),
    }


def must_wake(client: "redis.Redis", tenant_id: UUID) -> bool:
    """Return whether a message is needed: False where one is on its way that no worker has taken yet.

    So 10,000 events make a handful of messages. Raises StoreUnavailable.
    """
    with reaching_redis():
        return bool(client.set(_woken(tenant_id), "1", nx=True, ex=WOKEN_S))


def awake(client: "redis.Redis", tenant_id: UUID) -> None:
    """Say that a worker has taken the tenant's message, and looks only now. Raises StoreUnavailable."""
    with reaching_redis():
        client.delete(_woken(tenant_id))


def _woken(tenant_id: UUID) -> str:
    return f"aura:{tenant_id}:webhooks:woken"
