"""Webhooks in the database: what is owed is written with what happened, in one transaction."""

import json
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import redis
from sqlalchemy import CursorResult, func, select, text
from sqlalchemy.orm import Session

from pipelines.stores.events import reaching_redis
from pipelines.webhooks import filters
from schemas.events import Event
from schemas.hooks import WEBHOOK_EVENTS, WebhookEndpoint

WOKEN_S = 5
"""How long a wake-up stands for all that come after it, unless a worker takes it first."""

_ENQUEUE = text(
    # The microseconds keep the order of one call.
    "INSERT INTO webhook_deliveries (tenant_id, endpoint_id, event_id, event_type, payload, due_at)"
    " SELECT e.tenant_id, e.endpoint_id, v.event_id, v.event_type, v.payload, now() + v.nth * interval '1 us'"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:filters AS text[]), CAST(:payloads AS jsonb[]))"
    " WITH ORDINALITY AS v(event_id, event_type, filters, payload, nth)"
    " JOIN webhook_endpoints e ON e.tenant_id = :tenant AND e.is_active AND e.events && string_to_array(v.filters, ' ')"
)


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
    ids = [uuid4() for _ in told]
    found = session.execute(
        _ENQUEUE,
        {
            "tenant": tenant_id,
            "ids": ids,
            "types": [event.name.value for event in told],
            "filters": [" ".join(filters.matching(event.name)) for event in told],
            "payloads": [json.dumps(body(event, id)) for event, id in zip(told, ids, strict=True)],
        },
    )
    return cast("CursorResult[Any]", found).rowcount


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
