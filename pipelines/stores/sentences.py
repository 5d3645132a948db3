"""Sentences of a spoken answer: one row each, claimed by lease, spoken side by side."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from schemas.dialogue import Sentence, Turn, TurnStatus
from schemas.errors import LeaseLost

MAX_ATTEMPTS = 3
"""Claims that may end in silence before a sentence stays unspoken (its text has arrived)."""

OPEN = (TurnStatus.QUEUED, TurnStatus.RUNNING)


def add(session: Session, turn: Turn, seq: int, said: str) -> None:
    """Queue the answer's sentence number `seq` (from 0) for its voice."""
    session.add(Sentence(tenant_id=turn.tenant_id, turn_id=turn.turn_id, seq=seq, text=said))


def clear(session: Session, turn: Turn) -> None:
    """Drop the sentences of an attempt that died; the answer starts anew."""
    session.execute(delete(Sentence).where(Sentence.turn_id == turn.turn_id))


def claim(session: Session, turn_id: UUID, seq: int, lease_s: float) -> Sentence | None:
    """Take the sentence for `lease_s` seconds; None where it is spoken, cancelled, given up or held."""
    free = or_(Sentence.lease_until.is_(None), Sentence.lease_until < func.now())
    found = session.scalar(
        update(Sentence)
        .where(Sentence.turn_id == turn_id, Sentence.seq == seq, Sentence.status.in_(OPEN), free)
        .values(
            status=TurnStatus.RUNNING,
            attempts=Sentence.attempts + 1,
            lease_token=uuid4(),
            lease_until=func.now() + timedelta(seconds=lease_s),
        )
        .returning(Sentence)
    )
    if found is not None and found.attempts > MAX_ATTEMPTS:
        found.status = TurnStatus.FAILED
        session.flush()
        return None
    return found


def renew(session: Session, sentence: Sentence, lease_s: float) -> bool:
    """Prolong the lease; False where it is ours no more."""
    done = session.execute(
        update(Sentence)
        .where(Sentence.turn_id == sentence.turn_id, Sentence.seq == sentence.seq)
        .where(Sentence.lease_token == sentence.lease_token)
        .values(lease_until=func.now() + timedelta(seconds=lease_s))
        .returning(Sentence.seq)
        .execution_options(synchronize_session=False)
    )
    return done.one_or_none() is not None


def finish(session: Session, sentence: Sentence, status: TurnStatus = TurnStatus.COMPLETED) -> None:
    """Say that the sentence is spoken, or failed. Raises LeaseLost."""
    done = session.execute(
        update(Sentence)
        .where(Sentence.turn_id == sentence.turn_id, Sentence.seq == sentence.seq)
        .where(Sentence.lease_token == sentence.lease_token)
        .values(status=status, lease_token=None, lease_until=None)
        .returning(Sentence.seq)
        .execution_options(synchronize_session=False)
    )
    if done.one_or_none() is None:
        raise LeaseLost


def count(session: Session, turn_id: UUID) -> int:
    """Return how many sentences the answer has so far."""
    return session.scalar(select(func.count()).select_from(Sentence).where(Sentence.turn_id == turn_id)) or 0


def take_due(session: Session, idle: bool, at_most: int = 100) -> Sequence[tuple[UUID, UUID, int]]:
    """Return sentences that are due and that nobody holds, over all tenants, marked as enqueued now."""
    rows = session.execute(
        text("SELECT * FROM take_due_sentences(:idle, :at_most)"), {"idle": idle, "at_most": at_most}
    )
    return [(tenant_id, turn_id, seq) for tenant_id, turn_id, seq in rows]
