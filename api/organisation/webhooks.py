"""Webhooks of an organisation: where it is told of events, what was sent there, and sending it again."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask_openapi3 import APIBlueprint, Tag

from api.door import auth
from api.door.permissions import allows
from api.organisation import delivery_log
from pipelines import outbound
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import audit
from pipelines.stores.webhooks import deliveries, endpoints
from pipelines.webhooks import filters
from schemas.errors.addresses import EndpointDisabled
from schemas.errors.requests import InvalidRequest
from schemas.requests.common import IdPath
from schemas.requests.organisation.webhooks import (
    DeliveryView,
    EndpointBody,
    EndpointChange,
    EndpointGone,
    EndpointList,
    EndpointMade,
    EndpointView,
    EventTypeList,
)
from schemas.tables.hooks import WEBHOOK_EVENTS
from schemas.tables.identity import Permission
from workers import send

blueprint = APIBlueprint("webhooks", __name__, url_prefix="/api/webhooks", abp_tags=[Tag(name="webhooks")])


@blueprint.get("", responses={200: EndpointList})
@allows(Permission.WEBHOOKS)
def listing() -> dict[str, Any]:
    """Return the organisation's endpoints, oldest first, without their secrets."""
    with tenant_session(auth.caller().tenant_id) as session:
        return {"endpoints": [endpoints.view(endpoint) for endpoint in endpoints.listing(session)]}


@blueprint.post("", responses={201: EndpointMade})
@allows(Permission.WEBHOOKS)
def make(body: EndpointBody) -> Any:
    """Add an endpoint. The secret that signs for it is in this answer and nowhere else."""
    tenant_id = auth.caller().tenant_id
    _check_filters(body.events)
    url = outbound.check(body.url).text
    with tenant_session(tenant_id) as session:
        endpoint, secret = endpoints.add(
            session,
            tenant_id,
            body.headers,
            url=url,
            events=body.events,
            description=body.description,
            max_in_flight=body.max_in_flight,
        )
        view = endpoints.view(endpoint)
        _audit(tenant_id, session, "webhook.made", endpoint.endpoint_id, after=view)
    return {**view, "secret": secret}, 201


@blueprint.get("/event-types", responses={200: EventTypeList})
@allows(Permission.WEBHOOKS)
def event_types() -> dict[str, Any]:
    """Return the events that webhooks tell of."""
    names = sorted(name.value for name in WEBHOOK_EVENTS)
    return {"event_types": [{"name": name, "group": filters.matching(name)[1]} for name in names]}


@blueprint.get("/<uuid:id>", responses={200: EndpointView})
@allows(Permission.WEBHOOKS)
def show(path: IdPath) -> dict[str, Any]:
    """Return an endpoint without its secret."""
    with tenant_session(auth.caller().tenant_id) as session:
        return endpoints.view(endpoints.get(session, path.id))


@blueprint.patch("/<uuid:id>", responses={200: EndpointView})
@allows(Permission.WEBHOOKS)
def change(path: IdPath, body: EndpointChange) -> dict[str, Any]:
    """Change an endpoint. While it is not active, events of that time are not kept for it."""
    tenant_id = auth.caller().tenant_id
    fields = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    _check_filters(fields.get("events", []))
    with tenant_session(tenant_id) as session:
        endpoints.get(session, path.id)
    if "url" in fields:
        fields["url"] = outbound.check(fields["url"]).text
    with tenant_session(tenant_id) as session:
        endpoint = endpoints.get(session, path.id, lock=True)
        before = endpoints.view(endpoint)
        endpoints.change(session, endpoint, fields.pop("headers", None), **fields)
        view = endpoints.view(endpoint)
        differing = audit.changed(before, view)
        _audit(tenant_id, session, "webhook.changed", path.id, *differing)
    send.webhooks(tenant_id)
    return view


@blueprint.delete("/<uuid:id>", responses={200: EndpointGone})
@allows(Permission.WEBHOOKS)
def remove(path: IdPath) -> dict[str, Any]:
    """Delete an endpoint with its log and all that was not delivered yet; answer with the receipt."""
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        endpoint = endpoints.get(session, path.id, lock=True)
        view = endpoints.view(endpoint)
        gone = endpoints.remove(session, endpoint)
        _audit(tenant_id, session, "webhook.deleted", path.id, before=view)
    return {
        "id": view["id"],
        "url": view["url"],
        "deliveries_deleted": gone,
        "deleted_at": datetime.now(UTC).isoformat(),
    }


@blueprint.post("/<uuid:id>/rotate", responses={201: EndpointMade})
@allows(Permission.WEBHOOKS)
def rotate(path: IdPath) -> Any:
    """Give an endpoint a new secret; for 24 hours every message carries a signature by each of the two."""
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        endpoint = endpoints.get(session, path.id, lock=True)
        secret = endpoints.rotate(session, endpoint)
        view = endpoints.view(endpoint)
        _audit(tenant_id, session, "webhook.rotated", path.id, after=view)
    return {**view, "secret": secret}, 201


@blueprint.post("/<uuid:id>/enable", responses={200: EndpointView})
@allows(Permission.WEBHOOKS)
def enable(path: IdPath) -> dict[str, Any]:
    """Send to an endpoint again that was disabled; what waited for it goes out now."""
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        endpoint = endpoints.get(session, path.id, lock=True)
        was_active = endpoint.is_active
        endpoints.enable(session, endpoint)
        view = endpoints.view(endpoint)
        if not was_active:
            _audit(tenant_id, session, "webhook.enabled", path.id, after=view)
    send.webhooks(tenant_id)
    return view


@blueprint.post("/<uuid:id>/test", responses={202: DeliveryView})
@allows(Permission.WEBHOOKS)
def test(path: IdPath) -> Any:
    """Send a `webhook.test` at once, whatever the endpoint's filters, and only once.

    `Prefer: wait=N` waits up to N seconds for its end.
    """
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        endpoint = endpoints.get(session, path.id)
        if not endpoint.is_active:
            raise EndpointDisabled
        delivery = deliveries.add_test(session, endpoint)
        view = delivery_log.view(delivery)
        _audit(tenant_id, session, "webhook.tested", path.id, after={"delivery_id": view["id"]})
    send.webhooks(tenant_id)
    return delivery_log.ended(tenant_id, view), 202


def _check_filters(found: list[str]) -> None:
    """Raise InvalidRequest where a filter would never let anything through."""
    if unknown := filters.unknown(found):
        raise InvalidRequest(f"No such events: {', '.join(unknown)}. /api/webhooks/event-types lists them.")


def _audit(
    tenant_id: UUID, session: Any, action: str, endpoint_id: UUID, before: Any = None, after: Any = None
) -> None:
    audit.record(session, tenant_id, auth.actor(), action, "webhook_endpoint", endpoint_id, before=before, after=after)
