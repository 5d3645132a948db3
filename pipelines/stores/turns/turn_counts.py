"""What a tenant's turns came to, by day and by assistant: how they ended, how sure they were, what was thought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_WANTED = (
    " WHERE t.tenant_id = :tenant AND t.created_at >= :since AND t.created_at < :before"
    " AND t.confirmed_at IS NOT NULL AND (CAST(:assistant AS text) IS NULL OR t.assistant_key = :assistant)"
)
_COUNTS = text(
    "SELECT f.day, f.assistant_key, count(*), count(*) FILTER (WHERE f.status = 'completed'),"
    " count(*) FILTER (WHERE f.status = 'failed'), count(*) FILTER (WHERE f.status = 'cancelled'),"
    " count(*) FILTER (WHERE f.spoken), count(*) FILTER (WHERE f.cache ->> 'hit' IS NOT NULL),"
    " count(*) FILTER (WHERE f.unanswered_id IS NOT NULL), coalesce(sum(f.liked), 0)::int,"
    " coalesce(sum(f.disliked), 0)::int, avg(f.confidence) FILTER (WHERE f.status = 'completed')"
    " FROM (SELECT (t.created_at AT TIME ZONE 'utc')::date AS day, t.assistant_key, t.status, t.spoken, t.cache,"
    " t.unanswered_id, t.confidence, o.liked, o.disliked FROM turns t LEFT JOIN LATERAL ("
    " SELECT count(*) FILTER (WHERE b.scale = 'thumbs' AND b.rating = 1 OR b.scale = 'stars' AND b.rating >= 4) liked,"
    " count(*) FILTER (WHERE b.scale = 'thumbs' AND b.rating = -1 OR b.scale = 'stars' AND b.rating <= 2) disliked"
    " FROM feedback b WHERE b.tenant_id = t.tenant_id AND b.turn_id = t.turn_id) o ON true"
    + _WANTED
    + ") f GROUP BY GROUPING SETS ((), (f.day), (f.assistant_key))"
    " ORDER BY f.day, count(*) DESC, f.assistant_key"
)
_CONFIDENCES = text(
    "SELECT least(floor(t.confidence * 10), 9)::int AS tenth, count(*) FROM turns t"
    + _WANTED
    + " AND t.status = 'completed' AND t.confidence IS NOT NULL GROUP BY tenth"
)


@dataclass(frozen=True)
class Count:
    """How many turns there were of a day or an assistant, of everything where both are None."""

    day: date | None
    assistant_key: str | None
    turns: int
    completed: int
    failed: int
    cancelled: int
    spoken: int
    cache_hits: int
    unanswered: int
    liked: int
    disliked: int
    confidence: float | None


def counts(
    session: Session, tenant_id: UUID, since: datetime, before: datetime, assistant_key: str | None
) -> Sequence[Count]:
    """Return what the turns came to that began between two moments: of all, by day, and by assistant, most first."""
    return [Count(*row) for row in session.execute(_COUNTS, _given(tenant_id, since, before, assistant_key))]


def confidences(
    session: Session, tenant_id: UUID, since: datetime, before: datetime, assistant_key: str | None
) -> list[int]:
    """Return how many answers were how sure: ten counts, of 0 to 0.1 up to 0.9 to 1."""
    rows = session.execute(_CONFIDENCES, _given(tenant_id, since, before, assistant_key))
    found: dict[int, int] = dict(tuple(row) for row in rows)
    return [found.get(tenth, 0) for tenth in range(10)]


def _given(tenant_id: UUID, since: datetime, before: datetime, assistant_key: str | None) -> dict[str, object]:
    return {"tenant": tenant_id, "since": since, "before": before, "assistant": assistant_key}
