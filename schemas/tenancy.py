"""Tables of tenants and their assistants."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schemas.base import Base


class Tenant(Base):
    """An organisation. `knowledge_version` moves whenever what it knows has changed."""

    __tablename__ = "tenants"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    organization_name: Mapped[str]
    admin_email: Mapped[str] = mapped_column(unique=True)
    subscription_tier: Mapped[str] = mapped_column(server_default="standard")
    max_storage_gb: Mapped[int] = mapped_column(server_default="10")
    max_users: Mapped[int] = mapped_column(server_default="10")
    max_api_calls_monthly: Mapped[int] = mapped_column(server_default="10000")
    custom_settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    knowledge_version: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Agent(Base):
    """An assistant of a tenant; `assistant_key` is its name in URLs and requests."""

    __tablename__ = "agents"
    __table_args__ = (
        UniqueConstraint("tenant_id", "assistant_key"),
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    agent_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    assistant_key: Mapped[str]
    name: Mapped[str]
    instructions: Mapped[str] = mapped_column(server_default="")
    greeting: Mapped[str] = mapped_column(server_default="")
    voice_id: Mapped[str | None]
    language: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
