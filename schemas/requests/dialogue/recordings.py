"""Bodies about the recordings of spoken turns."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Listing
from schemas.requests.dialogue.memory import Whose


class RecordingListing(Listing, Whose):
    """Whose recordings, and of which conversation."""

    conversation_id: UUID | None = Field(None, description="Only those of this conversation.")


class RecordingView(BaseModel):
    """What is kept of a turn's sound; an address is null where there is none."""

    turn_id: UUID
    conversation_id: UUID
    created_at: datetime
    expires_at: datetime = Field(description="When it is deleted, as the organisation has it set now.")
    question_s: float | None
    answer_s: float | None
    question_url: str | None
    answer_url: str | None


class RecordingPage(BaseModel):
    """Recordings, newest first; `next` is the cursor of the page after."""

    recordings: list[RecordingView]
    next: str | None


class TurnPath(BaseModel):
    """A turn."""

    turn_id: UUID
