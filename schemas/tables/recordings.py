"""Table of the recordings of spoken turns."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from schemas.tables.base import Base


class RecordingStatus(StrEnum):
    """How far a recording is. NOTHING: when it was to be kept, its sound was gone."""

    OPEN = "open"
    KEPT = "kept"
    NOTHING = "nothing"


class Recording(Base):
    """The sound of a turn that may be kept, as its speaker was told. A length is None where there is no sound."""

    __tablename__ = "recordings"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "turn_id"], ["turns.tenant_id", "turns.turn_id"], ondelete="CASCADE"),
        Index("ix_recordings_conversation", "tenant_id", "conversation_id"),
        Index("ix_recordings_listing", "tenant_id", "created_at", "turn_id"),
        Index("ix_recordings_open", "due_at", postgresql_where=text("status = 'open'")),
        Index("ix_recordings_age", "created_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(server_default=RecordingStatus.OPEN)
    question_ms: Mapped[int | None]
    answer_ms: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
