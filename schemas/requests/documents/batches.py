"""Bodies of bulk work: batches, what is in them, addresses, raw texts, and uploads in pieces."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, RootModel, StringConstraints, model_validator

from schemas.requests.common import Body, Key, Parameters, Priority
from schemas.requests.documents.documents import UploadAccepted
from schemas.requests.fields import Json

MAX_URLS = 100
MAX_TEXTS = 1000

ItemStatus = Literal["queued", "running", "processed", "failed", "cancelled", "refused", "deleted"]
Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048, pattern=r"^[^\x00]*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255, pattern=r"^[^\x00]*$")]


class For(Body):
    """For whom documents are, and when they are to be worked on."""

    assistant_key: Key | None = Field(None, description="Only this assistant may use the documents.")
    tenant_id: UUID | None = Field(None, description="May only repeat what the token says.")
    user_id: Key | None = Field(None, description="Who they are uploaded for.")
    priority: Priority = 0
    batch_id: UUID | None = Field(None, description="Add them to this open batch.")


class UrlsBody(For):
    """Web addresses whose files are to be fetched and read."""

    url: Url | None = None
    urls: list[Url] | None = Field(None, min_length=1, max_length=MAX_URLS)

    @model_validator(mode="after")
    def _some(self) -> "UrlsBody":
        if (self.url is None) == (self.urls is None):
            raise ValueError("give `url` or `urls`")
        return self

    def all(self) -> list[str]:
        """Return the addresses, each once."""
        return list(dict.fromkeys(self.urls or [self.url or ""]))


class TextItem(Body):
    """A raw text that is to be a document."""

    text: Text = Field(description="The text, plain or Markdown.")
    title: Label | None = None
    filename: Label | None = None
    metadata: Json | None = None


class TextBody(For):
    """A raw text, or a list of them, that is to be a document each."""

    text: Text | None = Field(None, description="The text, plain or Markdown.")
    title: Label | None = None
    filename: Label | None = None
    metadata: Json | None = None
    documents: list[TextItem] | None = Field(None, min_length=1, max_length=MAX_TEXTS)

    @model_validator(mode="after")
    def _some(self) -> "TextBody":
        if (self.text is None) == (self.documents is None):
            raise ValueError("give `text` or `documents`")
        return self

    def all(self) -> list[TextItem]:
        """Return the texts."""
        one = TextItem(text=self.text or " ", title=self.title, filename=self.filename, metadata=self.metadata)
        return self.documents or [one]


class BatchBody(Body):
    """A batch to be filled by later requests."""

    name: Label = ""
    priority: Priority = 0
    assistant_key: Key | None = Field(None, description="Only this assistant may use the documents.")
    source: Literal["files", "folder"] = "files"


class Refused(BaseModel):
    """A file that was refused, and why."""

    filename: str
    code: str
    detail: str


class Totals(BaseModel):
    """How many of a batch's files stand where. `refused` never became a document, `deleted` no longer is one."""

    total: int
    queued: int
    running: int
    processed: int
    failed: int
    cancelled: int
    refused: int
    deleted: int


class BatchSummary(BaseModel):
    """A batch, without what has become of its documents."""

    id: UUID
    name: str
    source: str
    state: Literal["running", "paused", "cancelled", "completed"]
    priority: int
    assistant_key: str | None
    is_open: bool = Field(description="Whether it takes more files.")
    taking_in: bool = Field(description="Whether its archive or its addresses are still being taken in.")
    code: str | None = Field(None, description="Why part of it could not be taken in: stable code,")
    detail: str | None = Field(None, description="and a sentence.")
    created_at: datetime
    finished_at: datetime | None


class BatchView(BatchSummary):
    """A batch and how far it is."""

    totals: Totals
    bytes: int
    chunks: int
    documents_per_s: float = Field(description="Processed in each second of the last minute.")
    remaining_s: float | None = Field(None, description="Seconds until it is done; null where nobody can say,")
    remaining_unknown: str | None = Field(None, description="for this reason.")
    waiting_for: str | None = Field(None, description="Why nothing happens right now, in words.")


class BatchPage(BaseModel):
    """A page of batches, newest first; `next` is the cursor of the page after."""

    batches: list[BatchSummary]
    next: str | None


class BatchAccepted(BaseModel):
    """Files that are accepted work, followed as one job. `documents` are the first hundred."""

    success: bool = True
    message: str
    job_id: UUID
    job: str = Field(description="Where the job is.")
    events: str = Field(description="Where the job's events stream.")
    batch: dict[str, Any]
    documents: list[dict[str, Any]]
    refused: list[Refused]


class Accepted(RootModel[UploadAccepted | BatchAccepted]):
    """Accepted work: a document alone, or a batch."""


class BatchItemView(BaseModel):
    """A file of a batch: where it stands and, if it failed, why and what to do."""

    item: int
    filename: str
    folder: str
    url: str | None
    document_id: UUID | None
    status: ItemStatus
    code: str | None
    detail: str | None
    remedy: str | None
    chunks: int


class BatchItemPage(BaseModel):
    """A page of a batch's files; `next` is the cursor of the page after."""

    documents: list[BatchItemView]
    next: str | None


class ItemListing(Parameters):
    """Which files of a batch, how many, and from where."""

    limit: int = Field(50, ge=1, le=200)
    after: str | None = Field(None, max_length=200, description="The `next` of the page before.")
    status: ItemStatus | None = Field(None, description="Only those that stand there.")


class DeadReplay(Body):
    """Which documents that failed for good are tried again: these, those of one code or batch, or all."""

    ids: list[UUID] | None = Field(None, min_length=1, max_length=1000)
    code: Label | None = None
    batch_id: UUID | None = None


class DeadLetter(BaseModel):
    """A document that failed for good."""

    id: UUID
    filename: str
    batch_id: UUID | None
    code: str | None
    detail: str | None
    remedy: str | None
    retryable: bool
    attempts: int
    created_at: datetime


class DeadLetters(BaseModel):
    """Documents that failed for good, newest first, and how many there are of each code."""

    by_code: dict[str, int]
    documents: list[DeadLetter]
    next: str | None


class DeadListing(Parameters):
    """Which of them, how many, and from where."""

    limit: int = Field(50, ge=1, le=200)
    after: str | None = Field(None, max_length=200, description="The `next` of the page before.")
    code: str | None = Field(None, max_length=100, description="Only those that failed with it.")


class ReplayAccepted(BaseModel):
    """Documents that are tried again, followed as one job."""

    job_id: UUID
    job: str
    events: str
    total: int


class UploadView(BaseModel):
    """An upload in pieces. `job` is there once it is complete."""

    id: UUID
    filename: str
    size: int
    received: int
    complete: bool
    job_id: UUID | None
    job: str | None
    events: str | None
    created_at: datetime
    expires_at: datetime
