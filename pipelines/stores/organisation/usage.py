"""What a tenant has used: calls, storage, and what its providers cost, held before a call and settled after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_UP, Decimal
from typing import Any
from uuid import UUID

import redis
from sqlalchemy import CursorResult, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from pipelines.stores.database import TenantSession, tenant_session
from pipelines.stores.organisation import quotas, rates
from schemas.errors.callers import BudgetExceeded
from schemas.tables.identity import TenantUser
from schemas.tables.knowledge import UPLOADED, Document
from schemas.tables.records import UsageEvent, UsageMonth
from schemas.tables.tenancy import Tenant

MICRODOLLAR = Decimal("0.000001")

# Locks the month's row, so that of many calls at once each sees what the others hold.
_LOCK_MONTH = text(
    "INSERT INTO usage_months (tenant_id, month) VALUES (:tenant, date_trunc('month', now() AT TIME ZONE 'utc'))"
    " ON CONFLICT (tenant_id, month) DO UPDATE SET month = excluded.month RETURNING cost_usd"
)

# An event counts in the month in which it began, so that a month is the sum of its events.
_ADD_TO_MONTH = (
    " INSERT INTO usage_months (tenant_id, month, cost_usd, input_tokens, output_tokens)"
    " SELECT tenant_id, date_trunc('month', created_at AT TIME ZONE 'utc'), cost_usd, input_tokens, output_tokens"
    " FROM event ON CONFLICT (tenant_id, month) DO UPDATE SET cost_usd = usage_months.cost_usd + excluded.cost_usd,"
    " input_tokens = usage_months.input_tokens + excluded.input_tokens,"
    " output_tokens = usage_months.output_tokens + excluded.output_tokens RETURNING cost_usd"
)
_SETTLE = text(
    "WITH event AS (UPDATE usage_events SET cost_usd = :cost_usd, input_tokens = :input_tokens,"
    " output_tokens = :output_tokens, seconds = :seconds, held_until = NULL"
    " WHERE tenant_id = :tenant AND usage_id = :usage_id AND held_until IS NOT NULL RETURNING *)" + _ADD_TO_MONTH
)
_INSERT = (
    "INSERT INTO usage_events"
    " (tenant_id, kind, provider, model, cost_usd, input_tokens, output_tokens, seconds, subject_id)"
    " VALUES (:tenant, :kind, :provider, :model, :cost_usd, :input_tokens, :output_tokens, :seconds, :subject_id)"
)
_RECORD = text("WITH event AS (" + _INSERT + " RETURNING *)" + _ADD_TO_MONTH)
_RECORD_FREE = text(_INSERT)
_HOLD = text(
    "INSERT INTO usage_events (tenant_id, kind, provider, model, cost_usd, held_until, subject_id)"
    " VALUES (:tenant, :kind, :provider, :model, :cost_usd, clock_timestamp() + make_interval(secs => :held_for_s),"
    " :subject_id) RETURNING usage_id"
)


@dataclass(frozen=True)
class Spent:
    """What a call of a provider came to, or is expected to: tokens, seconds of sound, USD."""

    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float | None = None
    cost_usd: float = 0.0


@dataclass(frozen=True)
class Room:
    """The bytes that are used, and how many may be."""

    used: int
    limit: int


@dataclass(frozen=True)
class ModelUse:
    """What one model has done in a month."""

    kind: str
    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    seconds: float
    cost_usd: Decimal


@dataclass(frozen=True)
class Month:
    """What a tenant has used in a month; storage, users and documents are those of today."""

    api_calls: int
    cost_usd: Decimal
    input_tokens: int
    output_tokens: int
    models: tuple[ModelUse, ...]
    storage_bytes: int
    users: int
    documents: int


def hold(
    session: TenantSession,
    kind: str,
    provider: str,
    model: str,
    estimate_usd: float,
    held_for_s: float,
    subject_id: UUID | None = None,
) -> UUID:
    """Hold what a call is expected to cost and return the id by which it is settled.

    A hold that is never settled ends by itself after `held_for_s`. Calls at once are let in one after
    the other, so that what is spent and held never passes the budget; a call that turns out dearer
    than its estimate may pass it by the difference. Without a budget nothing is locked. Commit at once.
    Raises BudgetExceeded.
    """
    estimate = _usd(estimate_usd)
    budget = session.scalar(select(Tenant.max_monthly_cost_usd).where(Tenant.tenant_id == session.tenant_id))
    if budget is not None and (committed := _committed(session)) + estimate > budget:
        raise BudgetExceeded(committed_usd=float(committed))
    about = {"kind": kind, "provider": provider, "model": model, "subject_id": subject_id}
    values = {"tenant": session.tenant_id, "cost_usd": estimate, "held_for_s": held_for_s, **about}
    usage_id: UUID = session.execute(_HOLD, values).scalar_one()
    return usage_id


def settle(session: TenantSession, usage_id: UUID, spent: Spent) -> Decimal | None:
    """Put the real price in the hold's place and return what the month has cost; None where it was settled before."""
    return _charge(session, _SETTLE, spent, usage_id=usage_id)


def release(session: TenantSession, usage_id: UUID) -> None:
    """Give back what was held for a call that cost nothing."""
    session.execute(delete(UsageEvent).where(UsageEvent.usage_id == usage_id, UsageEvent.held_until.is_not(None)))


