"""Deliveries in the hands of a worker: leased, sent, and written down as they ended."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from pipelines.stores.webhooks import endpoints
from pipelines.stores.webhooks.disabling import Disabled, announced
from pipelines.webhooks.schedule import SLOW_S, Outcome, Verdict, judge
from schemas.events import EventName
from schemas.tables.hooks import DeliveryStatus, DisabledReason, WebhookAttempt, WebhookDelivery, WebhookEndpoint

LEASE_S = 90
"""Above AHEAD times a try's time limit: a delivery whose worker died is free again after this."""

AHEAD = 4
"""How many times what it takes at once is leased of a fast endpoint, so that it need not wait for the database."""


@dataclass(frozen=True)
class Claimed:
    """A delivery in somebody's hands, with all that a request needs. `tries` counts those before this one."""

    tenant_id: UUID
    delivery_id: UUID
    taker: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    body: str
    tries: int
    is_slow: bool
    endpoint: WebhookEndpoint = field(repr=False)

    def secrets(self, now: datetime) -> list[str]:
        """Return the secrets that sign this `now`. Raises Unsealable."""
        return endpoints.secrets_of(self.endpoint, now)

    def headers(self) -> dict[str, str]:
        """Return the endpoint's own headers. Raises Unsealable."""
        return endpoints.headers_of(self.endpoint)


@dataclass(frozen=True)
class Try:
    """How a try went: when it began and ended, what was sent and what came back, both as they may be kept."""

    claimed: Claimed
    at: datetime
    ended_at: datetime
    outcome: Outcome
    chance: float
    request_headers: Mapping[str, str]
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str = ""

    @property
    def duration_s(self) -> float:
        return (self.ended_at - self.at).total_seconds()

    @property
    def is_test(self) -> bool:
        return self.claimed.event_type == EventName.WEBHOOK_TEST


def take_due(session: Session, taker: UUID, at_most: int, slow_at_most: int, slow_each: int) -> dict[UUID, list[UUID]]:
    """Lease due deliveries to `taker` for LEASE_S, fairly over all endpoints, and return them by tenant.

    Needs an operator's session.
    """
    question = text(
        "SELECT tenant_id, delivery_id FROM take_due_webhooks(:taker, :most, :slow, :each, :ahead, :lease_s)"
    )
    given = {"most": at_most, "slow": max(0, slow_at_most), "each": slow_each, "ahead": AHEAD, "lease_s": LEASE_S}
    found: dict[UUID, list[UUID]] = {}
    for tenant_id, delivery_id in session.execute(question, {"taker": taker, **given}):
        found.setdefault(tenant_id, []).append(delivery_id)
    return found


def load(session: Session, taker: UUID, delivery_ids: Sequence[UUID]) -> list[Claimed]:
    """Return what the tenant's leased deliveries say; without those that are gone or in other hands."""
    rows = session.execute(
        select(WebhookDelivery, WebhookEndpoint)
        .join(WebhookEndpoint, WebhookEndpoint.endpoint_id == WebhookDelivery.endpoint_id)
        .where(WebhookDelivery.delivery_id.in_(delivery_ids), WebhookDelivery.lease_token == taker)
        .order_by(WebhookDelivery.due_at)
    )
    return [
        Claimed(
            tenant_id=delivery.tenant_id,
            delivery_id=delivery.delivery_id,
            taker=taker,
            endpoint_id=endpoint.endpoint_id,
            event_id=delivery.event_id,
            event_type=delivery.event_type,
            body=json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")),
            tries=delivery.attempts,
            is_slow=endpoint.is_slow,
            endpoint=endpoint,
        )
        for delivery, endpoint in rows
    ]


def record(session: Session, tenant_id: UUID, tries: Sequence[Try]) -> list[Disabled]:
    """Write down how tries of one tenant ended and what follows; return which endpoints that has disabled.

    A try whose lease was lost changes nothing: somebody else has the delivery.
    """
    ours = _held(session, tries)
    tries = sorted((each for each in tries if each.claimed.delivery_id in ours), key=lambda each: each.ended_at)
    if not tries:
        return []
    standing = _Standing(session, {each.claimed.endpoint_id for each in tries})
    verdicts = [standing.after(each) for each in tries]
    session.execute(update(WebhookDelivery), [_ended(*pair) for pair in zip(tries, verdicts, strict=True)])
    session.execute(insert(WebhookAttempt), [_attempt(each) for each in tries])
    return [
        announced(session, tenant_id, endpoint, reason) for endpoint, reason in standing.keep() if reason is not None
    ]


