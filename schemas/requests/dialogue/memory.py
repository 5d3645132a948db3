"""Bodies of what is remembered: preferences, consent and summaries; and of forgetting it."""

import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from schemas.requests.common import Body, Key, Listing, Parameters
from schemas.requests.dialogue.chat import ChatAnswer
from schemas.requests.fields import Json

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


class Whose(Parameters):
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


class FoundView(BaseModel):
    """A passage that came near to a question."""

    document_id: UUID
    chunk_id: int
    filename: str
    page: int | None
    heading_path: list[str]
    similarity: float
    text: str


class FileView(BaseModel):
    """A document by its name."""

    document_id: UUID
    filename: str


class TurnView(BaseModel):
    """A question of a conversation and what became of it. `answer` is null while it has none."""

    turn_id: UUID
    question: str | None = Field(description="Null where it was spoken and is not written down yet.")
    spoken: bool
    files: list[FileView] = Field(description="The documents that alone were searched; none where all were.")
    status: Literal["queued", "running", "completed", "cancelled", "failed"]
    at: datetime
    answer: ChatAnswer | None
    code: str | None = Field(description="Why it ended without a whole answer: stable code,")
    detail: str | None = Field(description="and a sentence.")
    rating: int | None = Field(description="What its user thinks of the answer,")
    comment: str | None = Field(description="and says of it.")
    unanswered_id: UUID | None = Field(description="The unanswered question it counts as.")
    found: list[FoundView] = Field(description="What came nearest, where the answer names no source.")


class TurnPage(BaseModel):
    """The newest turns of a conversation, oldest first; `next` leads to those before them."""

    turns: list[TurnView]
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


class ForgetReceipt(BaseModel):
    """What was deleted, by kind, and what a second count found: all zero where `complete`."""

    user_id: str | None = None
    conversation_id: UUID | None = None
    deleted: dict[str, int]
    left: dict[str, int]
    complete: bool
    deleted_at: datetime
