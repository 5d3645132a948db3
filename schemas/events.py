"""Every event of AURA, named once: the same on WebSocket, SSE, webhooks and in logs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class EventName(StrEnum):
    """What can happen."""

    DOCUMENT_ACCEPTED = "document.accepted"
    DOCUMENT_EXTRACTED = "document.extracted"
    DOCUMENT_CHUNKED = "document.chunked"
    DOCUMENT_EMBEDDED = "document.embedded"
    DOCUMENT_PROCESSED = "document.processed"
    DOCUMENT_FAILED = "document.failed"
    DOCUMENT_DELETED = "document.deleted"
    BATCH_ACCEPTED = "batch.accepted"
    BATCH_PROGRESS = "batch.progress"
    BATCH_COMPLETED = "batch.completed"
    BATCH_CANCELLED = "batch.cancelled"
    TURN_STARTED = "turn.started"
    TURN_SPEECH_STARTED = "turn.speech_started"
    TURN_SPEECH_STOPPED = "turn.speech_stopped"
    TURN_TRANSCRIPT_PARTIAL = "turn.transcript.partial"
    TURN_TRANSCRIPT = "turn.transcript"
    TURN_RETRIEVED = "turn.retrieved"
    TURN_TOKEN = "turn.token"
    TURN_SENTENCE = "turn.sentence"
    TURN_AUDIO = "turn.audio"
    TURN_TOOL = "turn.tool"
    TURN_COMPLETED = "turn.completed"
    TURN_CANCELLED = "turn.cancelled"
    TURN_FAILED = "turn.failed"
    RECORDING_STARTED = "recording.started"
    EVALUATION_ACCEPTED = "evaluation.accepted"
    EVALUATION_PROGRESS = "evaluation.progress"
    EVALUATION_COMPLETED = "evaluation.completed"
    EVALUATION_CANCELLED = "evaluation.cancelled"
    EVALUATION_FAILED = "evaluation.failed"
    LEAD_CAPTURED = "lead.captured"
    RESERVATION_CREATED = "reservation.created"
    RESERVATION_CHANGED = "reservation.changed"
    RESERVATION_CANCELLED = "reservation.cancelled"
    CONVERSATION_ESCALATED = "conversation.escalated"
    QUOTA_WARNING = "quota.warning"
    QUOTA_EXCEEDED = "quota.exceeded"
    PROVIDER_DEGRADED = "provider.degraded"
    PROVIDER_RECOVERED = "provider.recovered"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_TEST = "webhook.test"


class SessionEvent(StrEnum):
    """What a voice session tells its one client beside events; nothing of it is published or kept."""

    READY = "ready"
    STATE = "state"
    PLAYBACK_DUCK = "playback.duck"
    PLAYBACK_PAUSE = "playback.pause"
    PLAYBACK_RESUME = "playback.resume"
    RECORDING_STARTED = "recording.started"
    INPUT_LEVEL = "input.level"
    INPUT_CLIPPING = "input.clipping"
    PONG = "pong"
    ERROR = "error"


TERMINAL = frozenset(
    {
        EventName.DOCUMENT_PROCESSED,
        EventName.DOCUMENT_FAILED,
        EventName.DOCUMENT_DELETED,
        EventName.BATCH_COMPLETED,
        EventName.BATCH_CANCELLED,
        EventName.EVALUATION_COMPLETED,
        EventName.EVALUATION_CANCELLED,
        EventName.EVALUATION_FAILED,
        EventName.TURN_COMPLETED,
        EventName.TURN_CANCELLED,
        EventName.TURN_FAILED,
    }
)
"""Events after which a document, a batch or a turn has nothing more to tell."""

TENANT_WIDE = frozenset(EventName) - {
    EventName.TURN_TOKEN,
    EventName.TURN_AUDIO,
    EventName.TURN_SENTENCE,
    EventName.TURN_SPEECH_STARTED,
    EventName.TURN_SPEECH_STOPPED,
    EventName.TURN_TRANSCRIPT_PARTIAL,
    EventName.RECORDING_STARTED,
}
"""Events that a tenant's own stream carries: milestones, not what a listener hears while it is spoken."""


@dataclass(frozen=True)
class Subject:
    """What an event is about and where it is published: a tenant, or one of its documents, batches or conversations."""

    tenant_id: UUID
    kind: str
    id: UUID

    @classmethod
    def document(cls, tenant_id: UUID, doc_id: UUID) -> "Subject":
        return cls(tenant_id, "document", doc_id)

    @classmethod
    def batch(cls, tenant_id: UUID, batch_id: UUID) -> "Subject":
        return cls(tenant_id, "batch", batch_id)

    @classmethod
    def evaluation(cls, tenant_id: UUID, evaluation_id: UUID) -> "Subject":
        return cls(tenant_id, "evaluation", evaluation_id)

    @classmethod
    def conversation(cls, tenant_id: UUID, conversation_id: UUID) -> "Subject":
        return cls(tenant_id, "conversation", conversation_id)

    @classmethod
    def tenant(cls, tenant_id: UUID) -> "Subject":
        return cls(tenant_id, "tenant", tenant_id)

    @property
    def key(self) -> str:
        """Return the name of the subject's stream and channel; it starts with the tenant."""
        return f"aura:{self.tenant_id}:events:{self.kind}:{self.id}"


@dataclass(frozen=True)
class Event:
    """One event. `id` is its stream id, empty until it is published; it orders a subject's events."""

    name: EventName
    subject: Subject
    data: Mapping[str, Any]
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the form clients see: `type`, `id`, `at` and the event's own fields, flat.

        One that a tenant's stream carries says there what it is about: `subject` with `kind` and `id`.
        """
        about = {"type": self.name.value, "id": self.id, "at": self.at.isoformat()}
        if self.name not in TENANT_WIDE:
            return {**about, **self.data}
        return {**about, "subject": {"kind": self.subject.kind, "id": str(self.subject.id)}, **self.data}
