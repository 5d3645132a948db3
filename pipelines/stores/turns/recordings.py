"""Recordings of spoken turns: which may be kept, which are, and where their sound lies."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, func, select, text, tuple_, update
from sqlalchemy.orm import Session

from pipelines.ports.objects import Objects
from pipelines.stores.database import Driver
from schemas.errors.requests import NotFound
from schemas.tables.dialogue import Conversation
from schemas.tables.recordings import Recording, RecordingStatus
from schemas.tables.tenancy import Tenant

_ACCEPT = (
    "INSERT INTO recordings (tenant_id, turn_id, conversation_id)"
    " SELECT tenant_id, %(turn)s, %(conversation)s FROM tenants WHERE tenant_id = %(tenant)s AND record_voice"
)

QUESTION, ANSWER = "question.wav", "answer.wav"

MAX_ATTEMPTS = 5
"""Tries to keep a recording, a minute apart, before it is given up: by then its sound is gone."""


def days(session: Session) -> int | None:
    """Return for how many days the tenant keeps what is said; None where it records nothing."""
    return session.scalar(select(Tenant.recording_days).where(Tenant.record_voice))


def accept(driver: Driver, tenant_id: UUID, turn_id: UUID, conversation_id: UUID) -> None:
    """Have a turn recorded, in the transaction that accepts it, where the tenant still wants that."""
    given = {"tenant": tenant_id, "turn": turn_id, "conversation": conversation_id}
    driver.execute(_ACCEPT, given)


def take_due(session: Session, at_most: int) -> list[tuple[UUID, UUID]]:
    """Return tenant and turn of recordings that can be kept, as their turns have ended, over all tenants."""
    rows = session.execute(text("SELECT * FROM take_due_recordings(:at_most)"), {"at_most": at_most})
    return [(tenant_id, turn_id) for tenant_id, turn_id in rows]


def expired(session: Session, at_most: int) -> list[tuple[UUID, UUID]]:
    """Return tenant and turn of recordings that are older than their tenants keep them."""
    rows = session.execute(text("SELECT * FROM expired_recordings(:at_most)"), {"at_most": at_most})
    return [(tenant_id, turn_id) for tenant_id, turn_id in rows]


def open_one(session: Session, turn_id: UUID) -> Recording | None:
    """Return a recording that is to be kept, with the try counted; None where it is not open (any more).

    One that was tried too often ends with nothing.
    """
    found = session.scalar(
        update(Recording)
        .where(Recording.turn_id == turn_id, Recording.status == RecordingStatus.OPEN)
        .values(attempts=Recording.attempts + 1)
        .returning(Recording)
    )
    if found is not None and found.attempts > MAX_ATTEMPTS:
        found.status = RecordingStatus.NOTHING
        return None
    return found


def keep(session: Session, turn_id: UUID, question_ms: int | None, answer_ms: int | None) -> bool:
    """Say what was kept of a turn; False where its recording was deleted meanwhile."""
    status = RecordingStatus.NOTHING if question_ms is None and answer_ms is None else RecordingStatus.KEPT
    done = session.execute(
        update(Recording)
        .where(Recording.turn_id == turn_id)
        .values(status=status, question_ms=question_ms, answer_ms=answer_ms)
        .returning(Recording.turn_id)
    )
    return done.one_or_none() is not None


def get(session: Session, turn_id: UUID, user_id: str | None) -> tuple[Recording, str]:
    """Return a kept recording and whose it is; with a `user_id` only of that user's. Raises NotFound."""
    found = session.execute(_kept(user_id).where(Recording.turn_id == turn_id)).one_or_none()
    if found is None:
        raise NotFound("There is no recording of this turn.")
    return found[0], found[1]


def page(
    session: Session,
    limit: int,
    before: tuple[datetime, UUID] | None,
    user_id: str | None,
    conversation_id: UUID | None,
) -> Sequence[Recording]:
    """Return kept recordings, newest first; with a `user_id` only of that user's."""
    question = _kept(user_id).order_by(Recording.created_at.desc(), Recording.turn_id.desc()).limit(limit)
    if conversation_id is not None:
        question = question.where(Recording.conversation_id == conversation_id)
    if before is not None:
        question = question.where(tuple_(Recording.created_at, Recording.turn_id) < before)
    return [found for found, _ in session.execute(question)]


def lifetime(session: Session) -> timedelta:
    """Return how long the tenant keeps recordings."""
    return timedelta(days=session.scalar(select(Tenant.recording_days)) or 0)


def remove(session: Session, turn_id: UUID) -> UUID | None:
    """Delete a recording's row and return its conversation; None where there is none."""
    return session.scalar(delete(Recording).where(Recording.turn_id == turn_id).returning(Recording.conversation_id))


def of_conversations(session: Session, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many recordings there are of each of the conversations that have any."""
    rows = session.execute(
        select(Recording.conversation_id, func.count())
        .where(Recording.conversation_id.in_(ids))
        .group_by(Recording.conversation_id)
    )
    return dict(rows.tuples().all())


def drop_sound(objects: Objects, tenant_id: UUID, conversation_id: UUID, turn_id: UUID | None = None) -> None:
    """Delete the sound of a conversation or of one of its turns. Raises StoreUnavailable."""
    objects.delete_prefix(prefix(tenant_id, conversation_id, turn_id))


def prefix(tenant_id: UUID, conversation_id: UUID, turn_id: UUID | None = None) -> str:
    """Return the folder of a conversation's sound, or of one turn's."""
    folder = f"{tenant_id}/recordings/{conversation_id}"
    return folder if turn_id is None else f"{folder}/{turn_id}"


def key(recording: Recording, name: str) -> str:
    """Return where a recording's QUESTION or ANSWER lies."""
    return f"{prefix(recording.tenant_id, recording.conversation_id, recording.turn_id)}/{name}"


def _kept(user_id: str | None) -> Select[tuple[Recording, str]]:
    """Return the question for kept recordings and whose they are, of one user or of all."""
    theirs = (Conversation.tenant_id == Recording.tenant_id) & (
        Conversation.conversation_id == Recording.conversation_id
    )
    question = select(Recording, Conversation.user_id).join(Conversation, theirs)
    if user_id is not None:
        question = question.where(Conversation.user_id == user_id)
    return question.where(Recording.status == RecordingStatus.KEPT)
