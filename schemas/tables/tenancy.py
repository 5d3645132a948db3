"""Tables of tenants and their assistants."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Double, ForeignKeyConstraint, Index, Numeric, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schemas.tables.base import Base


class Tier(StrEnum):
    """What a tenant has subscribed to; each brings limits (`pipelines/stores/organisation/tenants.py`)."""

    STANDARD = "standard"
    PREMIUM = "premium"
    ENTERPRISE = "enterprise"


class Tenant(Base):
    """An organisation. `knowledge_version` moves whenever what it knows has changed.

    `subdomain` is its name in addresses. `api_keys` holds the tenant's own keys of providers, sealed,
    by provider. A tenant that is not active or has expired is refused at the door. With `record_voice` what is
    said and answered is kept for `recording_days`.
    """

    __tablename__ = "tenants"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    organization_name: Mapped[str]
    subdomain: Mapped[str] = mapped_column(
        unique=True, server_default=text("'t-' || replace(gen_random_uuid()::text, '-', '')")
    )
    admin_email: Mapped[str]
    subscription_tier: Mapped[str] = mapped_column(server_default="standard")
    max_storage_gb: Mapped[int] = mapped_column(server_default="10")
    max_users: Mapped[int] = mapped_column(server_default="10")
    max_api_calls_monthly: Mapped[int] = mapped_column(server_default="10000")
    max_concurrent_sessions: Mapped[int] = mapped_column(server_default="10")
    max_monthly_cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    custom_settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    api_keys: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    custom_logo: Mapped[str | None]
    brand_colors: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    is_active: Mapped[bool] = mapped_column(server_default="true")
    expires_at: Mapped[datetime | None]
    deletion_requested_at: Mapped[datetime | None]
    record_voice: Mapped[bool] = mapped_column(server_default="false")
    recording_days: Mapped[int] = mapped_column(server_default="30")
    knowledge_version: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Agent(Base):
    """An assistant of a tenant; `assistant_key` is its name in URLs and requests.

    `persona`, `knowledge_filter` and `model_policy` hold what was set of it, in the form of their bodies
    (`schemas/requests/organisation/agents.py`). `revision` counts its changes. `widget_id` is public.
    """

    __tablename__ = "agents"
    __table_args__ = (
        UniqueConstraint("tenant_id", "assistant_key"),
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        Index("ix_agents_widget", "widget_id", postgresql_where=text("widget_id IS NOT NULL")),
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
    persona: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    voice_speed: Mapped[float | None] = mapped_column(Double)
    filler_after_ms: Mapped[int | None]
    fillers: Mapped[dict[str, list[str]]] = mapped_column(JSONB, server_default="{}")
    knowledge_filter: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    model_policy: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    kind: Mapped[str] = mapped_column(server_default="custom")
    revision: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    widget_id: Mapped[UUID | None]
    widget_on: Mapped[bool] = mapped_column(server_default="false")
    widget_origins: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    widget_voice: Mapped[bool] = mapped_column(server_default="true")
