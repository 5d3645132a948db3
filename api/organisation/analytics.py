"""What an organisation's turns came to, for its charts; and the queues, for the operator."""

from dataclasses import asdict
from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from api.door.auth import caller
from api.door.permissions import allows
from api.organisation.costs import start
from api.organisation.latency import days_of_turns
from api.voice import admission
from pipelines.stores.database import tenant_session
from pipelines.stores.events import reaching_redis
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turn_counts
from schemas.requests.organisation.analytics import (
    QueueState,
    QueueStates,
    TurnCount,
    TurnCounts,
    TurnQuery,
    TurnsOfAssistant,
    TurnsOfDay,
)
from schemas.settings import get_settings
from schemas.tables.identity import Permission
from workers.process.presence import live_queues
from workers.send import QUEUES

blueprint = APIBlueprint("analytics", __name__, abp_tags=[Tag(name="admin")])


@blueprint.get("/api/analytics/turns", responses={200: TurnCounts})
@allows(Permission.ANALYTICS_READ)
def turns(query: TurnQuery) -> dict[str, Any]:
    """Return how many turns there were, how they ended and how sure they were: by day and by assistant."""
    tenant_id = caller().tenant_id
    since, until = days_of_turns(query)
    wanted = (tenant_id, start(since), start(until, 1), query.assistant_key)
    with tenant_session(tenant_id, durable=False) as session:
        found = [asdict(one) for one in turn_counts.counts(session, *wanted)]
        confidences = turn_counts.confidences(session, *wanted)
    (total,) = [one for one in found if one["day"] is None and one["assistant_key"] is None]
    return TurnCounts(
        since=since,
        until=until,
        total=TurnCount.model_validate(total),
        by_day=[TurnsOfDay.model_validate(one) for one in found if one["day"]],
        by_assistant=[TurnsOfAssistant.model_validate(one) for one in found if one["assistant_key"] is not None],
        confidences=confidences,
    ).model_dump(mode="json")


@blueprint.get("/admin/queues", responses={200: QueueStates})
@allows(Permission.OPERATE)
def queues() -> dict[str, Any]:
    """Return every queue of this deployment: what waits in it, and which workers take from it."""
    settings = get_settings()
    waiting = admission.queued(QUEUES)
    with reaching_redis():
        live = live_queues(get_redis())
    # Flower listens on this machine alone, as AURA itself does in single-tenant mode.
    flower = f"http://127.0.0.1:{settings.flower_port}" if settings.single_tenant else None
    states = [QueueState(name=name, waiting=waiting[name], workers=sorted(live.get(name, []))) for name in QUEUES]
    status = "ok" if all(one.workers for one in states) else "degraded"
    return QueueStates(status=status, queues=states, flower_url=flower).model_dump(mode="json")
