"""Bodies of re-indexing, of a document's versions, and of its chunks and their edits."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from schemas.requests.common import Body
from schemas.requests.documents.documents import ChunkView, UploadAccepted

MAX_IDS = 10_000
MAX_CHUNK_TOKENS = 2_000
MAX_CHUNK_CHARS = 64_000
"""More than 2,000 tokens of any text that people write."""


def _text(value: str) -> str:
    """Return a text that can be kept. Raises ValueError."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("half a surrogate pair is no text") from error
    return value


ChunkText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_CHUNK_CHARS, pattern=r"^[^\x00]*$"),
    AfterValidator(_text),
]


class ReindexBody(Body):
    """How a document is made again."""

    reread: bool = Field(False, description="Read the file again; otherwise what was extracted is cut and embedded.")
    chunk_tokens: int | None = Field(None, ge=256, le=2000, description="Longest chunk; else as it is set.")
    chunk_overlap: int | None = Field(None, ge=0, le=120, description="Tokens that a chunk repeats; else as it is set.")


class ReindexManyBody(ReindexBody):
    """Which documents are made again, by exactly one of `ids`, `stale`, `batch_id` and `all`, and how."""

    ids: list[UUID] | None = Field(None, min_length=1, max_length=MAX_IDS)
    stale: Literal[True] | None = Field(
        None, description="Those embedded by another model, or cut to other sizes, than is wanted now."
    )
    batch_id: UUID | None = Field(None, description="Those of this batch.")
    all: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> "ReindexManyBody":
        if sum(given is not None for given in (self.ids, self.stale, self.batch_id, self.all)) != 1:
            raise ValueError("give one of `ids`, `stale`, `batch_id` and `all`")
        return self


class ReindexAccepted(UploadAccepted):
    """A document that is to be made again; follow it by its job."""


class ReindexManyAccepted(BaseModel):
    """Documents that are to be made again, followed as one job."""

    success: bool = True
    message: str
    job_id: UUID
    job: str = Field(description="Where the job is.")
    events: str = Field(description="Where the job's events stream.")
    documents: int = Field(description="How many are made again.")
    skipped: int = Field(description="How many were left out because they are in work.")


class VersionView(BaseModel):
    """One processing of a document."""

    version: int
    answers: bool = Field(description="Whether it is the one that answers.")
    state: Literal["answering", "in_work", "ended", "replaced"] = Field(
        description="`ended` never came to answer: it failed or was cancelled."
    )
    embedding_model: str | None
    chunks: int | None
    embedded: int = Field(description="Chunks whose vectors were asked for; the others were known.")
    chunk_tokens: int | None = Field(None, description="To which sizes it was cut.")
    chunk_overlap: int | None = None
    from_version: int | None = Field(None, description="The version whose extracted text it took.")
    edits_kept: int | None = Field(None, description="Edits of chunks that it took over,")
    edits_dropped: int | None = Field(None, description="and that it could not, as the text they replaced changed.")
    created_at: datetime
    processed_at: datetime | None


class VersionPage(BaseModel):
    """A document's versions, newest first."""

    versions: list[VersionView]


class ChunkPath(BaseModel):
    """A document's id and one of a chunk in a path."""

    id: UUID
    chunk_id: int


class EditPath(BaseModel):
    """A document's id and one of an edit in a path."""

    id: UUID
    edit_id: UUID


class ChunkBody(Body):
    """What is to stand in a chunk."""

    text: ChunkText = Field(description="The new text, at most 2,000 tokens.")


class EditView(BaseModel):
    """An edit of a chunk and where it stands."""

    id: UUID
    document_id: UUID
    chunk_id: int = Field(description="The chunk it is of; a re-index that keeps it changes this.")
    status: Literal["queued", "running", "applied", "failed", "superseded", "dropped"]
    text: str
    user_id: str
    code: str | None = Field(None, description="Why it failed or waits: stable code,")
    detail: str | None = Field(None, description="and a sentence.")
    created_at: datetime
    applied_at: datetime | None
    location: str = Field(description="Where the edit is.")


class ChunkDetail(ChunkView):
    """A chunk of a document, with its last edit."""

    document_id: UUID
    version: int
    embedding_model: str
    boxes: list[dict[str, Any]]
    row_from: int | None = Field(None, description="Rows of the sheet it is from.")
    row_to: int | None = None
    start_s: float | None = Field(None, description="Seconds of the recording it is from.")
    end_s: float | None = None
    edited_at: datetime | None
    edit: EditView | None
