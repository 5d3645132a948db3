"""Tables of documents: what was uploaded, its versions, and the work on it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schemas.tables.base import Base

NO_LANE = "00000000-0000-0000-0000-000000000000"
"""Where documents queue that came alone."""

UPLOADED = "document_chunks"
"""The source of documents proper. Those of entries have their tables' names, and are no documents to who lists them."""


class Status(StrEnum):
    """Where a piece of work stands. A row that is committed as `queued` is accepted work."""

    QUEUED = "queued"
    RUNNING = "running"
    PROCESSED = "processed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """The steps of an ingest, in order; each is the name of its queue. Recordings alone are listened to."""

    EXTRACT = "extract"
    LISTEN = "listen"
    CHUNK = "chunk"
    EMBED = "embed"
    STORE = "store"


LARGE_UNITS = 16
SMALL_BYTES = 1 << 16
PAGED_TYPES = frozenset({"pdf", "png", "jpeg", "tiff", "webp", "bmp", "gif"})
"""Types whose pages can be shown as pictures."""

PLAIN_TYPES = frozenset({"txt", "md", "html", "json", "ndjson", "csv", "tsv"})


def units_of(file_type: str, file_size: int) -> int:
    """Return what a document counts in admission: 1 for a short text, which travels in a bundle, else 16."""
    return 1 if file_type in PLAIN_TYPES and file_size <= SMALL_BYTES else LARGE_UNITS


class Document(Base):
    """An uploaded document. `version` is the one that answers; 0 until the first is processed.

    `units` is what it counts in admission. `lane` is its batch, or zero: each lane of a tenant has its turn.
    `express` goes by the queue of that name while it runs. `wanted` are the options of its next version.
    `source` is UPLOADED, or the table of the entry that it makes findable (`schemas/tables/training.py`).
    """

    __tablename__ = "documents"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        # The same bytes for the same assistant are one document, also when they arrive twice at once.
        Index(
            "uq_documents_content",
            "tenant_id",
            text("coalesce(assistant_key, '')"),
            "content_sha256",
            unique=True,
        ),
        ForeignKeyConstraint(
            ["tenant_id", "batch_id"], ["batches.tenant_id", "batches.batch_id"], ondelete="SET NULL (batch_id)"
        ),
        Index(
            "ix_documents_queued",
            "tenant_id",
            "lane",
            text("priority DESC"),
            "queued_at",
            "doc_id",
            postgresql_where=text("processing_status = 'queued'"),
        ),
        Index("ix_documents_batch", "tenant_id", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
        Index(
            "ix_documents_ended_badly",
            "tenant_id",
            "created_at",
            "doc_id",
            postgresql_where=text("processing_status IN ('failed', 'cancelled')"),
        ),
        Index("ix_documents_running", "tenant_id", postgresql_where=text("processing_status = 'running'")),
        Index(
            "ix_documents_listing",
            "tenant_id",
            "created_at",
            "doc_id",
            postgresql_where=text("source = 'document_chunks'"),
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    doc_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[str]
    assistant_key: Mapped[str | None]
    filename: Mapped[str]
    file_type: Mapped[str]
    file_size: Mapped[int] = mapped_column(BigInteger)
    content_sha256: Mapped[str]
    title: Mapped[str] = mapped_column(server_default="")
    content_preview: Mapped[str] = mapped_column(server_default="")
    version: Mapped[int] = mapped_column(server_default="0")
    processing_status: Mapped[str] = mapped_column(server_default=Status.QUEUED)
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    pages: Mapped[int | None]
    chunks_count: Mapped[int] = mapped_column(server_default="0")
    tokens_count: Mapped[int] = mapped_column(server_default="0")
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    processed_at: Mapped[datetime | None]
    batch_id: Mapped[UUID | None]
    lane: Mapped[UUID] = mapped_column(server_default=NO_LANE)
    priority: Mapped[int] = mapped_column(server_default="0")
    units: Mapped[int] = mapped_column(server_default="16")
    express: Mapped[bool] = mapped_column(server_default="false")
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    folder: Mapped[str] = mapped_column(server_default="")
    source_url: Mapped[str | None]
    password_sealed: Mapped[str | None]
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    source: Mapped[str] = mapped_column(server_default=UPLOADED)


class DocumentVersion(Base):
    """One processing of a document. Its row is locked while parts of a stage are counted.

    `embedded_count` are the chunks whose vectors were asked for, not found among those of the tenant.
    """

    __tablename__ = "document_versions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "doc_id"], ["documents.tenant_id", "documents.doc_id"], ondelete="CASCADE"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    doc_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    embedding_model: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    chunks_count: Mapped[int | None]
    embedded_count: Mapped[int] = mapped_column(server_default="0")
    processed_at: Mapped[datetime | None]


class DocumentStage(Base):
    """One part of one stage: the unit of ingest work, claimed by lease.

    `span_from`, `span_to` are pages for `extract` (0-based, end excluded) and chunks for `embed`.
    A large document is extracted by page range and embedded by batch; `part` counts them.
    `attempts` counts claims that ended in silence (a worker died), `deferrals` those put off because
    something outside did not answer. What a part makes is in `payload` where it is small, else it is the
    object `artefact`. `done` counts pages while it runs.
    """

    __tablename__ = "document_stages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "doc_id", "version"],
            ["document_versions.tenant_id", "document_versions.doc_id", "document_versions.version"],
            ondelete="CASCADE",
        ),
        Index("ix_document_stages_open", "stage", "enqueued_at", postgresql_where=text("status <> 'processed'")),
        Index("ix_document_stages_lease", "tenant_id", "lease_token", postgresql_where=text("lease_token IS NOT NULL")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    doc_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    span_from: Mapped[int | None]
    span_to: Mapped[int | None]
    status: Mapped[str] = mapped_column(server_default=Status.QUEUED)
    artefact: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    deferrals: Mapped[int] = mapped_column(server_default="0")
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    enqueued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    queue: Mapped[str] = mapped_column(server_default="")
    payload: Mapped[bytes | None]
    done: Mapped[int] = mapped_column(server_default="0")
    worker: Mapped[str | None]
    started_at: Mapped[datetime | None]
