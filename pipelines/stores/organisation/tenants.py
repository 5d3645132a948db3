"""Tenants: founding one, its settings and limits, and the operator's list of all."""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pipelines.stores.database import operator_session, tenant_session
from schemas.errors.requests import Conflict, InvalidRequest, NotFound
from schemas.tables.tenancy import Agent, Tenant, Tier

LIMITS: dict[Tier, dict[str, int]] = {
    Tier.STANDARD: {
        "max_users": 10,
        "max_storage_gb": 10,
        "max_api_calls_monthly": 10_000,
        "max_concurrent_sessions": 10,
    },
    Tier.PREMIUM: {
        "max_users": 100,
        "max_storage_gb": 100,
        "max_api_calls_monthly": 200_000,
        "max_concurrent_sessions": 50,
    },
    Tier.ENTERPRISE: {
        "max_users": 10_000,
        "max_storage_gb": 1_000,
        "max_api_calls_monthly": 10_000_000,
        "max_concurrent_sessions": 500,
    },
}
"""What each tier brings; an operator may give a tenant other numbers."""

RESERVED = frozenset({"admin", "api", "app", "aura", "default", "docs", "mail", "static", "status", "widget", "www"})
SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
DEFAULT_ASSISTANT = "default-assistant"


def found(
    organization_name: str,
    admin_email: str,
    *,
    subdomain: str | None = None,
    tier: Tier = Tier.STANDARD,
    others: Mapping[str, Any] | None = None,
) -> UUID:
    """Make a tenant with an assistant of its own and return its id. Raises Conflict, InvalidRequest.

    Without a `subdomain` one is made from the organisation's name; `others` are further columns.
    """
    tenant_id = uuid4()
    wanted = checked_subdomain(subdomain) if subdomain else _slug(organization_name)
    try:
        with tenant_session(tenant_id) as session:
            session.add(
                Tenant(
                    tenant_id=tenant_id,
                    organization_name=organization_name,
                    admin_email=admin_email,
                    subdomain=wanted,
                    subscription_tier=tier,
                    **{**LIMITS[tier], **(others or {})},
                )
            )
            session.flush()
            session.add(Agent(tenant_id=tenant_id, assistant_key=DEFAULT_ASSISTANT, name=organization_name))
    except IntegrityError as error:
        if "uq_tenants_subdomain" not in str(error):
            raise
        if subdomain:
            raise Conflict(f"The subdomain {wanted!r} is taken.") from error
        return found(organization_name, admin_email, subdomain=_other(wanted), tier=tier, others=others)
    return tenant_id


def checked_subdomain(name: str) -> str:
    """Return a subdomain in lower case. Raises InvalidRequest, Conflict."""
    lower = name.strip().lower()
    if not SUBDOMAIN.fullmatch(lower):
        raise InvalidRequest("A subdomain has 1 to 63 letters, digits and hyphens, none at its ends.")
    if lower in RESERVED:
        raise Conflict(f"The subdomain {lower!r} is taken.")
    return lower


def get(session: Session, tenant_id: UUID) -> Tenant:
    """Return the tenant of this session. Raises NotFound."""
    tenant = session.scalar(select(Tenant).where(Tenant.tenant_id == tenant_id))
    if tenant is None:
        raise NotFound("There is no tenant with this id.")
    return tenant


def change(session: Session, tenant: Tenant, fields: Mapping[str, Any]) -> None:
    """Set columns of a tenant; a new tier brings its limits, unless they are among the fields. Raises Conflict."""
    tier = fields.get("subscription_tier")
    limits = LIMITS[Tier(tier)] if tier and tier != tenant.subscription_tier else {}
    for name, value in {**limits, **fields}.items():
        setattr(tenant, name, value)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"The subdomain {fields.get('subdomain')!r} is taken.") from error


def by_subdomain(name: str) -> UUID | None:
    """Return the active tenant of a subdomain."""
    with operator_session() as session:
        tenant_id: UUID | None = session.scalar(text("SELECT tenant_by_subdomain(:name)"), {"name": name})
    return tenant_id


def page(limit: int, before: tuple[datetime, UUID] | None = None) -> Sequence[Tenant]:
    """Return tenants, newest first, those founded before `before`; for the operator only."""
    at, tenant_id = before or (None, None)
    with operator_session() as session:
        question = text("SELECT tenant_id FROM list_tenants(CAST(:at AS timestamptz), CAST(:id AS uuid), :limit)")
        ids = session.scalars(question, {"at": at, "id": tenant_id, "limit": limit}).all()
    tenants = []
    for each in ids:
        with tenant_session(each) as session:
            if (tenant := session.scalar(select(Tenant).where(Tenant.tenant_id == each))) is not None:
                tenants.append(tenant)
    return tenants


def _slug(name: str) -> str:
    """Return a subdomain made from a name: its letters and digits, the rest as hyphens."""
    made = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].strip("-")
    return made if made and made not in RESERVED else _other(made or "org")


def _other(name: str) -> str:
    return f"{name}-{secrets.token_hex(3)}"
