"""How long turns take, stage by stage: to an organisation, to the operator, and to Prometheus."""

import contextlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, TypeVar

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel

from api.door.auth import caller, holder
from api.door.permissions import allows
from api.live import process
from api.organisation.costs import days, start
from api.voice import admission
from pipelines.stores.database import tenant_session
from pipelines.stores.turns import latency
from pipelines.stores.turns.latency import Figures
from schemas.errors.callers import Unauthenticated
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import InvalidRequest
from schemas.requests.organisation.costs import Period
from schemas.requests.organisation.latency import (
    Latencies,
    LatenciesOfAll,
    Latency,
    LatencyOfDay,
    LatencyOfProvider,
    LatencyOfTenant,
    LatencyQuery,
)
from schemas.settings import get_settings
from schemas.tables.identity import Permission
from workers.process import metrics
from workers.send import QUEUES

blueprint = APIBlueprint("latency", __name__, abp_tags=[Tag(name="admin")])

MAX_DAYS = 92
"""Days that are read at once: their turns are all looked at."""

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"

View = TypeVar("View", bound=BaseModel)


@blueprint.get("/api/analytics/latency", responses={200: Latencies})
@allows(Permission.ANALYTICS_READ)
def own(query: LatencyQuery) -> dict[str, Any]:
    """Return how long the organisation's turns took, p50 and p95: by stage, by day and by provider."""
    tenant_id = caller().tenant_id
    since, until = days_of_turns(query)
    spoken = None if query.kind is None else query.kind == "spoken"
    with tenant_session(tenant_id, durable=False) as session:
        found = latency.own(session, tenant_id, start(since), start(until, 1), query.assistant_key, spoken)
    return Latencies(since=since, until=until, **_sorted(found)).model_dump(mode="json")


@blueprint.get("/admin/latency", responses={200: LatenciesOfAll})
@allows(Permission.OPERATE)
def of_all(query: Period) -> dict[str, Any]:
    """Return the same over all organisations, and what each of them saw of its turns."""
    since, until = days_of_turns(query)
    found = latency.of_all(start(since), start(until, 1))
    by_tenant = _views(LatencyOfTenant, found, lambda one: one.tenant_id is not None and one.stage == "turn")
    return LatenciesOfAll(since=since, until=until, **_sorted(found), by_tenant=by_tenant).model_dump(mode="json")


@blueprint.get("/metrics", responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
@allows(Permission.PUBLIC)
def exposition() -> Response:
    """Return this deployment's metrics for Prometheus: to the operator, or to who has `AURA_METRICS_TOKEN`."""
    _let_in()
    gauges: dict[str, dict[tuple[str, ...], float]] = {
        "voice_sessions_open": {(): admission.admission().open()},
        "voice_sessions_limit": {(): admission.admission().limit},
        "sockets_open": {(): process.seats().taken()},
    }
    # Without Redis there is still what the processes have counted.
    with contextlib.suppress(StoreUnavailable):
        gauges["queue_messages"] = {(name,): waiting for name, waiting in admission.queued(QUEUES).items()}
    return Response(metrics.exposition(gauges), content_type=EXPOSITION)


def _let_in() -> None:
    """Raise Unauthenticated or Forbidden unless who asks may read the metrics."""
    settings = get_settings()
    _, _, shown = request.headers.get("Authorization", "").partition(" ")
    token = settings.metrics_token
    if token is not None and hmac.compare_digest(shown.encode(), token.get_secret_value().encode()):
        return
    if shown:
        holder(shown, Permission.OPERATE)
    elif not settings.single_tenant:
        raise Unauthenticated


def days_of_turns(query: Period) -> tuple[date, date]:
    """Return the first and last day of turns that are read. Raises InvalidRequest."""
    since, until = days(query)
    if until - since >= timedelta(days=MAX_DAYS):
        raise InvalidRequest(f"{MAX_DAYS} days are the most.")
    return since, until


def _sorted(found: Iterable[Figures]) -> dict[str, Any]:
    found = list(found)
    return {
        "overall": _views(
            Latency, found, lambda one: one.day is None and one.provider is None and one.tenant_id is None
        ),
        "by_day": _views(LatencyOfDay, found, lambda one: one.day is not None),
        "by_provider": _views(LatencyOfProvider, found, lambda one: bool(one.provider)),
    }


def _views(kind: type[View], found: Iterable[Figures], wanted: Callable[[Figures], bool]) -> list[View]:
    return [kind.model_validate(asdict(one)) for one in found if wanted(one)]
