"""Where a tenant wants to be told: its endpoints, their secrets and whether they are sent to."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from pipelines.stores import sealing
from pipelines.webhooks import signing
from schemas.errors.addresses import TooManyEndpoints
from schemas.errors.callers import Unsealable
from schemas.errors.requests import NotFound
from schemas.tables.hooks import DisabledReason, WebhookDelivery, WebhookEndpoint

MAX_ENDPOINTS = 20
OVERLAP = timedelta(hours=24)
"""How long the secret before goes on signing after a rotation."""

SECRET, HEADERS = "webhook_secret", "webhook_headers"
"""The purposes that secrets are sealed for."""


def add(session: Session, tenant_id: UUID, headers: Mapping[str, str], **fields: Any) -> tuple[WebhookEndpoint, str]:
    """Add an endpoint; return it and its secret, which is seen here only. Raises TooManyEndpoints."""
    # Of two that are added at once, the second counts the first.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"aura.webhooks.{tenant_id}", 0))))
    if (session.scalar(select(func.count()).select_from(WebhookEndpoint)) or 0) >= MAX_ENDPOINTS:
        raise TooManyEndpoints(f"An organisation has at most {MAX_ENDPOINTS} webhook endpoints. Delete one first.")
    secret = signing.new_secret()
    endpoint = WebhookEndpoint(
        tenant_id=tenant_id,
        endpoint_id=uuid4(),
        secret_sealed=sealing.seal(secret, tenant_id, SECRET),
        headers_sealed=_sealed_headers(tenant_id, headers),
        **fields,
    )
    session.add(endpoint)
    session.flush()
    session.refresh(endpoint)
    return endpoint, secret


def listing(session: Session) -> Sequence[WebhookEndpoint]:
    """Return the tenant's endpoints, oldest first."""
    return session.scalars(
        select(WebhookEndpoint).order_by(WebhookEndpoint.created_at, WebhookEndpoint.endpoint_id)
    ).all()


def get(session: Session, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    """Return an endpoint; with `lock`, against other writers. Raises NotFound."""
    question = select(WebhookEndpoint).where(WebhookEndpoint.endpoint_id == endpoint_id)
    found = session.scalar(question.with_for_update(key_share=True) if lock else question)
    if found is None:
        raise NotFound("There is no webhook endpoint with this id.")
    return found


def change(session: Session, endpoint: WebhookEndpoint, headers: Mapping[str, str] | None, **fields: Any) -> None:
    """Set fields, and the headers of its own where they are given. What is switched on begins anew."""
    for name, value in fields.items():
        if name != "is_active":
            setattr(endpoint, name, value)
    if headers is not None:
        endpoint.headers_sealed = _sealed_headers(endpoint.tenant_id, headers)
    if fields.get("is_active") is True:
        enable(session, endpoint)
    elif fields.get("is_active") is False and endpoint.is_active:
        endpoint.is_active, endpoint.disabled_reason = False, DisabledReason.ADMIN.value
        endpoint.disabled_at = func.now()
    session.flush()
    session.refresh(endpoint)


def enable(session: Session, endpoint: WebhookEndpoint) -> None:
    """Send to an endpoint again, as if it had never failed; what waited for it goes on."""
    if not endpoint.is_active:
        endpoint.is_active, endpoint.is_slow = True, True
        endpoint.disabled_reason = endpoint.disabled_at = endpoint.failing_since = None
    session.flush()
    session.refresh(endpoint)


def remove(session: Session, endpoint: WebhookEndpoint) -> int:
    """Delete an endpoint with its deliveries, and return how many those were."""
    of_it = WebhookDelivery.endpoint_id == endpoint.endpoint_id
    gone = cast("CursorResult[Any]", session.execute(delete(WebhookDelivery).where(of_it))).rowcount
    session.delete(endpoint)
    session.flush()
    return gone


def rotate(session: Session, endpoint: WebhookEndpoint) -> str:
    """Give an endpoint a new secret and return it; for a day the one before signs as well."""
    secret = signing.new_secret()
    endpoint.previous_secret_sealed, endpoint.previous_until = endpoint.secret_sealed, datetime.now(UTC) + OVERLAP
    endpoint.secret_sealed = sealing.seal(secret, endpoint.tenant_id, SECRET)
    session.flush()
    session.refresh(endpoint)
    return secret


def secrets_of(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Return the secrets that sign `now`, newest first. Raises Unsealable."""
    found = [sealing.unseal(endpoint.secret_sealed, endpoint.tenant_id, SECRET)]
    if endpoint.previous_secret_sealed and endpoint.previous_until and endpoint.previous_until > now:
        found.append(sealing.unseal(endpoint.previous_secret_sealed, endpoint.tenant_id, SECRET))
    return found


def headers_of(endpoint: WebhookEndpoint) -> dict[str, str]:
    """Return the headers that the tenant wants to be sent. Raises Unsealable."""
    if endpoint.headers_sealed is None:
        return {}
    found: dict[str, str] = json.loads(sealing.unseal(endpoint.headers_sealed, endpoint.tenant_id, HEADERS))
    return found


def view(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Return what may be seen of an endpoint: no secret, and of its headers only the names."""
    try:
        names = sorted(headers_of(endpoint))
    except Unsealable:
        names = []
    return {
        "id": str(endpoint.endpoint_id),
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "header_names": names,
        "max_in_flight": endpoint.max_in_flight,
        "is_active": endpoint.is_active,
        "disabled_reason": endpoint.disabled_reason,
        "disabled_at": _iso(endpoint.disabled_at),
        "failing_since": _iso(endpoint.failing_since),
        "previous_secret_until": _iso(endpoint.previous_until),
        "created_at": _iso(endpoint.created_at),
    }


def reseal(session: Session, tenant_id: UUID) -> tuple[int, int]:
    """Seal the tenant's secrets and headers with the newest key; return how many, and how many did not open."""
    done = unopened = 0
    for endpoint in session.scalars(select(WebhookEndpoint).with_for_update(key_share=True)):
        for column, purpose in (
            ("secret_sealed", SECRET),
            ("previous_secret_sealed", SECRET),
            ("headers_sealed", HEADERS),
        ):
            sealed: str | None = getattr(endpoint, column)
            if sealed is None:
                continue
            try:
                opened = sealing.unseal(sealed, tenant_id, purpose)
            except Unsealable:
                unopened += 1
                continue
            if not sealing.is_current(sealed):
                setattr(endpoint, column, sealing.seal(opened, tenant_id, purpose))
                done += 1
    session.flush()
    return done, unopened


def _sealed_headers(tenant_id: UUID, headers: Mapping[str, str]) -> str | None:
    return sealing.seal(json.dumps(dict(headers)), tenant_id, HEADERS) if headers else None


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
