"""Organisations: one's own settings and looks, and the operator's view of all."""

from typing import Any
from uuid import UUID

from flask_openapi3 import APIBlueprint, Tag

from api.door import auth, tenancy
from api.door.paging import cursor, position
from api.door.permissions import allows
from api.identity import posts
from pipelines.identity import passwords
from pipelines.stores.database import tenant_session
from pipelines.stores.identity import one_time, users
from pipelines.stores.operations import audit
from pipelines.stores.organisation import quotas, tenants
from schemas.errors.callers import Forbidden
from schemas.errors.requests import Conflict, InvalidRequest, NotFound
from schemas.requests.common import IdPath, Listing
from schemas.requests.organisation.tenants import (
    Branding,
    OwnChange,
    TenantBody,
    TenantChange,
    TenantMade,
    TenantPage,
    TenantView,
)
from schemas.tables.base import DEFAULT_TENANT_ID
from schemas.tables.identity import Permission, Purpose, Role
from schemas.tables.tenancy import Tenant

blueprint = APIBlueprint("tenants", __name__, url_prefix="/api", abp_tags=[Tag(name="tenants")])


@blueprint.get("/tenant", responses={200: TenantView})
@allows(Permission.SELF)
def own() -> dict[str, Any]:
    """Return one's own organisation."""
    return _shown(auth.caller().tenant_id)


@blueprint.patch("/tenant", responses={200: TenantView})
@allows(Permission.TENANT_ADMIN)
def change_own(body: OwnChange) -> dict[str, Any]:
    """Change one's organisation's settings, looks or monthly budget. Its subscription is the operator's to change."""
    return _changed(auth.caller().tenant_id, body)


@blueprint.get("/tenant/branding", responses={200: Branding})
@allows(Permission.PUBLIC)
def branding() -> dict[str, Any]:
    """Return how the pages of the organisation at this address look; before anybody has signed in."""
    subdomain = tenancy.resolved_subdomain()
    tenant_id = tenancy.tenant_of(subdomain) if subdomain else UUID(DEFAULT_TENANT_ID)
    with tenant_session(tenant_id) as session:
        tenant = tenants.get(session, tenant_id)
    return Branding.model_validate(tenant, from_attributes=True).model_dump(mode="json")


@blueprint.get("/tenants", responses={200: TenantPage})
@allows(Permission.OPERATE)
def listing(query: Listing) -> dict[str, Any]:
    """Return all organisations, newest first."""
    found = tenants.page(query.limit + 1, position(query.after))
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {
        "tenants": [_view(tenant) for tenant in found[: query.limit]],
        "next": cursor(last.created_at, last.tenant_id) if last else None,
    }


@blueprint.post("/tenants", responses={201: TenantMade})
@allows(Permission.OPERATE)
def make(body: TenantBody) -> Any:
    """Found an organisation with its first admin, who is invited unless a password is given."""
    if body.admin_password is not None:
        passwords.check(body.admin_password, body.admin_email, body.organization_name)
    others = body.model_dump(
        exclude_unset=True,
        exclude_none=True,
        exclude={"organization_name", "admin_email", "admin_password", "subdomain", "subscription_tier"},
    )
    tenant_id = tenants.found(
        body.organization_name, body.admin_email, subdomain=body.subdomain, tier=body.subscription_tier, others=others
    )
    kept = passwords.hashed(body.admin_password) if body.admin_password is not None else None
    mail_id, url = None, None
    with tenant_session(tenant_id) as session:
        user = users.add(session, tenant_id, body.admin_email, Role.ADMIN, password_hash=kept)
        if kept is None:
            token = one_time.issue(session, tenant_id, user.user_id, Purpose.INVITATION)
            mail_id, url = posts.invitation(session, tenant_id, user, token), posts.invitation_url(token)
        view = _view(tenants.get(session, tenant_id))
        audit.record(session, tenant_id, auth.actor(), "tenant.founded", "tenant", tenant_id, after=_kept(view))
    if mail_id is not None:
        posts.wake(tenant_id, mail_id)
    return {**view, "invitation_url": url}, 201


@blueprint.get("/tenants/<uuid:id>", responses={200: TenantView})
@allows(Permission.SELF)
def show(path: IdPath) -> dict[str, Any]:
    """Return an organisation: the operator any, others their own."""
    _require_reach(path.id)
    return _shown(path.id)


@blueprint.patch("/tenants/<uuid:id>", responses={200: TenantView})
@allows(Permission.TENANT_ADMIN)
def change(path: IdPath, body: TenantChange) -> dict[str, Any]:
    """Change an organisation: the operator any of it, an admin what `/api/tenant` allows of their own."""
    _require_reach(path.id)
    if Permission.OPERATE not in auth.caller().permissions:
        beyond = body.model_fields_set - set(OwnChange.model_fields)
        if beyond:
            raise Forbidden(f"Only the operator may change {', '.join(sorted(beyond))}.")
    return _changed(path.id, body)


def _require_reach(tenant_id: UUID) -> None:
    """Raise NotFound where the tenant is neither the caller's nor the caller the operator: missing or foreign."""
    asking = auth.caller()
    if tenant_id != asking.tenant_id and Permission.OPERATE not in asking.permissions:
        raise NotFound("There is no tenant with this id.")


def _shown(tenant_id: UUID) -> dict[str, Any]:
    with tenant_session(tenant_id) as session:
        return _view(tenants.get(session, tenant_id))


def _changed(tenant_id: UUID, body: OwnChange) -> dict[str, Any]:
    fields = body.model_dump(exclude_unset=True)
    nullable = {"custom_logo", "brand_colors", "max_monthly_cost_usd", "expires_at"}
    missing = sorted(name for name, value in fields.items() if value is None and name not in nullable)
    if missing:
        raise InvalidRequest(f"{', '.join(missing)}: this cannot be null.")
    if fields.get("subdomain"):
        fields["subdomain"] = tenants.checked_subdomain(fields["subdomain"])
    if str(tenant_id) == DEFAULT_TENANT_ID and (fields.get("is_active") is False or fields.get("expires_at")):
        raise Conflict("The default organisation runs this deployment and stays active.")
    with tenant_session(tenant_id) as session:
        tenant = tenants.get(session, tenant_id)
        before = _view(tenant)
        tenants.change(session, tenant, fields)
        after = _view(tenant)
        old, new = audit.changed(before, after)
        audit.record(
            session, tenant_id, auth.actor(), "tenant.changed", "tenant", tenant_id, before=_kept(old), after=_kept(new)
        )
    auth.forget()
    quotas.forget(tenant_id)
    return after


def _view(tenant: Tenant) -> dict[str, Any]:
    return TenantView.model_validate(tenant, from_attributes=True).model_dump(mode="json")


def _kept(view: dict[str, Any]) -> dict[str, Any]:
    """Return of a tenant's view what the audit log keeps: a logo may be a picture of some size."""
    return {name: value if len(str(value)) <= 1000 else "(long)" for name, value in view.items()}
