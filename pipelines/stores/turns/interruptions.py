"""Answers that were cut while they were heard: the history keeps what was heard, the turn all that was said."""

from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipelines.stores.turns import turns
from schemas.tables.dialogue import Conversation, Message, Sentence, Turn


def cut_off(session: Session, turn_id: UUID, heard_text: str, played_ms: float) -> Turn | None:
    """Keep in the history what was heard of the turn's answer, nothing of it where that is empty; return the turn.

    The turn keeps its whole answer, or what had come of it. None where it is gone, or was never asked.
    """
    so_far = (
        select(func.string_agg(Sentence.text, " "))
        .where(Sentence.tenant_id == Turn.tenant_id, Sentence.turn_id == Turn.turn_id)
        .scalar_subquery()
    )
    turn = session.scalar(
        update(Turn)
        .where(Turn.turn_id == turn_id, Turn.confirmed_at.is_not(None))
        .values(
            interrupted_at=func.now(),
            heard_text=heard_text,
            answer=func.coalesce(Turn.answer, so_far),
            timings=turns.merged({"played_ms": round(played_ms)}),
        )
        .returning(Turn)
    )
    if turn is None or not turn.question:
        return turn
    about = {"tenant_id": turn.tenant_id, "turn_id": turn.turn_id, "conversation_id": turn.conversation_id}
    asked = insert(Message).values(**about, role="user", content=turn.question)
    session.execute(asked.on_conflict_do_nothing())
    if heard_text:
        said = insert(Message).values(**about, role="assistant", content=heard_text)
        key = [Message.tenant_id, Message.turn_id, Message.role]
        session.execute(said.on_conflict_do_update(index_elements=key, set_={"content": said.excluded.content}))
    else:
        session.execute(delete(Message).where(Message.turn_id == turn_id, Message.role == "assistant"))
    session.execute(
        update(Conversation)
        .where(Conversation.conversation_id == turn.conversation_id)
        .values(last_message_at=func.now())
        .execution_options(synchronize_session=False)
    )
    return turn
