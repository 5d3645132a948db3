"""Tables of conversations: turns, the sentences they speak, and messages."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ForeignKeyConstraint, Index, Numeric, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schemas.tables.base import Base, HalfVector


class TurnStatus(StrEnum):
    """Where a turn stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class TurnStage(StrEnum):
    """The steps of a turn, in order; each is the name of its queue. Text starts at `retrieve`."""

    TRANSCRIBE = "transcribe"
    RETRIEVE = "retrieve"
    GENERATE = "generate"
    SYNTHESIZE = "synthesize"


class Conversation(Base):
    """A thread of turns between one user and one assistant. `title` is None unless its user gave it one."""

    __tablename__ = "conversations"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE"),
        Index("ix_conversations_user", "tenant_id", "user_id", "last_message_at", "conversation_id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[str]
    assistant_key: Mapped[str]
    title: Mapped[str | None]
    last_message_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Turn(Base):
    """A question and its answer. `stage` is the step it waits for or is in, held by lease.

    `passages` keeps what retrieval found, so that a generation that dies is repeated on the same
    ground. `filters` limit what is searched; `standalone` is the question as it reads without the conversation,
    where it does not stand alone. `timings` maps a stage to its `queued_ms` and `run_ms`, and names the firsts.
    `persona` is what the request asked for, `noticed` what it told of its user's preferences, each with whether
    it was `learned`.
    `cache` is the question as the cache knows it and what came of it, `route` which model answered, and why.
    A turn may begin before its speech has surely ended: `confirmed_at` is None until it has, and it is answered
    before that only where it `generates_early`. Of an answer that was cut while it was heard `heard_text` is what the
    history keeps. `holder` is the number of the process that holds the step (`pipelines/stores/operations/holding.py`).
    """

    __tablename__ = "turns"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.conversation_id"],
            ondelete="CASCADE",
        ),
        Index("ix_turns_conversation", "tenant_id", "conversation_id", "created_at"),
        Index("ix_turns_open", "enqueued_at", postgresql_where=text("status in ('queued', 'running')")),
        Index(
            "ix_turns_unanswered",
            "tenant_id",
            "unanswered_id",
            postgresql_where=text("unanswered_id is not null"),
        ),
        Index("ix_turns_created", "tenant_id", "created_at"),
        Index("ix_turns_days", "created_at", postgresql_using="brin"),
        Index("ix_turns_unconfirmed", "created_at", postgresql_where=text("confirmed_at is null")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    conversation_id: Mapped[UUID]
    assistant_key: Mapped[str]
    spoken: Mapped[bool]
    use_memory: Mapped[bool] = mapped_column(server_default="true")
    use_persona: Mapped[bool] = mapped_column(server_default="true")
    persona: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    persona_applied: Mapped[bool] = mapped_column(server_default="false")
    search_knowledge: Mapped[bool] = mapped_column(server_default="true")
    noticed: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    unanswered_id: Mapped[UUID | None]
    language: Mapped[str | None]
    question: Mapped[str | None]
    transcript_confidence: Mapped[float | None]
    filters: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    standalone: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=TurnStatus.QUEUED)
    stage: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    enqueued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    passages: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    confidence: Mapped[float | None]
    answer: Mapped[str | None]
    citations: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    provider: Mapped[str | None]
    model: Mapped[str | None]
    input_tokens: Mapped[int] = mapped_column(server_default="0")
    output_tokens: Mapped[int] = mapped_column(server_default="0")
    cost_usd: Mapped[Decimal] = mapped_column(Numeric(12, 6), server_default="0")
    timings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    cache: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    route: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    confirmed_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    generates_early: Mapped[bool] = mapped_column(server_default="false")
    interrupted_at: Mapped[datetime | None]
    heard_text: Mapped[str | None]
    holder: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]


class CachedAnswer(Base):
    """An answer that is kept for the same question; see the migration for what drops it.

    `manner` digests all that it depends on besides the question, `key` that with the question.
    """

    __tablename__ = "cached_answers"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "turn_id"], ["turns.tenant_id", "turns.turn_id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["tenant_id", "assistant_key"], ["agents.tenant_id", "agents.assistant_key"], ondelete="CASCADE"
        ),
        Index("ix_cached_answers_near", "tenant_id", "manner", "telling"),
        Index("ix_cached_answers_turn", "tenant_id", "turn_id"),
        Index("ix_cached_answers_age", "tenant_id", "created_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    manner: Mapped[str]
    telling: Mapped[str]
    assistant_key: Mapped[str]
    agent_version: Mapped[str]
    knowledge_version: Mapped[int]
    turn_id: Mapped[UUID]
    embedding: Mapped[NDArray[np.float16] | None] = mapped_column(HalfVector)
    embedding_model: Mapped[str | None]
    answer: Mapped[str]
    citations: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    passages: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    confidence: Mapped[float]
    provider: Mapped[str]
    model: Mapped[str]
    cost_usd: Mapped[Decimal] = mapped_column(Numeric(12, 6))
    took_ms: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Sentence(Base):
    """A finished sentence of a spoken answer, waiting for its voice or already spoken."""

    __tablename__ = "sentences"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "turn_id"], ["turns.tenant_id", "turns.turn_id"], ondelete="CASCADE"),
        Index("ix_sentences_open", "enqueued_at", postgresql_where=text("status in ('queued', 'running')")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=TurnStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(server_default="0")
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    holder: Mapped[int | None]
    enqueued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Message(Base):
    """What was said by `user` or `assistant`, as later turns remember it."""

    __tablename__ = "messages"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "turn_id"], ["turns.tenant_id", "turns.turn_id"], ondelete="CASCADE"),
        Index("ix_messages_conversation", "tenant_id", "conversation_id", "created_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID]
    content: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
