"""Tables of bulk work: batches of documents, what they hold, and uploads that can be resumed."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schemas.tables.base import Base


class BatchState(StrEnum):
    """Where a batch stands. `completed`: nothing of it is left to do, whatever became of it."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class Source(StrEnum):
    """How a batch came."""

    FILES = "files"
    ZIP = "zip"
    URL = "url"
    FOLDER = "folder"
    REINDEX = "reindex"
    ENTRIES = "entries"


class Batch(Base):
    """Documents that came together, followed as one job.

    `intake` means that its archive or its addresses are still being taken in, up to item `taken_in`;
    `is_open` that its client may add more. `told_at` is when its progress was last published.
    """

    __tablename__ = "batches"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        CheckConstraint("state IN ('running', 'paused', 'cancelled', 'completed')", name="state"),
        Index("ix_batches_listing", "tenant_id", "created_at", "batch_id"),
        Index("ix_batches_intake", "enqueued_at", postgresql_where=text("intake")),
        Index("ix_batches_running", "tenant_id", postgresql_where=text("state IN ('running', 'paused')")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[str]
    assistant_key: Mapped[str | None]
    source: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    priority: Mapped[int] = mapped_column(server_default="0")
    state: Mapped[str] = mapped_column(server_default=BatchState.RUNNING)
    is_open: Mapped[bool] = mapped_column(server_default="false")
    intake: Mapped[bool] = mapped_column(server_default="false")
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    password_sealed: Mapped[str | None]
    taken_in: Mapped[int] = mapped_column(server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0")
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    enqueued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    told_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class BatchItem(Base):
    """One file of a batch: a document, or the reason why it never became one."""

    __tablename__ = "batch_items"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "batch_id"], ["batches.tenant_id", "batches.batch_id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["tenant_id", "doc_id"], ["documents.tenant_id", "documents.doc_id"], ondelete="SET NULL (doc_id)"
        ),
        Index("ix_batch_items_document", "tenant_id", "doc_id", postgresql_where=text("doc_id IS NOT NULL")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    filename: Mapped[str]
    folder: Mapped[str] = mapped_column(server_default="")
    url: Mapped[str | None]
    doc_id: Mapped[UUID | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]


class Upload(Base):
    """A resumable upload: `received` of `size` bytes lie in the object store in `parts` pieces."""

    __tablename__ = "uploads"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        Index("ix_uploads_expiry", "expires_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    upload_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[str]
    filename: Mapped[str]
    assistant_key: Mapped[str | None]
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger, server_default="0")
    parts: Mapped[int] = mapped_column(server_default="0")
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}")
    password_sealed: Mapped[str | None]
    job_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(server_default=text("now() + interval '1 day'"))
