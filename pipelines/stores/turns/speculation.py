"""Turns that began before their speech had surely ended, and were never asked."""

from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from schemas.tables.dialogue import Turn


def drop(session: Session, turn_id: UUID) -> Turn | None:
    """Delete a turn that was not confirmed, with its sentences, and return what it was; else None.

    A step of it that still runs finds its lease lost. What its providers cost stays written down.
    """
    return session.scalar(delete(Turn).where(Turn.turn_id == turn_id, Turn.confirmed_at.is_(None)).returning(Turn))


def abandoned(session: Session, at_most: int = 100) -> list[tuple[UUID, UUID]]:
    """Return tenants and ids of turns that nobody has confirmed in time."""
    rows = session.execute(text("SELECT * FROM abandoned_turns(:at_most)"), {"at_most": at_most})
    return [(tenant_id, turn_id) for tenant_id, turn_id in rows]
