"""Users of a tenant."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pipelines.identity.roles import FLAGS, PRESETS
from schemas.errors.callers import LastAdmin, QuotaExceeded
from schemas.errors.requests import Conflict, NotFound
from schemas.tables.identity import Role, TenantUser
from schemas.tables.tenancy import Tenant


def add(
    session: Session,
    tenant_id: UUID,
    email: str,
    role: Role,
    *,
    name: str | None = None,
    password_hash: str | None = None,
    flags: Mapping[str, bool] | None = None,
) -> TenantUser:
    """Add a user; without a password hash an invited one. Raises Conflict and QuotaExceeded.

    One at a time per tenant, so that two cannot both take the last place.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"users:{tenant_id}"})
    most = session.scalar(select(Tenant.max_users)) or 0
    if (session.scalar(select(func.count()).select_from(TenantUser)) or 0) >= most:
        raise QuotaExceeded(f"The organisation has {most} users, as many as its subscription allows.")
    user = TenantUser(
        tenant_id=tenant_id,
        user_id=uuid4(),
        email=email,
        role=role,
        name=name,
        password_hash=password_hash,
        **{**PRESETS.get(role, PRESETS[Role.ADMIN]), **(flags or {})},
    )
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("The organisation has a user with this e-mail already.") from error
    return user


def get(session: Session, user_id: UUID) -> TenantUser:
    """Return a user. Raises NotFound."""
    user = session.scalar(select(TenantUser).where(TenantUser.user_id == user_id))
    if user is None:
        raise NotFound("There is no user with this id.")
    return user


def listing(session: Session, limit: int, after: tuple[datetime, UUID] | None = None) -> Sequence[TenantUser]:
    """Return users, oldest first, those added after `after`."""
    question = select(TenantUser).order_by(TenantUser.created_at, TenantUser.user_id).limit(limit)
    if after is not None:
        question = question.where(tuple_(TenantUser.created_at, TenantUser.user_id) > after)
    return session.scalars(question).all()


def change(session: Session, user: TenantUser, fields: Mapping[str, Any]) -> None:
    """Set columns of a user. Raises LastAdmin where nobody would be left to administer."""
    keeps = fields.get("role", user.role) == user.role and fields.get("is_active", True)
    if not keeps:
        require_another_admin(session, user)
    for name, value in fields.items():
        setattr(user, name, value)
    session.flush()


def remove(session: Session, user: TenantUser) -> None:
    """Delete a user with all logins. Raises LastAdmin."""
    require_another_admin(session, user)
    session.delete(user)
    session.flush()


def require_another_admin(session: Session, user: TenantUser) -> None:
    """Raise LastAdmin where `user` is the only active admin. The admins' rows are locked until the commit."""
    if user.role not in (Role.ADMIN, Role.OPERATOR):
        return
    admins = session.scalars(
        select(TenantUser)
        .where(TenantUser.role == user.role, TenantUser.is_active, TenantUser.password_hash.is_not(None))
        .with_for_update()
    ).all()
    if not any(admin.user_id != user.user_id for admin in admins):
        raise LastAdmin


def flags(user: TenantUser) -> list[str]:
    """Return the names of the flags that are set."""
    return [name for name in FLAGS if getattr(user, name)]


def view(user: TenantUser) -> dict[str, Any]:
    """Return a user as clients and the audit log see it."""
    return {
        "user_id": str(user.user_id),
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "is_active": user.is_active,
        "invited": user.password_hash is None,
        **{name: getattr(user, name) for name in FLAGS},
        "persona_settings": user.persona_settings,
        "voice_preference": user.voice_preference,
        "created_at": user.created_at.isoformat() if user.created_at else None,
        "last_login_at": user.last_login_at.isoformat() if user.last_login_at else None,
    }


def is_user(session: Session, user_id: str) -> bool:
    """Return whether this is the id of a user of the tenant."""
    try:
        account = UUID(user_id)
    except ValueError:
        return False
    return session.scalar(select(TenantUser.user_id).where(TenantUser.user_id == account)) is not None
