"""Tables of webhooks: where tenants want to be told, what they are told, and how each try went."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKeyConstraint, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schemas.events import EventName
from schemas.tables.base import Base

WEBHOOK_EVENTS = frozenset(
    {
        *(name for name in EventName if name.startswith(("document.", "batch.", "lead.", "reservation."))),
        *(name for name in EventName if name.startswith(("conversation.", "quota.", "provider."))),
        EventName.TURN_TRANSCRIPT,
        EventName.TURN_COMPLETED,
        EventName.TURN_CANCELLED,
        EventName.TURN_FAILED,
        EventName.WEBHOOK_DISABLED,
    }
)
"""Events that webhooks tell of: what has happened, not what a listener hears while it is spoken."""


class DeliveryStatus(StrEnum):
    """Where a delivery stands. PENDING covers a first try that is due and a later one that is not yet."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DisabledReason(StrEnum):
    """Why an endpoint is not sent to: its admin said so, it answered 410, or it failed for days."""

    ADMIN = "admin"
    GONE = "gone"
    FAILING = "failing"


class WebhookEndpoint(Base):
    """Where a tenant is told of events. Secret and own headers are sealed; in a rotation two secrets sign.

    `is_slow` is what the last try showed, and true before there was one. `failing_since` is the first of
    an unbroken row of failures.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    url: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret_sealed: Mapped[str]
    previous_secret_sealed: Mapped[str | None]
    previous_until: Mapped[datetime | None]
    headers_sealed: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(server_default="true")
    disabled_reason: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    is_slow: Mapped[bool] = mapped_column(server_default="true")
    max_in_flight: Mapped[int] = mapped_column(server_default="16")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WebhookDelivery(Base):
    """One event for one endpoint, and its queue entry. `event_id` is what receivers know it by, in all tries.

    A replay is a delivery of its own with the same event id; `replay_of` names the one it repeats.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "endpoint_id"],
            ["webhook_endpoints.tenant_id", "webhook_endpoints.endpoint_id"],
            ondelete="CASCADE",
        ),
        Index("ix_webhook_deliveries_listing", "tenant_id", "endpoint_id", "created_at", "delivery_id"),
        Index(
            "ix_webhook_deliveries_due",
            "tenant_id",
            "endpoint_id",
            "due_at",
            postgresql_where=text("status = 'pending' and lease_until is null"),
        ),
        Index(
            "ix_webhook_deliveries_leased",
            "tenant_id",
            "endpoint_id",
            postgresql_where=text("lease_until is not null"),
        ),
        Index("ix_webhook_deliveries_created", "created_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    endpoint_id: Mapped[UUID]
    event_id: Mapped[UUID]
    event_type: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    status_code: Mapped[int | None]
    error_code: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivered_at: Mapped[datetime | None]
    replay_of: Mapped[UUID | None]


class WebhookAttempt(Base):
    """One try of a delivery: what was sent, without signature and secret headers, and what came back, cut."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "delivery_id"],
            ["webhook_deliveries.tenant_id", "webhook_deliveries.delivery_id"],
            ondelete="CASCADE",
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    duration_ms: Mapped[int]
    status_code: Mapped[int | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    request_headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    response_headers: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    response_body: Mapped[str] = mapped_column(server_default="")
