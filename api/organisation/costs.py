"""What providers cost and whether they work: an admin's own organisation, or all of them for the operator."""

from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from flask_openapi3 import APIBlueprint, Tag

from api.door.auth import caller
from api.door.permissions import allows
from pipelines import providers
from pipelines.stores.database import tenant_session
from pipelines.stores.operations.provider_health import State
from pipelines.stores.organisation import costs
from pipelines.stores.organisation.costs import Spending
from pipelines.stores.turns import answers
from schemas.errors.callers import Forbidden
from schemas.errors.requests import InvalidRequest
from schemas.requests.organisation.costs import (
    CacheCleared,
    CacheClearing,
    CacheQuery,
    CacheStatistics,
    Cost,
    CostQuery,
    Costs,
    Period,
    ProviderState,
    ProviderStates,
)
from schemas.settings import get_settings
from schemas.tables.identity import Permission
from workers import wiring
from workers.dialogue import caching
from workers.spending import circuits, health

KINDS = {"chat": "chat", "embedder": "embedding", "transcriber": "transcription", "speaker": "speech"}
MAX_DAYS = 366

K = TypeVar("K", bound=Hashable)

blueprint = APIBlueprint("costs", __name__, abp_tags=[Tag(name="admin")])


@blueprint.get("/admin/costs", responses={200: Costs})
@allows(Permission.TENANT_ADMIN)
def spent(query: CostQuery) -> dict[str, Any]:
    """Return what providers cost, by kind of call, provider, model, day, and assistant or organisation."""
    asking = caller()
    since, until = days(query)
    if query.scope == "own":
        with tenant_session(asking.tenant_id, durable=False) as session:
            found = costs.own(session, start(since), start(until, 1))
    elif Permission.OPERATE in asking.permissions:
        found = costs.of_all(start(since), start(until, 1))
    else:
        raise Forbidden("Only the operator may see the costs of all organisations.")
    if query.assistant_key is not None:
        found = [one for one in found if one.assistant_key == query.assistant_key]
    return Costs(
        since=since,
        until=until,
        scope=query.scope,
        total=_by(found, lambda _: "total").get("total", Cost()),
        by_kind=_by(found, lambda one: one.kind),
        by_provider=_by(found, lambda one: one.provider),
        by_model=_by(found, lambda one: one.model),
        by_day=_by(found, lambda one: one.day),
        by_assistant=_by((one for one in found if one.assistant_key), lambda one: one.assistant_key),
        by_tenant=_by(found if query.scope == "all" else (), lambda one: one.tenant_id),
    ).model_dump(mode="json")


@blueprint.get("/admin/health", responses={200: ProviderStates})
@allows(Permission.TENANT_ADMIN)
def provider_states() -> dict[str, Any]:
    """Return every provider: whether it is set up, whether it works, and how soon it begins to answer."""
    tenant_id = caller().tenant_id
    own = wiring.own_keys(tenant_id)
    offers = providers.offers(wiring.offering(tenant_id))
    watched = [health.circuit(tenant_id, KINDS[offer.kind], offer.name, own_key=offer.name in own) for offer in offers]
    states = [
        ProviderState(
            kind=KINDS[offer.kind],  # type: ignore[arg-type]
            provider=offer.name,
            model=offer.model,
            offered=offer.offered,
            why_not=offer.why_not,
            local=offer.local,
            chosen=offer.chosen,
            own_key=offer.name in own,
            state=look.state.value,
            first_token_ms=look.first_token_ms,
            slow_first_token_ms=look.slow_first_token_ms,
        )
        for offer, look in zip(offers, circuits.looks(watched), strict=True)
    ]
    ailing = any(one.offered and one.state != State.CLOSED for one in states)
    return ProviderStates(status="degraded" if ailing else "ok", providers=states).model_dump(mode="json")


@blueprint.get("/api/analytics/cache", responses={200: CacheStatistics})
@allows(Permission.ANALYTICS_READ)
def cache_statistics(query: CacheQuery) -> dict[str, Any]:
    """Return how many answers came from the cache and what that saved."""
    tenant_id = caller().tenant_id
    since, until = days(query)
    with tenant_session(tenant_id, durable=False) as session:
        found = answers.statistics(session, tenant_id, start(since), start(until, 1), query.assistant_key)
    hits = found.exact + found.near
    rate = round(hits / (hits + found.misses), 4) if hits + found.misses else None
    return CacheStatistics(enabled=get_settings().answer_cache, hit_rate=rate, **vars(found)).model_dump(mode="json")


@blueprint.delete("/api/analytics/cache", responses={200: CacheCleared})
@allows(Permission.AI_WRITE)
def clear_cache(query: CacheClearing) -> dict[str, Any]:
    """Drop the answers that are kept, and what retrieval remembers; they are made anew when they are asked for."""
    return CacheCleared(dropped=caching.clear(caller().tenant_id, query.assistant_key)).model_dump(mode="json")


def days(period: Period) -> tuple[date, date]:
    """Return the first and last day. Raises InvalidRequest where they are in the wrong order or too many."""
    today = datetime.now(UTC).date()
    until = period.until or max(today, period.since or today)
    since = period.since or until.replace(day=1)
    if not 0 <= (until - since).days < MAX_DAYS:
        raise InvalidRequest(f"`since` must not be after `until`, and {MAX_DAYS} days are the most.")
    return since, until


def start(day: date, days_later: int = 0) -> datetime:
    return datetime.combine(day + timedelta(days=days_later), time(), UTC)


def _by(found: Iterable[Spending], key: Callable[[Spending], K]) -> dict[K, Cost]:
    """Return the sums of what was spent, dearest first."""
    sums: dict[K, Cost] = {}
    for one in found:
        so_far = sums.setdefault(key(one), Cost())
        for name in Cost.model_fields:
            setattr(so_far, name, getattr(so_far, name) + getattr(one, name))
    return dict(sorted(sums.items(), key=lambda pair: -pair[1].cost_usd))
