"""Tables of what was done and used: audit, usage, idempotent requests, mail, and deleted tenants."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Identity, Index, LargeBinary, Numeric, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schemas.tables.base import Base


class AuditEntry(Base):
    """One administrative act: who did what to what, from where. Written with the act, never changed."""

    __tablename__ = "audit_log"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    audit_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    actor_name: Mapped[str | None]
    action: Mapped[str]
    target_kind: Mapped[str]
    target_id: Mapped[str | None]
    address: Mapped[str | None]
    trace_id: Mapped[str | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class UsageMonth(Base):
    """What a tenant has used in a calendar month (UTC); `month` is its first day."""

    __tablename__ = "usage_months"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    api_calls: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cost_usd: Mapped[Decimal] = mapped_column(Numeric(14, 6), server_default="0")
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")


class UsageEvent(Base):
    """One call of a provider and its price; while `held_until` is ahead, the price is an estimate that is held."""

    __tablename__ = "usage_events"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        Index("ix_usage_events_at", "tenant_id", "created_at"),
        Index("ix_usage_events_created", "created_at"),
        Index("ix_usage_events_held", "tenant_id", postgresql_where=text("held_until is not null")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    usage_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    kind: Mapped[str]
    provider: Mapped[str]
    model: Mapped[str]
    input_tokens: Mapped[int] = mapped_column(server_default="0")
    output_tokens: Mapped[int] = mapped_column(server_default="0")
    seconds: Mapped[float | None]
    cost_usd: Mapped[Decimal] = mapped_column(Numeric(12, 6), server_default="0")
    held_until: Mapped[datetime | None]
    subject_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IdempotencyKey(Base):
    """A POST that named its key: in work until `lease_until`, then kept with its answer for replays."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        Index("ix_idempotency_keys_created", "created_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    lease_token: Mapped[UUID]
    lease_until: Mapped[datetime]
    status_code: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OutgoingMail(Base):
    """A mail to be sent; its text holds a token, so it is sealed, and emptied once sent."""

    __tablename__ = "outgoing_mails"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        Index("ix_outgoing_mails_due", "due_at", postgresql_where=text("status = 'queued'")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    mail_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    recipient: Mapped[str]
    subject: Mapped[str]
    sealed: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0")
    error_detail: Mapped[str | None]
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]


class TenantDeletion(Base):
    """The receipt of a deleted tenant: what was removed, and that nothing was left. It outlives the tenant."""

    __tablename__ = "tenant_deletions"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_name: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
    receipt: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
