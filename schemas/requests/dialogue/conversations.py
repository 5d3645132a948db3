"""Bodies of conversations: listed, read, named, and as the reference clients ask for them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Body, Key, Listing, Parameters
from schemas.requests.dialogue.memory import OfUser
from schemas.requests.fields import Name


class ConversationListing(OfUser):
    """Which conversations, how many, and from where."""

    q: Key | None = Field(None, description="Those whose title or messages hold this.")


class ConversationView(BaseModel):
    """A conversation."""

    id: UUID
    user_id: str
    assistant_key: str
    title: str
    last_message: str
    messages: int
    turns: int
    summarised: bool
    created_at: datetime
    last_message_at: datetime | None


class ConversationPage(BaseModel):
    """Conversations, the last active first; `next` is the cursor of the page after."""

    conversations: list[ConversationView]
    next: str | None


class ConversationChange(Body):
    """What is to change of a conversation."""

    title: Name


class MessageView(BaseModel):
    """What somebody said; `rating` is what the user thinks of an answer."""

    turn_id: UUID
    role: Literal["user", "assistant"]
    content: str
    at: datetime
    rating: int | None = None


class ConversationWhole(ConversationView):
    """A conversation with its newest messages, oldest first; `next` leads to those before them."""

    history: list[MessageView]
    next: str | None


class HistoryListing(Listing):
    """Which exchanges, how many, and from where."""

    conversation_id: UUID | None = Field(None, description="Those of this conversation.")


class HistoryMessage(MessageView):
    """What somebody said, and in which conversation."""

    conversation_id: UUID


class HistoryPage(BaseModel):
    """The newest of what a user said and was told, oldest first; `next` leads to what was before."""

    user_id: str
    messages: list[HistoryMessage]
    next: str | None


class ContextListing(Parameters):
    """Of which conversation."""

    conversation_id: UUID | None = Field(None, description="This one; else the last active.")


class PersonaView(BaseModel):
    """How answers to a user sound."""

    formality: float
    detail: float
    energy: float
    language: str | None


class ContextView(BaseModel):
    """What the next answer to a user would be given of them: preferences, persona, summary, newest messages."""

    user_id: str
    learn: bool
    preferences: dict[str, Any]
    persona: PersonaView | None
    conversation_id: UUID | None
    summary: str
    messages: list[MessageView]
    tokens: int
