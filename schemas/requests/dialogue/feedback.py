"""Bodies of what users think of answers, and of questions that nobody could answer yet."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Body, Key, Listing
from schemas.requests.dialogue.memory import Text
from schemas.requests.knowledge.training import Prompt, Response


class FeedbackBody(Body):
    """What somebody thinks of an answer: -1 or 1 (thumbs), or 1 to 5 (stars)."""

    turn_id: UUID
    rating: Literal[-1, 1, 2, 3, 4, 5]
    scale: Literal["thumbs", "stars"] | None = Field(None, description="Needed for one star; 1 alone is a thumb up.")
    comment: Text | None = None
    tenant_id: UUID | None = Field(None, description="May only repeat what the token says.")
    user_id: Key | None = None


class FeedbackView(BaseModel):
    """Feedback on an answer."""

    turn_id: UUID
    user_id: str
    rating: int
    scale: Literal["thumbs", "stars"]
    comment: str | None
    created_at: datetime
    updated_at: datetime


class FeedbackPage(BaseModel):
    """Feedback, the newest first; `next` is the cursor of the page after."""

    feedback: list[FeedbackView]
    next: str | None


class UnansweredListing(Listing):
    """Which questions, how many, and from where."""

    state: Literal["open", "answered", "dismissed", "all"] = "open"
    assistant_key: Key | None = Field(None, description="Those to this assistant.")
    q: Key | None = Field(None, description="Those that hold this.")


class UnansweredView(BaseModel):
    """A question nobody could answer; `nearest` is what came nearest to it, `turn_id` one turn that asked it."""

    id: UUID
    assistant_key: str
    question: str
    count: int = Field(description="How often it was asked.")
    first_asked_at: datetime
    last_asked_at: datetime
    turn_id: UUID | None
    reason: Literal["low_confidence", "refused"]
    confidence: float
    nearest: list[dict[str, Any]]
    state: Literal["open", "answered", "dismissed"]
    answered_by: UUID | None = Field(description="The training pair that answers it.")
    decided_at: datetime | None
    decided_by: str | None


class UnansweredPage(BaseModel):
    """Unanswered questions, the last asked first; `next` is the cursor of the page after."""

    questions: list[UnansweredView]
    next: str | None


class UnansweredChange(Body):
    """Where a question is to stand."""

    state: Literal["open", "answered", "dismissed"]


class UnansweredAnswer(Body):
    """The answer to an unanswered question; it becomes a training pair."""

    response: Response
    question: Prompt | None = Field(None, description="In other words than it was asked.")
