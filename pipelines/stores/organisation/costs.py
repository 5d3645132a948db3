"""What providers cost, day by day: of one tenant, or of all for the operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from pipelines.stores.database import operator_session

# A call is for a turn or a document; either may name its assistant, or be gone.
_OWN = text(
    "SELECT u.tenant_id, (u.created_at AT TIME ZONE 'utc')::date AS day, u.kind, u.provider, u.model,"
    " coalesce(t.assistant_key, d.assistant_key, '') AS assistant_key, count(*) AS calls,"
    " sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens,"
    " coalesce(sum(u.seconds), 0) AS seconds, sum(u.cost_usd) AS cost_usd FROM usage_events u"
    " LEFT JOIN turns t ON t.tenant_id = u.tenant_id AND t.turn_id = u.subject_id"
    " LEFT JOIN documents d ON d.tenant_id = u.tenant_id AND d.doc_id = u.subject_id"
    " WHERE u.created_at >= :since AND u.created_at < :before AND u.held_until IS NULL GROUP BY 1, 2, 3, 4, 5, 6"
)
_ALL = text(
    "SELECT tenant_id, day, kind, provider, model, '' AS assistant_key, calls, input_tokens, output_tokens, seconds,"
    " cost_usd FROM costs_of_all(:since, :before)"
)


@dataclass(frozen=True)
class Spending:
    """What calls of one model for one purpose on one day came to; an empty `assistant_key` is nobody's."""

    tenant_id: UUID
    day: date
    kind: str
    provider: str
    model: str
    assistant_key: str
    calls: int
    input_tokens: int
    output_tokens: int
    seconds: float
    cost_usd: Decimal


def own(session: Session, since: datetime, before: datetime) -> Sequence[Spending]:
    """Return what the session's tenant has spent between two moments; what is still held is left out."""
    return [Spending(*row) for row in session.execute(_OWN, {"since": since, "before": before})]


def of_all(since: datetime, before: datetime) -> Sequence[Spending]:
    """Return what all tenants have spent; for the operator only."""
    with operator_session() as session:
        return [Spending(*row) for row in session.execute(_ALL, {"since": since, "before": before})]
