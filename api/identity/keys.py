"""API keys of an organisation."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from api.door import auth
from api.door.permissions import allows
from pipelines.identity.roles import SCOPES
from pipelines.stores.database import tenant_session
from pipelines.stores.identity import api_keys
from pipelines.stores.operations import audit
from schemas.errors.callers import Forbidden
from schemas.errors.requests import InvalidRequest
from schemas.requests.common import IdPath
from schemas.requests.organisation.tenants import KeyBody, KeyList, KeyMade, KeyView, RotateBody
from schemas.tables.identity import Permission

blueprint = APIBlueprint("keys", __name__, url_prefix="/api/tenant/keys", abp_tags=[Tag(name="API keys")])


@blueprint.get("", responses={200: KeyList})
@allows(Permission.TENANT_ADMIN)
def listing() -> dict[str, Any]:
    """Return the organisation's API keys, newest first, without their secrets."""
    with tenant_session(auth.caller().tenant_id) as session:
        return {"keys": [api_keys.view(key) for key in api_keys.listing(session)]}


@blueprint.post("", responses={201: KeyMade})
@allows(Permission.TENANT_ADMIN)
def make(body: KeyBody) -> Any:
    """Make an API key. Its secret is in this answer and nowhere else."""
    asking = auth.caller()
    unknown = sorted(set(body.scopes) - SCOPES)
    if unknown:
        raise InvalidRequest(f"No scopes of a key: {', '.join(unknown)}. There are {', '.join(sorted(SCOPES))}.")
    if not asking.permissions.issuperset(body.scopes):
        raise Forbidden("A key can be given only what you may do yourself.")
    if body.expires_at is not None and body.expires_at <= datetime.now(UTC):
        raise InvalidRequest("`expires_at` is past.")
    with tenant_session(asking.tenant_id) as session:
        key, secret = api_keys.add(
            session, asking.tenant_id, body.name, body.scopes, asking.name or asking.user_id, body.expires_at
        )
        view = api_keys.view(key)
        audit.record(session, asking.tenant_id, auth.actor(), "api_key.made", "api_key", key.key_id, after=view)
    return {**view, "api_key": secret.text}, 201


@blueprint.get("/<uuid:id>", responses={200: KeyView})
@allows(Permission.TENANT_ADMIN)
def show(path: IdPath) -> dict[str, Any]:
    """Return an API key without its secret."""
    with tenant_session(auth.caller().tenant_id) as session:
        return api_keys.view(api_keys.get(session, path.id))


@blueprint.post("/<uuid:id>/rotate", responses={201: KeyMade})
@allows(Permission.TENANT_ADMIN)
def rotate(path: IdPath, body: RotateBody) -> Any:
    """Make a key's successor with the same rights; the old one goes on for `overlap_s` seconds."""
    asking = auth.caller()
    with tenant_session(asking.tenant_id) as session:
        key = api_keys.get(session, path.id)
        if not asking.permissions.issuperset(set(key.scopes) & SCOPES):
            raise Forbidden("A key can be given only what you may do yourself.")
        before = api_keys.view(key)
        after, secret = api_keys.rotate(session, key, timedelta(seconds=body.overlap_s))
        audit.record(
            session,
            asking.tenant_id,
            auth.actor(),
            "api_key.rotated",
            "api_key",
            key.key_id,
            before=before,
            after=api_keys.view(after),
        )
        view = api_keys.view(after)
    auth.forget(path.id)
    return {**view, "api_key": secret.text}, 201


@blueprint.delete("/<uuid:id>", responses={200: KeyView})
@allows(Permission.TENANT_ADMIN)
def revoke(path: IdPath) -> dict[str, Any]:
    """Revoke a key; requests and open sockets with it end within seconds."""
    asking = auth.caller()
    with tenant_session(asking.tenant_id) as session:
        view = api_keys.view(api_keys.revoke(session, path.id))
        audit.record(session, asking.tenant_id, auth.actor(), "api_key.revoked", "api_key", path.id, after=view)
    auth.forget(path.id)
    return view
