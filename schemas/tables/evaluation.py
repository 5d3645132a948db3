"""Tables of evaluations: sets of questions, how they are asked, and how well they were answered."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from schemas.tables.base import Base


class EvaluationStatus(StrEnum):
    """Where an evaluation stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Evaluation(Base):
    """A set of questions that is asked in each of its `configurations`, one question at a time, held by lease.

    `attempts` counts claims since the last question was done. `results` has a row of figures for each configuration.
    """

    __tablename__ = "evaluations"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        Index("ix_evaluations_listing", "tenant_id", "created_at", "evaluation_id"),
        Index("ix_evaluations_open", "enqueued_at", postgresql_where=text("status IN ('queued', 'running')")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    evaluation_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[str]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=EvaluationStatus.QUEUED)
    configurations: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    total: Mapped[int]
    done: Mapped[int] = mapped_column(server_default="0")
    results: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    attempts: Mapped[int] = mapped_column(server_default="0")
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    enqueued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]


class EvaluationQuestion(Base):
    """A question with the answers that are right, none where it should be refused, and where they stand.

    `outcomes` has what came of it in each configuration, in their order; none until it was asked.
    """

    __tablename__ = "evaluation_questions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "evaluation_id"],
            ["evaluations.tenant_id", "evaluations.evaluation_id"],
            ondelete="CASCADE",
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    evaluation_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str]
    answers: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    source: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    outcomes: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
