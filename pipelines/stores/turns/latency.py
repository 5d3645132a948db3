"""How long turns took, from the waterfalls they keep: of one tenant, or of all for the operator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from pipelines.stores.database import operator_session

_OWN = text(
    "SELECT NULL::uuid AS tenant_id, f.day, f.provider, f.stage, f.measure, count(*),"
    " percentile_cont(0.5) WITHIN GROUP (ORDER BY f.ms), percentile_cont(0.95) WITHIN GROUP (ORDER BY f.ms)"
    " FROM (SELECT (t.created_at AT TIME ZONE 'utc')::date AS day, w.*"
    " FROM turns t CROSS JOIN LATERAL waterfall(t.timings, t.provider) w"
    " WHERE t.tenant_id = :tenant AND t.created_at >= :since AND t.created_at < :before AND t.status = 'completed'"
    " AND (CAST(:assistant AS text) IS NULL OR t.assistant_key = :assistant)"
    " AND (CAST(:spoken AS boolean) IS NULL OR t.spoken = :spoken)) f"
    " GROUP BY GROUPING SETS ((f.stage, f.measure), (f.day, f.stage, f.measure), (f.provider, f.stage, f.measure))"
    " ORDER BY f.stage, f.measure, f.day, f.provider"
)
_ALL = text("SELECT * FROM latency_of_all(:since, :before) ORDER BY stage, measure, day, provider, p95 DESC")


@dataclass(frozen=True)
class Figures:
    """Median and 95th percentile of one measure over `turns` turns; of the first three fields at most one is set."""

    tenant_id: UUID | None
    day: date | None
    provider: str | None
    stage: str
    measure: str
    turns: int
    p50_ms: float
    p95_ms: float


def own(
    session: Session, tenant_id: UUID, since: datetime, before: datetime, assistant_key: str | None, spoken: bool | None
) -> Sequence[Figures]:
    """Return the figures of the tenant's turns between two moments: over all, by day and by provider."""
    given = {"tenant": tenant_id, "since": since, "before": before, "assistant": assistant_key, "spoken": spoken}
    return [_figures(row) for row in session.execute(_OWN, given)]


def of_all(since: datetime, before: datetime) -> Sequence[Figures]:
    """Return the figures of all tenants' turns, by tenant too; for the operator only."""
    with operator_session() as session:
        return [_figures(row) for row in session.execute(_ALL, {"since": since, "before": before})]


def _figures(row: Row[Any]) -> Figures:
    found = Figures(*row)
    return replace(found, p50_ms=round(found.p50_ms, 1), p95_ms=round(found.p95_ms, 1))
