"""Turns that begin before their speech has surely ended: confirmed once it has, else as if they had never been asked.

One row's lock decides: a turn that waits for its confirmation is woken by whoever comes second, the end of its
retrieval or the confirmation, and by nobody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from pipelines.stores import turns
from schemas.dialogue import Turn, TurnStage


@dataclass(frozen=True)
class Confirmed:
    """A turn that its confirmation found; `parked` is one that waited for nothing else."""

    turn: Turn
    parked: bool


def confirm(session: Session, turn_id: UUID, timings: Mapping[str, Any]) -> Confirmed | None:
    """Say that the turn is asked after all; None where it was before, has ended, or is gone."""
    turn = session.scalar(
        update(Turn)
        .where(Turn.turn_id == turn_id, Turn.confirmed_at.is_(None), Turn.status.in_(turns.OPEN))
        .values(
            confirmed_at=func.clock_timestamp(),
            # What waited for this waits for its worker only from now on.
            enqueued_at=func.clock_timestamp(),
            timings=turns.merged(timings),
        )
        .returning(Turn)
    )
    if turn is None:
        return None
    return Confirmed(turn, turn.stage == TurnStage.GENERATE and not turn.generates_early)


def goes_on(session: Session, turn_id: UUID) -> bool:
    """Return whether the turn is there and confirmed."""
    question = select(Turn.turn_id).where(Turn.turn_id == turn_id, Turn.confirmed_at.is_not(None))
    return session.scalar(question) is not None


def drop(session: Session, turn_id: UUID) -> Turn | None:
    """Delete a turn that was not confirmed, with its sentences, and return what it was; else None.

    A step of it that still runs finds its lease lost. What its providers cost stays written down.
    """
    return session.scalar(delete(Turn).where(Turn.turn_id == turn_id, Turn.confirmed_at.is_(None)).returning(Turn))


def abandoned(session: Session, at_most: int = 100) -> list[tuple[UUID, UUID]]:
    """Return tenants and ids of turns that nobody has confirmed in time."""
    rows = session.execute(text("SELECT * FROM abandoned_turns(:at_most)"), {"at_most": at_most})
    return [(tenant_id, turn_id) for tenant_id, turn_id in rows]