def record(
    session: TenantSession, kind: str, provider: str, model: str, spent: Spent, subject_id: UUID | None = None
) -> Decimal | None:
    """Write down a call for which nothing was held, and return what the month has cost.

    One that used neither money nor tokens leaves the month's row alone, and the answer is None.
    """
    used = spent.cost_usd or spent.input_tokens or spent.output_tokens
    about = {"kind": kind, "provider": provider, "model": model, "subject_id": subject_id}
    return _charge(session, _RECORD if used else _RECORD_FREE, spent, **about)


def room(session: TenantSession) -> Room:
    """Return the bytes that the tenant's documents have and may have.

    Until the transaction ends no other upload of the tenant gets past this point, so that what is
    inserted in it counts.
    """
    key = f"storage:{session.tenant_id}"
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
    gigabytes = session.scalar(select(Tenant.max_storage_gb).where(Tenant.tenant_id == session.tenant_id)) or 0
    return Room(storage_bytes(session), gigabytes * quotas.BYTES_PER_GB)


def storage_bytes(session: TenantSession) -> int:
    """Return the size of all that the tenant knows, documents and entries, in bytes."""
    return int(session.scalar(select(func.coalesce(func.sum(Document.file_size), 0))) or 0)


def calls_of(tenant_id: UUID, month: date) -> int:
    """Return the calls that were written down for the month; at most one flush behind those made."""
    with tenant_session(tenant_id, durable=False) as session:
        return session.scalar(select(UsageMonth.api_calls).where(UsageMonth.month == month)) or 0


def flush_calls(client: "redis.Redis") -> int:
    """Write the counted calls to the rows of their months, and return how many rows that were.

    A counter holds all of the month's calls and the row takes the larger number: a flush that dies
    anywhere is repeated without losing or doubling a call. When Redis is emptied, what came after the
    last flush is lost, and the counter goes on from the row. Raises StoreUnavailable.
    """
    counters = rates.unflushed(client)
    for (tenant_id, month), calls in zip(counters, rates.counted(client, counters), strict=True):
        rates.flushed(client, tenant_id, month, calls, _write_calls(tenant_id, month, calls))
    return len(counters)


def of_month(session: TenantSession, month: date) -> Month:
    """Return what the tenant has used in the month that starts at `month`."""
    row = session.scalar(select(UsageMonth).where(UsageMonth.month == month))
    return Month(
        api_calls=row.api_calls if row else 0,
        cost_usd=row.cost_usd if row else Decimal(0),
        input_tokens=row.input_tokens if row else 0,
        output_tokens=row.output_tokens if row else 0,
        models=tuple(_models(session, month)),
        storage_bytes=storage_bytes(session),
        users=session.scalar(select(func.count()).select_from(TenantUser)) or 0,
        documents=session.scalar(select(func.count()).where(Document.source == UPLOADED)) or 0,
    )


def _committed(session: TenantSession) -> Decimal:
    """Return what this month has cost and what is held, with the month locked until the transaction ends."""
    cost = session.scalar(_LOCK_MONTH, {"tenant": session.tenant_id})
    # A statement of its own: it must see what was committed while the one before waited for the lock.
    held = session.scalar(
        select(func.coalesce(func.sum(UsageEvent.cost_usd), 0)).where(
            UsageEvent.held_until.is_not(None), UsageEvent.held_until > func.clock_timestamp()
        )
    )
    return Decimal(cost or 0) + Decimal(held or 0)


def _charge(session: TenantSession, statement: Any, spent: Spent, **about: object) -> Decimal | None:
    values = {**vars(spent), "cost_usd": _usd(spent.cost_usd), "tenant": session.tenant_id, **about}
    done: CursorResult[Any] = session.execute(statement, values)  # type: ignore[assignment]
    return done.scalar() if done.returns_rows else None


def _usd(amount: float) -> Decimal:
    """Return an amount as rows keep it; a fraction of a microdollar is a whole one, else many of them were free."""
    return Decimal(repr(amount)).quantize(MICRODOLLAR, ROUND_UP)


def _write_calls(tenant_id: UUID, month: date, calls: int) -> int:
    """Return what the row has after it took `calls`, 0 where the tenant is gone."""
    row = upsert(UsageMonth).values(tenant_id=tenant_id, month=month, api_calls=calls)
    row = row.on_conflict_do_update(
        index_elements=[UsageMonth.tenant_id, UsageMonth.month],
        set_={"api_calls": func.greatest(UsageMonth.api_calls, row.excluded.api_calls)},
    )
    try:
        # The counter outlives a crash of Postgres and raises the row again.
        with tenant_session(tenant_id, durable=False) as session:
            return session.scalar(row.returning(UsageMonth.api_calls)) or 0
    except IntegrityError:
        return 0


def _models(session: TenantSession, month: date) -> Sequence[ModelUse]:
    start, end = (datetime(day.year, day.month, 1, tzinfo=UTC) for day in (month, quotas.following(month)))
    names = (UsageEvent.kind, UsageEvent.provider, UsageEvent.model)
    found: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        select(
            *names,
            func.count(),
            func.sum(UsageEvent.input_tokens),
            func.sum(UsageEvent.output_tokens),
            func.coalesce(func.sum(UsageEvent.seconds), 0.0),
            func.sum(UsageEvent.cost_usd),
        )
        .where(UsageEvent.created_at >= start, UsageEvent.created_at < end, UsageEvent.held_until.is_(None))
        .group_by(*names)
        .order_by(*names)
    )
    return [ModelUse(*row) for row in found]
