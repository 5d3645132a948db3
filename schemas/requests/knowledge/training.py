"""Bodies of the requests about training pairs, logic notes and reference materials."""

import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from schemas.requests.common import Body, Key, Listing

MAX_TAGS = 32
MAX_PROMPT_CHARS, MAX_RESPONSE_CHARS = 2_000, 8_000
MAX_NOTE_CHARS, MAX_MATERIAL_CHARS = 50_000, 200_000

EntryStatus = Literal["queued", "running", "processed", "failed", "cancelled"]


def without_controls(value: Any) -> Any:
    """Return a text with plain line ends and without other control characters, halves of surrogate pairs among them."""
    if not isinstance(value, str):
        return value
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def _one_line(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


def _said(text: str) -> str:
    """Return a text that says something. Raises ValueError."""
    if not any(character.isalnum() for character in text):
        raise ValueError("there is no letter and no digit in it")
    return text


def _once(found: list[str]) -> list[str]:
    return list(dict.fromkeys(found))


def _assistant(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _text(most: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=most)


Prompt = Annotated[str, BeforeValidator(without_controls), _text(MAX_PROMPT_CHARS), AfterValidator(_said)]
Response = Annotated[str, BeforeValidator(without_controls), _text(MAX_RESPONSE_CHARS), AfterValidator(_said)]
NoteText = Annotated[str, BeforeValidator(without_controls), _text(MAX_NOTE_CHARS), AfterValidator(_said)]
MaterialText = Annotated[str, BeforeValidator(without_controls), _text(MAX_MATERIAL_CHARS), AfterValidator(_said)]
Line = Annotated[str, BeforeValidator(_one_line), BeforeValidator(without_controls), _text(255), AfterValidator(_said)]
Category = Annotated[str, BeforeValidator(_one_line), BeforeValidator(without_controls), _text(100)]
Tag = Annotated[
    str,
    BeforeValidator(_one_line),
    BeforeValidator(without_controls),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^,;|]*$"),
]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS), AfterValidator(_once)]
Of = Annotated[Key | None, BeforeValidator(_assistant)]
FileKind = Literal["md", "txt", "html"]

FOR = Field(None, description="Only this assistant uses it; null: all do.")


class PairBody(Body):
    """A question and its answer, which is given word for word where the question is asked."""

    prompt: Prompt
    response: Response
    tags: Tags = Field(default_factory=list)
    assistant_key: Of = FOR


class PairChange(Body):
    """What is to be changed of a training pair."""

    prompt: Prompt | None = None
    response: Response | None = None
    tags: Tags | None = None
    assistant_key: Of = FOR


class NoteBody(Body):
    """A rule or fact; `content` is Markdown."""

    title: Line
    content: NoteText
    category: Category | None = None
    tags: Tags = Field(default_factory=list)
    assistant_key: Of = FOR


class NoteChange(Body):
    """What is to be changed of a logic note."""

    title: Line | None = None
    content: NoteText | None = None
    category: Category | None = None
    tags: Tags | None = None
    assistant_key: Of = FOR


class MaterialBody(Body):
    """A text to be looked up in. Without a title it goes by its filename, and the other way round."""

    filename: Line | None = None
    title: Line | None = None
    content: MaterialText
    file_type: FileKind = Field("md", description="What `content` is written in.")
    tags: Tags = Field(default_factory=list)
    assistant_key: Of = FOR

    @model_validator(mode="after")
    def _named(self) -> "MaterialBody":
        if self.filename is None and self.title is None:
            raise ValueError("give `title` or `filename`")
        self.filename = self.filename or f"{(self.title or '')[:250]}.{self.file_type}"
        self.title = self.title or self.filename.rpartition(".")[0] or self.filename
        return self


class MaterialChange(Body):
    """What is to be changed of a reference material."""

    filename: Line | None = None
    title: Line | None = None
    content: MaterialText | None = None
    file_type: FileKind | None = None
    tags: Tags | None = None
    assistant_key: Of = FOR


class EntryView(BaseModel):
    """What all entries have. Its `id` is also that of its job, and of the document that citations name."""

    id: UUID
    assistant_key: str | None
    tags: list[str]
    status: EntryStatus
    searchable: bool = Field(description="Whether it answers now; while it is changed, as it was before.")
    code: str | None = Field(None, description="Why it could not be made findable: stable code,")
    detail: str | None = Field(None, description="and a sentence.")
    created_by: str
    created_at: datetime
    updated_at: datetime
    job: str = Field(description="Where the work on it can be followed.")
    events: str = Field(description="Where that streams its events.")


class PairView(EntryView):
    """A training pair."""

    prompt: str
    response: str


class NoteView(EntryView):
    """A logic note."""

    title: str
    content: str
    category: str | None


class MaterialView(EntryView):
    """A reference material."""

    filename: str
    original_filename: str
    title: str
    file_type: str
    file_size: int
    content_preview: str = Field(description="How it begins.")
    content: str | None = Field(None, description="All of it; left out of listings.")


class PairPage(BaseModel):
    """A page of training pairs, newest first; `next` is the cursor of the page after."""

    entries: list[PairView]
    next: str | None


class NotePage(BaseModel):
    """A page of logic notes, newest first; `next` is the cursor of the page after."""

    entries: list[NoteView]
    next: str | None


class MaterialPage(BaseModel):
    """A page of reference materials, newest first; `next` is the cursor of the page after."""

    entries: list[MaterialView]
    next: str | None


Part = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00]*$")]


class EntryListing(Listing):
    """Which entries, how many, and from where."""

    q: Part | None = Field(None, description="Those that hold this, in their names or texts.")
    tag: Part | None = Field(None, description="Those with this tag.")
    assistant_key: Key | None = Field(None, description="Those of this assistant.")


class NoteListing(EntryListing):
    """Which notes, how many, and from where."""

    category: Part | None = Field(None, description="Those of this category.")


class EntryGone(BaseModel):
    """What was removed with an entry."""

    id: UUID
    name: str
    chunks_deleted: int
    deleted_at: datetime
