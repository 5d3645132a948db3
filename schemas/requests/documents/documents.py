"""Bodies of requests and responses about documents. Field names are those of the reference clients."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Body, Key, Listing, Priority, Secret


class DocumentView(BaseModel):
    """A document and where it stands."""

    id: UUID
    filename: str
    folder: str = Field(description="Where it lay in what it came with, as `a/b`.")
    source_url: str | None = Field(None, description="Where it was fetched.")
    batch_id: UUID | None = Field(None, description="The batch it came with.")
    file_type: str
    file_size: int
    title: str
    status: Literal["queued", "running", "processed", "failed", "cancelled"]
    searchable: bool = Field(description="Whether a version of it answers now, also while a newer one is made.")
    priority: int
    position: int | None = Field(None, description="Documents that are begun before it, about; while it is queued.")
    stage: str | None = Field(None, description="The step it is in, or waits for.")
    done: int | None = Field(None, description="Pages, chunks or milliseconds of this step that are done,")
    total: int | None = Field(None, description="of so many.")
    worker: str | None = Field(None, description="Who works on it.")
    attempts: int | None = Field(None, description="How often the step was begun.")
    started_at: datetime | None = None
    waiting_for: str | None = Field(None, description="Why nothing happens right now, in words.")
    code: str | None = Field(None, description="Why it failed: stable code,")
    detail: str | None = Field(None, description="a sentence,")
    remedy: str | None = Field(None, description="what can be done about it,")
    retryable: bool | None = Field(None, description="and whether the same file may do better in another try.")
    assistant_key: str | None
    tags: list[str] = Field(description="What it is marked with; searches can be limited to some.")
    version: int
    pages: int | None
    chunks: int
    tokens: int
    embedding_model: str | None = None
    content_preview: str
    created_at: datetime
    processed_at: datetime | None


class DocumentPage(BaseModel):
    """A page of documents, newest first; `next` is the cursor of the page after."""

    documents: list[DocumentView]
    next: str | None


class UploadAccepted(BaseModel):
    """An upload that is accepted work; follow it by its job."""

    success: bool = True
    message: str
    job_id: UUID
    job: str = Field(description="Where the job is.")
    events: str = Field(description="Where the job's events stream.")
    document: dict[str, Any]


class ChunkView(BaseModel):
    """A chunk of a document."""

    chunk_id: int
    chunk_index: int
    chunk_type: str
    text: str
    token_count: int
    heading_path: list[str]
    page_from: int | None
    page_to: int | None


class ChunkPage(BaseModel):
    """Chunks of a document in order; `next` is the cursor of the page after."""

    chunks: list[ChunkView]
    next: str | None


class DeletionReceipt(BaseModel):
    """What was removed with a document."""

    id: UUID
    filename: str
    chunks_deleted: int
    objects_deleted: int
    deleted_at: datetime


class UploadForm(Body):
    """What comes beside a file in its form."""

    assistant_key: Key | None = Field(None, description="Only this assistant may use the document.")
    tenant_id: UUID | None = Field(None, description="May only repeat what the token says.")
    user_id: Key | None = Field(None, description="Who it is uploaded for.")
    password: Secret | None = Field(None, description="What opens the file, or all files of an archive.")
    priority: Priority = Field(0, description="-10 to 10; what has more is begun first.")
    batch_id: UUID | None = Field(None, description="Add the files to this open batch.")
    folder: Key | None = Field(None, description="Where the files lie, as `a/b`.")


class DocumentListing(Listing):
    """Which documents, how many, and from where."""

    status: Literal["queued", "running", "processed", "failed", "cancelled"] | None = None
    code: str | None = Field(None, max_length=100, description="Those that failed with this code.")
    batch_id: UUID | None = Field(None, description="Those of this batch.")
    q: str | None = Field(None, max_length=255, description="Those whose filename holds this.")
    assistant_key: Key | None = Field(None, description="Those of this assistant.")
    tag: Key | None = Field(None, description="Those that have this tag.")
