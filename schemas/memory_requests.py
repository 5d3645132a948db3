"""Bodies of what is remembered: preferences, consent, summaries, conversations, feedback, unanswered questions."""

import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from schemas.fields import Json, Name
from schemas.requests import Body, Key, Listing
from schemas.training_requests import Prompt, Response

MAX_VALUE_CHARS = 2_000
PREFERENCE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


def _preferences(found: dict[str, Any]) -> dict[str, Any]:
    """Return preferences that may be kept. Raises ValueError."""
    if not 1 <= len(found) <= 100:
        raise ValueError("between 1 and 100 preferences")
    for key, value in found.items():
        if not PREFERENCE.fullmatch(key):
            raise ValueError("a key is of small letters, digits, `_`, `.` and `-`, 64 at most, the first a letter")
        if value is None or len(json.dumps(value, ensure_ascii=False)) > MAX_VALUE_CHARS:
            raise ValueError(f"a value is at most {MAX_VALUE_CHARS:,} characters of JSON, and not null")
        _check_known(key, value)
    return found


def _check_known(key: str, value: Any) -> None:
    """Raise ValueError where the key has a form that the value has not."""
    if key in ("formality", "detail", "energy"):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ValueError(f"`{key}` is a number from 0 to 1")
    elif key == "language":
        if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
            raise ValueError("`language` is a tag such as `de` or `pt-BR`")
    elif key == "units":
        if value not in ("metric", "imperial"):
            raise ValueError("`units` are `metric` or `imperial`")
    elif key == "voice_id":
        if not isinstance(value, str) or not 1 <= len(value) <= 255:
            raise ValueError("`voice_id` is a text of at most 255 characters")
    elif key == "voice_speed":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value <= 2:
            raise ValueError("`voice_speed` is a number from 0.5 to 2")
    elif key == "name" and (not isinstance(value, str) or not 1 <= len(value.strip()) <= 100):
        raise ValueError("`name` is a text of at most 100 characters")


Preferences = Annotated[Json, AfterValidator(_preferences)]
Text = Annotated[str, StringConstraints(max_length=4_000, pattern=r"^[^\x00]*$")]


class Whose(BaseModel):
    """Of whom; who may not act for others is asked for none."""

    user_id: Key | None = Field(None, description="Of which user; else of who asks.")


class PreferenceBody(Body):
    """What a user prefers, as key and value. Known keys: formality, detail, energy, language, name, units,
    voice_id, voice_speed."""

    preferences: Preferences


class PreferencePath(BaseModel):
    """A preference."""

    key: Key


class PreferenceView(BaseModel):
    """A preference, and where it comes from: `stated`, or `learned` of what was said, in the turn `turn_id`."""

    key: str
    value: Any
    source: Literal["stated", "learned"]
    confidence: float = Field(description="How sure it is, 0…1; 1 where it was stated.")
    turn_id: UUID | None
    updated_at: datetime


class PreferenceList(BaseModel):
    """All preferences of a user, and whether more may be learned."""

    user_id: str
    learn: bool
    preferences: list[PreferenceView]


class Forgotten(BaseModel):
    """How much was forgotten."""

    user_id: str
    forgotten: int


class ConsentBody(Body):
    """Whether preferences may be learned of what a user says. Without, what was learned is forgotten."""

    learn: bool


class ConsentView(BaseModel):
    """What a user decided; `decided_at` is null where they never did, and nothing is learned."""

    user_id: str
    learn: bool
    decided_at: datetime | None
    forgotten: int = Field(0, description="Learned preferences that this decision removed.")


class OfUser(Listing):
    """Of whom, how many, and from where."""

    user_id: Key | None = Field(None, description="Of which user; else of who asks.")


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


class SummaryView(BaseModel):
    """What the older part of a conversation comes to; `made_by` is a model's name or `extractive`."""

    conversation_id: UUID
    text: str
    turns: int = Field(description="How many turns it covers,")
    covers_until: datetime = Field(description="up to this one's answer.")
    tokens: int
    made_by: str
    updated_at: datetime


class SummaryPage(BaseModel):
    """Summaries, the newest first; `next` is the cursor of the page after."""

    summaries: list[SummaryView]
    next: str | None


class UserPath(BaseModel):
    """A user in a path."""

    user_id: Key


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


class ContextListing(BaseModel):
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


class ForgetReceipt(BaseModel):
    """What was deleted, by kind, and what a second count found: all zero where `complete`."""

    user_id: str | None = None
    conversation_id: UUID | None = None
    deleted: dict[str, int]
    left: dict[str, int]
    complete: bool
    deleted_at: datetime


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
