"""What a tenant may use, as its row says it, and who has been told that it is nearly used up."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import redis
from sqlalchemy import select

from pipelines.stores.database import tenant_session
from pipelines.stores.events import reaching_redis
from schemas.errors.requests import NotFound
from schemas.events import EventName
from schemas.tables.tenancy import Tenant, Tier

BYTES_PER_GB = 1 << 30

TRUSTED_FOR_S = 5.0
"""Seconds after which a process has noticed that a tenant's limits were changed."""

MAX_REMEMBERED = 20_000

MONTH_TTL_S = 40 * 86_400
"""How long Redis keeps what it counts for a month: longer than the month and its last flush."""

WARNING_AT = 0.8


class Resource(StrEnum):
    """What is limited."""

    API_CALLS = "api_calls"
    STORAGE = "storage"
    COST = "cost"
    SESSIONS = "sessions"


@dataclass(frozen=True)
class Rates:
    """Calls a minute: of all of a tenant together, of one user, of one API key."""

    tenant: int
    user: int
    key: int


RATES: Mapping[Tier, Rates] = {
    Tier.STANDARD: Rates(tenant=600, user=120, key=300),
    Tier.PREMIUM: Rates(tenant=3_000, user=300, key=1_500),
    Tier.ENTERPRISE: Rates(tenant=15_000, user=600, key=6_000),
}
"""By tier alone: settings that a tenant's admin may write must not loosen what protects the others."""


@dataclass(frozen=True)
class Limits:
    """The limits of a tenant; a budget of None is no budget."""

    tier: Tier
    max_storage_gb: int
    max_users: int
    max_api_calls_monthly: int
    max_concurrent_sessions: int
    max_monthly_cost_usd: Decimal | None

    @property
    def rates(self) -> Rates:
        return RATES[self.tier]


_known: dict[UUID, tuple[float, Limits]] = {}


def limits(tenant_id: UUID) -> Limits:
    """Return the tenant's limits as they were at most five seconds ago. Raises NotFound, StoreUnavailable."""
    now = time.monotonic()
    there = _known.get(tenant_id)
    if there is not None and now - there[0] < TRUSTED_FOR_S:
        return there[1]
    found = _read(tenant_id)
    if len(_known) >= MAX_REMEMBERED:
        _known.clear()
    _known[tenant_id] = (now, found)
    return found


def forget(tenant_id: UUID) -> None:
    """Read the tenant's limits anew at their next use; other processes notice within five seconds."""
    _known.pop(tenant_id, None)


def this_month() -> date:
    """Return the first day of the month (UTC)."""
    return datetime.now(UTC).date().replace(day=1)


def following(month: date) -> date:
    """Return the first day of the month after `month`."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_left_s() -> float:
    """Return the seconds until the month ends (UTC)."""
    now = datetime.now(UTC)
    end = following(now.date())
    return (datetime(end.year, end.month, 1, tzinfo=UTC) - now).total_seconds()


def flags(tenant_id: UUID, resource: Resource, month: date) -> dict[EventName, str]:
    """Return the keys that say whether an event was told already."""
    levels = (EventName.QUOTA_WARNING, EventName.QUOTA_EXCEEDED)
    return {level: f"aura:{tenant_id}:told:{month:%Y-%m}:{resource}:{level}" for level in levels}


def crossed(
    client: "redis.Redis", tenant_id: UUID, resource: Resource, used: float, limit: float, *, refused: bool = False
) -> list[EventName]:
    """Return the events that are due now: each once for a tenant, a resource and a month.

    A warning is due at 80 % of the limit; at 100 %, or when something was `refused`, it is exceeded.
    Redis is asked only where there is something to tell. Raises StoreUnavailable.
    """
    reached = [EventName.QUOTA_WARNING] if used >= limit * WARNING_AT else []
    reached += [EventName.QUOTA_EXCEEDED] if used >= limit or refused else []
    if not reached:
        return []
    keys = flags(tenant_id, resource, this_month())
    with reaching_redis(), client.pipeline(transaction=False) as pipe:
        for level in reached:
            pipe.set(keys[level], 1, nx=True, ex=MONTH_TTL_S)
        return [level for level, first in zip(reached, pipe.execute(), strict=True) if first]


def _read(tenant_id: UUID) -> Limits:
    columns = (
        Tenant.subscription_tier,
        Tenant.max_storage_gb,
        Tenant.max_users,
        Tenant.max_api_calls_monthly,
        Tenant.max_concurrent_sessions,
        Tenant.max_monthly_cost_usd,
    )
    with tenant_session(tenant_id, durable=False) as session:
        row = session.execute(select(*columns).where(Tenant.tenant_id == tenant_id)).one_or_none()
    if row is None:
        raise NotFound("There is no tenant with this id.")
    tier, *others = row
    return Limits(Tier(tier), *others)
