"""What users think of answers: one word of each user for each turn, which they may change."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from schemas.errors.requests import InvalidRequest, NotFound
from schemas.tables.dialogue import Turn
from schemas.tables.memory import Feedback

THUMBS, STARS = "thumbs", "stars"
FEW_STARS = 2


def scale_of(rating: int, scale: str | None) -> str:
    """Return the scale of a rating: -1 and 1 are thumbs, 2 to 5 stars, unless it is named. Raises InvalidRequest."""
    chosen = scale or (THUMBS if rating in (-1, 1) else STARS)
    if rating not in ((-1, 1) if chosen == THUMBS else (1, 2, 3, 4, 5)):
        raise InvalidRequest("A rating is -1 or 1 (`thumbs`), or 1 to 5 (`stars`).")
    return chosen


def is_bad(scale: str, rating: int) -> bool:
    """Return whether the answer was of no use."""
    return rating <= (FEW_STARS if scale == STARS else -1)


def give(
    session: Session, tenant_id: UUID, turn_id: UUID, user_id: str, scale: str, rating: int, comment: str | None
) -> Feedback:
    """Keep the user's feedback on a turn, in place of an earlier one. Raises NotFound where the turn was deleted."""
    there = select(Turn.turn_id).where(Turn.turn_id == turn_id).with_for_update(read=True, key_share=True)
    if session.scalar(there) is None:
        raise NotFound("There is no turn with this id.")
    row = {"tenant_id": tenant_id, "turn_id": turn_id, "user_id": user_id}
    said = {"scale": scale, "rating": rating, "comment": comment}
    question = (
        insert(Feedback)
        .values(**row, **said)
        .on_conflict_do_update(
            index_elements=[Feedback.tenant_id, Feedback.turn_id, Feedback.user_id],
            set_={**said, "updated_at": func.now()},
        )
        .returning(Feedback)
    )
    return session.scalars(question, execution_options={"populate_existing": True}).one()


def of_turns(session: Session, turn_ids: Collection[UUID], user_id: str) -> dict[UUID, Feedback]:
    """Return the user's feedback on these turns."""
    question = select(Feedback).where(Feedback.turn_id.in_(turn_ids), Feedback.user_id == user_id)
    return {found.turn_id: found for found in session.scalars(question)}


def listing(session: Session, limit: int, after: tuple[datetime, UUID] | None) -> Sequence[Feedback]:
    """Return feedback of all users, the newest first, what is behind the place `after`."""
    order = tuple_(Feedback.updated_at, Feedback.turn_id)
    question = select(Feedback).order_by(Feedback.updated_at.desc(), Feedback.turn_id.desc(), Feedback.user_id)
    if after is not None:
        question = question.where(order < after)
    return session.scalars(question.limit(limit)).all()


def remove_all(session: Session, user_id: str) -> int:
    """Forget what the user has said of answers, and return how much that was."""
    return len(session.scalars(delete(Feedback).where(Feedback.user_id == user_id).returning(Feedback.turn_id)).all())


def view(found: Feedback) -> Mapping[str, Any]:
    """Return feedback as clients see it."""
    return {
        "turn_id": str(found.turn_id),
        "user_id": found.user_id,
        "rating": found.rating,
        "scale": found.scale,
        "comment": found.comment,
        "created_at": found.created_at.isoformat(),
        "updated_at": found.updated_at.isoformat(),
    }
