"""Whether a login or a key still stands, and what it allows: the row's word, never the token's."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, any_, func, literal, or_, select, text
from sqlalchemy.orm import Session

from pipelines.identity import roles
from pipelines.stores.database import operator_session
from pipelines.stores.identity import users
from schemas.tables.identity import ApiKey, LoginSession, Permission, TenantUser
from schemas.tables.tenancy import Agent, Tenant


@dataclass(frozen=True)
class Standing:
    """Who a credential stands for, and what it may do."""

    tenant_id: UUID
    kind: str
    credential: UUID
    user_id: str
    name: str
    role: str
    organization: str
    permissions: frozenset[Permission]
    assistant_key: str | None = None
    """The only assistant it may ask; None for all."""


def of_login(session: Session, session_id: UUID) -> Standing | None:
    """Return what a login stands for; None where it, its user or its tenant is no longer active."""
    row = session.execute(
        select(TenantUser, Tenant.organization_name)
        .join(
            LoginSession,
            (LoginSession.tenant_id == TenantUser.tenant_id) & (LoginSession.user_id == TenantUser.user_id),
        )
        .join(Tenant, Tenant.tenant_id == TenantUser.tenant_id)
        .where(
            LoginSession.session_id == session_id,
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > func.now(),
            TenantUser.is_active,
            *_tenant_stands(),
        )
    ).one_or_none()
    if row is None:
        return None
    user, organization = row
    return Standing(
        tenant_id=user.tenant_id,
        kind="user",
        credential=session_id,
        user_id=str(user.user_id),
        name=user.email,
        role=user.role,
        organization=organization,
        permissions=roles.permissions(user.role, users.flags(user)),
    )


def of_key(session: Session, which: ColumnElement[bool]) -> Standing | None:
    """Return what an API key stands for, found by its hash or its id; None where it does not stand."""
    row = session.execute(
        select(ApiKey, Tenant.organization_name)
        .join(Tenant, Tenant.tenant_id == ApiKey.tenant_id)
        .where(
            which,
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()),
            *_tenant_stands(),
        )
    ).one_or_none()
    if row is None:
        return None
    key, organization = row
    return Standing(
        tenant_id=key.tenant_id,
        kind="api_key",
        credential=key.key_id,
        user_id=f"key:{key.key_id}",
        name=key.name,
        role="api_key",
        organization=organization,
        permissions=roles.of_scopes(key.scopes),
    )


def of_widget(session: Session, widget_id: UUID, origin: str | None, visitor: str) -> Standing | None:
    """Return what a visitor of a site stands for; None where the widget is no longer on, or not for this site.

    An `origin` of None is AURA itself, where it is tried out.
    """
    row = session.execute(
        select(Agent, Tenant.organization_name)
        .join(Tenant, Tenant.tenant_id == Agent.tenant_id)
        .where(
            Agent.widget_id == widget_id,
            Agent.widget_on,
            Agent.is_active,
            *([literal(origin) == any_(Agent.widget_origins)] if origin is not None else []),
            *_tenant_stands(),
        )
    ).one_or_none()
    if row is None:
        return None
    agent, organization = row
    return Standing(
        tenant_id=agent.tenant_id,
        kind="visitor",
        credential=widget_id,
        user_id=visitor,
        name=visitor,
        role="visitor",
        organization=organization,
        permissions=frozenset({Permission.PUBLIC, Permission.VISIT}),
        assistant_key=agent.assistant_key,
    )


def fallen(credentials: Collection[UUID]) -> set[UUID]:
    """Return which of these logins, keys and widgets, of any tenants, no longer stand."""
    if not credentials:
        return set()
    with operator_session() as session:
        question = text("SELECT fallen_credentials(CAST(:ids AS uuid[]))")
        return set(session.scalars(question, {"ids": list(credentials)}))


def _tenant_stands() -> tuple[ColumnElement[bool], ...]:
    return (Tenant.is_active.is_(True), or_(Tenant.expires_at.is_(None), Tenant.expires_at > func.now()))
