"""Conversations: whose they are."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.dialogue import Conversation


def owner(session: Session, conversation_id: UUID) -> str | None:
    """Return the id of the user whose conversation it is; None where there is none with this id."""
    return session.scalar(select(Conversation.user_id).where(Conversation.conversation_id == conversation_id))
