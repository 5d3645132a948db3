"""What the caller's organisation has used, beside what it may use."""

from datetime import date
from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from api.door.auth import caller
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.organisation import quotas, rates, usage
from pipelines.stores.redis import get_redis
from schemas.errors.providers import StoreUnavailable
from schemas.requests.organisation.usage import ModelUse, RateView, TenantUsage, UsageQuery, Used
from schemas.tables.identity import Permission

blueprint = APIBlueprint("usage", __name__, url_prefix="/api/tenant/usage", abp_tags=[Tag(name="tenant")])


@blueprint.get("", responses={200: TenantUsage})
@allows(Permission.ANALYTICS_READ)
def show(query: UsageQuery) -> dict[str, Any]:
    """Return the calls, cost, tokens by model, storage and sessions of a month, with limits and percentages."""
    tenant_id = caller().tenant_id
    month = date.fromisoformat(f"{query.month}-01") if query.month else quotas.this_month()
    quotas.forget(tenant_id)
    limits = quotas.limits(tenant_id)
    with tenant_session(tenant_id, durable=False) as session:
        found = usage.of_month(session, month)
    try:
        # The row is a flush behind the counter; without Redis, so is the answer.
        calls = max(found.api_calls, *rates.counted(get_redis(), [(tenant_id, month)]))
        sessions = rates.sessions(get_redis(), tenant_id)
    except StoreUnavailable:
        calls, sessions = found.api_calls, 0
    return TenantUsage(
        month=f"{month:%Y-%m}",
        tier=limits.tier,
        api_calls=_used(calls, limits.max_api_calls_monthly),
        cost_usd=_used(float(found.cost_usd), limits.max_monthly_cost_usd),
        storage_bytes=_used(found.storage_bytes, limits.max_storage_gb * quotas.BYTES_PER_GB),
        users=_used(found.users, limits.max_users),
        sessions=_used(sessions, limits.max_concurrent_sessions),
        documents=found.documents,
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens,
        models=[ModelUse(**vars(model)) for model in found.models],
        rates_per_minute=RateView(**vars(limits.rates)),
    ).model_dump(mode="json")


def _used(used: float, limit: Any) -> Used:
    if limit is None:
        return Used(used=used, limit=None, percent=None)
    percent = round(100 * used / float(limit), 2) if limit else 100.0
    return Used(used=used, limit=float(limit), percent=percent)
