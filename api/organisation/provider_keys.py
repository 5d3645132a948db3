"""An organisation's own keys of providers. They are taken in, and never given out again."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from flask_openapi3 import APIBlueprint, Tag

from api.door import auth
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import calls
from pipelines.stores.organisation import provider_keys
from pipelines.stores.redis import get_redis
from schemas.errors.requests import NotFound
from schemas.requests.organisation.providers import (
    KeyTrials,
    ProviderKeyBody,
    ProviderKeyGone,
    ProviderKeyList,
    ProviderKeyView,
    ProviderPath,
)
from schemas.tables.identity import Permission
from workers import send

blueprint = APIBlueprint(
    "provider_keys", __name__, url_prefix="/api/tenant/provider-keys", abp_tags=[Tag(name="provider keys")]
)


TRIAL_TIMEOUT_S = 25.0


@blueprint.get("", responses={200: ProviderKeyList})
@allows(Permission.TENANT_ADMIN)
def listing() -> list[dict[str, Any]]:
    """Return which keys of providers the organisation has set, without the keys."""
    with tenant_session(auth.caller().tenant_id) as session:
        return provider_keys.listing(session)


@blueprint.put("/<provider>", responses={200: ProviderKeyView})
@allows(Permission.TENANT_ADMIN)
def put(path: ProviderPath, body: ProviderKeyBody) -> dict[str, Any]:
    """Set the organisation's key of a provider: it is used in place of the deployment's, within 5 seconds."""
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        return provider_keys.put(session, tenant_id, auth.actor(), path.provider, body.key.get_secret_value())


@blueprint.post("/<provider>/test", responses={200: KeyTrials})
@allows(Permission.TENANT_ADMIN)
def try_key(path: ProviderPath) -> dict[str, Any]:
    """Try the organisation's key with a short call of each kind of work it is used for; that costs next to nothing."""
    tenant_id, call_id = auth.caller().tenant_id, uuid4()
    with tenant_session(tenant_id) as session:
        if path.provider not in {one["provider"] for one in provider_keys.listing(session)}:
            raise NotFound("There is no key of this provider.")
    calls.ask(get_redis(), tenant_id, call_id, {"provider": path.provider.value})
    send.key_trial(tenant_id, call_id)
    facts, _ = calls.result(get_redis(), tenant_id, call_id, TRIAL_TIMEOUT_S)
    return KeyTrials(**facts).model_dump(mode="json")


@blueprint.delete("/<provider>", responses={200: ProviderKeyGone})
@allows(Permission.TENANT_ADMIN)
def remove(path: ProviderPath) -> dict[str, Any]:
    """Forget the organisation's key of a provider; answer with the receipt."""
    tenant_id = auth.caller().tenant_id
    with tenant_session(tenant_id) as session:
        gone = provider_keys.remove(session, tenant_id, auth.actor(), path.provider)
    return {**gone, "deleted_at": datetime.now(UTC).isoformat()}
