"""Tables of memory: what users allowed and prefer, summaries, feedback, and questions nobody could answer yet."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schemas.tables.base import Base

_OF_TENANT = (["tenant_id"], ["tenants.tenant_id"])


class Source(StrEnum):
    """Where a preference comes from: said so by its user, or learned from what was said."""

    STATED = "stated"
    LEARNED = "learned"


class QuestionState(StrEnum):
    """Where an unanswered question stands."""

    OPEN = "open"
    ANSWERED = "answered"
    DISMISSED = "dismissed"


class MemoryConsent(Base):
    """Whether a user allowed that preferences are learned of what they say, and since when it is so."""

    __tablename__ = "memory_consents"
    __table_args__ = (ForeignKeyConstraint(*_OF_TENANT, ondelete="CASCADE"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    learn: Mapped[bool]
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())


class UserPreference(Base):
    """Something a user prefers. What was learned was learned with consent, in the turn `turn_id`."""

    __tablename__ = "user_preferences"
    __table_args__ = (
        ForeignKeyConstraint(*_OF_TENANT, ondelete="CASCADE"),
        CheckConstraint("source IN ('stated', 'learned')", name="source"),
        CheckConstraint("source = 'stated' OR consent", name="consent"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    source: Mapped[str] = mapped_column(server_default=Source.STATED)
    confidence: Mapped[float] = mapped_column(server_default="1")
    consent: Mapped[bool] = mapped_column(server_default="false")
    turn_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ConversationSummary(Base):
    """What a conversation's earlier messages come to: those up to the turn `covers_turn_id`, `turns` of them.

    `made_by` is the model that wrote it, or `extractive`.
    """

    __tablename__ = "conversation_summaries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.conversation_id"],
            ondelete="CASCADE",
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)
    covers_until: Mapped[datetime]
    covers_turn_id: Mapped[UUID]
    turns: Mapped[int]
    text: Mapped[str]
    tokens: Mapped[int]
    made_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Feedback(Base):
    """What a user thinks of an answer: -1 or 1 where `scale` is `thumbs`, 1 to 5 where it is `stars`."""

    __tablename__ = "feedback"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "turn_id"], ["turns.tenant_id", "turns.turn_id"], ondelete="CASCADE"),
        CheckConstraint(
            "scale = 'thumbs' AND rating IN (-1, 1) OR scale = 'stars' AND rating BETWEEN 1 AND 5", name="rating"
        ),
        Index("ix_feedback_listing", "tenant_id", "updated_at", "turn_id"),
        Index("ix_feedback_user", "tenant_id", "user_id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    scale: Mapped[str]
    rating: Mapped[int] = mapped_column(SmallInteger)
    comment: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class UnansweredQuestion(Base):
    """A question that could not be answered, once for all its spellings. `nearest` is what came nearest to it.

    `turn_id` is one turn that asked it, `answered_by` the training pair that answers it now.
    """

    __tablename__ = "unanswered_questions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "assistant_key", "normalised_sha256", name="uq_unanswered_questions_wording"),
        ForeignKeyConstraint(*_OF_TENANT, ondelete="CASCADE"),
        CheckConstraint("state IN ('open', 'answered', 'dismissed')", name="state"),
        CheckConstraint("reason IN ('low_confidence', 'refused')", name="reason"),
        Index("ix_unanswered_questions_listing", "tenant_id", "state", "last_asked_at", "question_id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    question_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    assistant_key: Mapped[str]
    question: Mapped[str]
    normalised: Mapped[str]
    normalised_sha256: Mapped[str]
    count: Mapped[int] = mapped_column(server_default="1")
    first_asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    turn_id: Mapped[UUID | None]
    reason: Mapped[str]
    confidence: Mapped[float]
    nearest: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    state: Mapped[str] = mapped_column(server_default=QuestionState.OPEN)
    answered_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