def _held(session: Session, tries: Sequence[Try]) -> set[UUID]:
    ids = [each.claimed.delivery_id for each in tries]
    takers = {each.claimed.taker for each in tries}
    # In one order everywhere, so that two workers never wait for each other.
    return set(
        session.scalars(
            select(WebhookDelivery.delivery_id)
            .where(WebhookDelivery.delivery_id.in_(ids), WebhookDelivery.lease_token.in_(takers))
            .order_by(WebhookDelivery.delivery_id)
            .with_for_update()
        )
    )


class _Standing:
    """How endpoints stand while tries are looked at one after the other; only what changes is written."""

    def __init__(self, session: Session, endpoint_ids: set[UUID]) -> None:
        self._session = session
        rows = session.execute(
            select(WebhookEndpoint.endpoint_id, WebhookEndpoint.failing_since, WebhookEndpoint.is_slow).where(
                WebhookEndpoint.endpoint_id.in_(endpoint_ids)
            )
        )
        self._before = {row.endpoint_id: (row.failing_since, row.is_slow) for row in rows}
        self._now = dict(self._before)
        self._reasons: dict[UUID, DisabledReason] = {}

    def after(self, tried: Try) -> Verdict:
        """Return what follows from a try."""
        endpoint_id = tried.claimed.endpoint_id
        failing_since, _ = self._now[endpoint_id]
        verdict = judge(
            tried.outcome,
            tried.claimed.tries + 1,
            tried.ended_at,
            chance=tried.chance,
            failing_since=failing_since,
            is_test=tried.is_test,
        )
        if tried.outcome.delivered:
            failing_since = None
        elif not tried.is_test:
            failing_since = failing_since or tried.ended_at
        self._now[endpoint_id] = (failing_since, tried.duration_s > SLOW_S)
        if verdict.disable is not None:
            self._reasons.setdefault(endpoint_id, verdict.disable)
        return verdict

    def keep(self) -> list[tuple[WebhookEndpoint, DisabledReason | None]]:
        """Write what has changed; return the endpoints that are disabled by it, with the reason."""
        changed = []
        for endpoint_id in sorted(self._now):
            reason = self._reasons.get(endpoint_id)
            if self._now[endpoint_id] == self._before[endpoint_id] and reason is None:
                continue
            # Locked and read again: an admin may have enabled or changed it meanwhile.
            endpoint = endpoints.get(self._session, endpoint_id, lock=True)
            self._session.refresh(endpoint)
            endpoint.failing_since, endpoint.is_slow = self._now[endpoint_id]
            if reason is not None and endpoint.is_active:
                endpoint.is_active, endpoint.disabled_reason = False, reason.value
                endpoint.disabled_at = func.now()
                changed.append((endpoint, reason))
        self._session.flush()
        return list(changed)


def _ended(tried: Try, verdict: Verdict) -> dict[str, Any]:
    claimed, delivered = tried.claimed, verdict.status is DeliveryStatus.DELIVERED
    return {
        "tenant_id": claimed.tenant_id,
        "delivery_id": claimed.delivery_id,
        "status": verdict.status.value,
        "attempts": claimed.tries + 1,
        "due_at": verdict.due_at or tried.ended_at,
        "lease_token": None,
        "lease_until": None,
        "status_code": tried.outcome.status_code,
        "error_code": tried.outcome.error_code,
        "delivered_at": tried.ended_at if delivered else None,
    }


def _attempt(tried: Try) -> dict[str, Any]:
    return {
        "tenant_id": tried.claimed.tenant_id,
        "delivery_id": tried.claimed.delivery_id,
        "attempt": tried.claimed.tries + 1,
        "at": tried.at,
        "duration_ms": round(tried.duration_s * 1000),
        "status_code": tried.outcome.status_code,
        "error_code": tried.outcome.error_code,
        "error_detail": tried.outcome.error_detail,
        "request_headers": dict(tried.request_headers),
        "response_headers": dict(tried.response_headers),
        "response_body": tried.response_body,
    }
