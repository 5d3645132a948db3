"""The log of webhook deliveries: what was sent and answered, and sending it again."""

import threading
from typing import Any
from uuid import UUID

from flask_openapi3 import APIBlueprint, Tag

from api.door import auth
from api.door.paging import cursor, position
from api.door.permissions import allows
from api.door.waiting import preferred_wait_s
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import audit
from pipelines.stores.webhooks import deliveries, endpoints
from pipelines.stores.webhooks.deliveries import Wanted
from schemas.errors.requests import InvalidRequest
from schemas.requests.common import IdPath
from schemas.requests.organisation.webhooks import (
    AttemptView,
    DeliveryDetail,
    DeliveryListing,
    DeliveryPage,
    DeliveryView,
    ReplayBody,
    Replayed,
)
from schemas.tables.hooks import DeliveryStatus, WebhookDelivery
from schemas.tables.identity import Permission
from workers import send

blueprint = APIBlueprint("delivery_log", __name__, url_prefix="/api/webhooks", abp_tags=[Tag(name="webhooks")])

LOOK_EVERY_S = 0.1
MAX_WAIT_S = 20.0
"""A little above a try's time limit."""


@blueprint.get("/<uuid:id>/deliveries", responses={200: DeliveryPage})
@allows(Permission.WEBHOOKS)
def listing(path: IdPath, query: DeliveryListing) -> dict[str, Any]:
    """Return an endpoint's deliveries of the last 30 days, newest first."""
    wanted = Wanted(query.status, query.type, query.since, query.until)
    with tenant_session(auth.caller().tenant_id) as session:
        endpoints.get(session, path.id)
        found = deliveries.listing(session, path.id, wanted, query.limit + 1, position(query.after))
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {
        "deliveries": [view(delivery) for delivery in found[: query.limit]],
        "next": cursor(last.created_at, last.delivery_id) if last else None,
    }


@blueprint.get("/deliveries/<uuid:id>", responses={200: DeliveryDetail})
@allows(Permission.WEBHOOKS)
def show(path: IdPath) -> dict[str, Any]:
    """Return a delivery with its body and all its tries."""
    with tenant_session(auth.caller().tenant_id) as session:
        delivery = deliveries.get(session, path.id)
        tries = deliveries.attempts(session, path.id)
    seen = [AttemptView.model_validate(each, from_attributes=True).model_dump(mode="json") for each in tries]
    return {**view(delivery), "payload": delivery.payload, "tries": seen}


@blueprint.post("/deliveries/<uuid:id>/replay", responses={202: DeliveryView})
@allows(Permission.WEBHOOKS)
def replay(path: IdPath) -> Any:
    """Send an event once more, by a delivery of its own. Receivers know it by the same `webhook-id`."""
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        delivery = deliveries.get(session, path.id)
        again = view(deliveries.replay(session, delivery))
        _audit(session, tenant_id, delivery.endpoint_id, {"delivery_id": str(path.id)})
    send.webhooks(tenant_id)
    return again, 202


@blueprint.post("/<uuid:id>/replay", responses={202: Replayed})
@allows(Permission.WEBHOOKS)
def replay_range(path: IdPath, body: ReplayBody) -> Any:
    """Send all events of a time once more, 10,000 at most; those that still wait are not doubled."""
    tenant_id = auth.caller().tenant_id
    if body.until <= body.since:
        raise InvalidRequest("`to` must be later than `from`.")
    with tenant_session(tenant_id) as session:
        endpoints.get(session, path.id)
        queued = deliveries.replay_range(session, path.id, Wanted(body.status, None, body.since, body.until))
        about = {"from": body.since.isoformat(), "to": body.until.isoformat(), "status": body.status, "queued": queued}
        _audit(session, tenant_id, path.id, about)
    if queued:
        send.webhooks(tenant_id)
    return {"queued": queued}, 202


def view(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return a delivery as its tenant sees it."""
    pending = delivery.status == DeliveryStatus.PENDING
    return DeliveryView(
        id=delivery.delivery_id,
        endpoint_id=delivery.endpoint_id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        status=DeliveryStatus(delivery.status),
        attempts=delivery.attempts,
        status_code=delivery.status_code,
        error_code=delivery.error_code,
        next_attempt_at=delivery.due_at if pending else None,
        created_at=delivery.created_at,
        delivered_at=delivery.delivered_at,
        replay_of=delivery.replay_of,
    ).model_dump(mode="json")


def ended(tenant_id: UUID, seen: dict[str, Any]) -> dict[str, Any]:
    """Return a delivery once it has ended, or as it is when the request's `Prefer: wait=N` is over."""
    pause, delivery_id = threading.Event(), UUID(seen["id"])
    for _ in range(int(min(preferred_wait_s() or 0, MAX_WAIT_S) / LOOK_EVERY_S)):
        # It ends in another process, of which nothing is published.
        pause.wait(LOOK_EVERY_S)
        with tenant_session(tenant_id) as session:
            seen = view(deliveries.get(session, delivery_id))
        if seen["status"] != DeliveryStatus.PENDING:
            break
    return seen


def _audit(session: Any, tenant_id: UUID, endpoint_id: UUID, after: dict[str, Any]) -> None:
    actor = auth.actor()
    audit.record(session, tenant_id, actor, "webhook.replayed", "webhook_endpoint", endpoint_id, after=after)
