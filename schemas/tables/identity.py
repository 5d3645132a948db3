"""Tables of who may come in: users, their logins, and keys of programs. Secrets are kept as hashes only."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKeyConstraint, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schemas.tables.base import Base


class Role(StrEnum):
    """What a user is to the organisation. OPERATOR runs the platform and belongs to the default tenant."""

    ADMIN = "admin"
    MANAGER = "manager"
    USER = "user"
    OPERATOR = "operator"


class Permission(StrEnum):
    """What a route may ask for; also the scopes of API keys.

    PUBLIC asks for nobody, SELF for anybody who is signed in, VISIT for somebody whom a widget let in: no role, and no
    key, has it.
    """

    PUBLIC = "public"
    SELF = "self"
    CHAT = "chat"
    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    AI_WRITE = "ai:write"
    ANALYTICS_READ = "analytics:read"
    WEBHOOKS = "webhooks"
    TENANT_ADMIN = "tenant:admin"
    OPERATE = "operate"
    VISIT = "visit"


class TenantUser(Base):
    """A person of a tenant. Without a password hash the invitation is not accepted yet."""

    __tablename__ = "tenant_users"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        Index("uq_tenant_users_email", "tenant_id", text("lower(email)"), unique=True),
        Index("ix_tenant_users_login", text("lower(email)")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    email: Mapped[str]
    role: Mapped[str] = mapped_column(server_default="user")
    name: Mapped[str | None]
    password_hash: Mapped[str | None]
    persona_settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    voice_preference: Mapped[str | None]
    can_upload_documents: Mapped[bool] = mapped_column(server_default="true")
    can_modify_ai_settings: Mapped[bool] = mapped_column(server_default="false")
    can_view_analytics: Mapped[bool] = mapped_column(server_default="false")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_login_at: Mapped[datetime | None]


class LoginSession(Base):
    """One login on one device: the family of its refresh tokens. Revoking it ends its tokens and sockets."""

    __tablename__ = "login_sessions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["tenant_users.tenant_id", "tenant_users.user_id"], ondelete="CASCADE"
        ),
        Index("ix_login_sessions_user", "tenant_id", "user_id"),
        Index("ix_login_sessions_id", "session_id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[UUID]
    address: Mapped[str | None]
    user_agent: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]


class RefreshToken(Base):
    """A refresh token that was issued; one that comes again after it was spent ends its session."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["login_sessions.tenant_id", "login_sessions.session_id"], ondelete="CASCADE"
        ),
        Index("ix_refresh_tokens_session", "tenant_id", "session_id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    issued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    spent_at: Mapped[datetime | None]


class Purpose(StrEnum):
    """What a one-time token is for."""

    INVITATION = "invitation"
    RESET = "reset"


class OneTimeToken(Base):
    """A token that sets a password once: an invitation's or a forgotten password's."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["tenant_users.tenant_id", "tenant_users.user_id"], ondelete="CASCADE"
        ),
        Index("ix_one_time_tokens_user", "tenant_id", "user_id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    purpose: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiKey(Base):
    """A program's key. `prefix` is what may be shown of it; rotation gives it a successor and a last day."""

    __tablename__ = "api_keys"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        Index("uq_api_keys_hash", "tenant_id", "key_hash", unique=True),
        Index("ix_api_keys_id", "key_id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    successor_id: Mapped[UUID | None]


class SigningKey(Base):
    """A key pair that signs access tokens, its private half sealed. The newest one signs; all verify until they retire.

    It belongs to the deployment, not to a tenant.
    """

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    signs_from: Mapped[datetime] = mapped_column(server_default=func.now())
    retires_at: Mapped[datetime | None]
