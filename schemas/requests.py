"""Bodies of requests and responses. Field names are those of the reference clients."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

# NUL is text to JSON and to none of our stores.
Key = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00]*$")]


Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
Secret = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]
Priority = Annotated[int, Field(ge=-10, le=10, description="What has more is begun first.")]


class Body(BaseModel):
    """A request body; fields it does not know are ignored, as reference clients send some."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)


class Problem(BaseModel):
    """An error (RFC 9457). `code` is stable; `trace_id` finds the log line."""

    type: str = Field(description="A URI reference that names the kind of problem.")
    title: str
    status: int
    code: str
    detail: str
    trace_id: str
    errors: list[dict[str, Any]] | None = Field(None, description="Which fields are at fault, and why.")


Tag = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
Source = Literal["document_chunks", "training_data", "logic_notes", "reference_materials"]


class KnowledgeFilterBody(Body):
    """What is searched. What is left out limits nothing; what is given must all hold."""

    doc_ids: list[UUID] = Field([], max_length=1000, description="One of these documents.")
    tags: list[Tag] = Field([], max_length=32, description="Any of the tags in a document's metadata.")
    file_types: list[Tag] = Field([], max_length=32, description="One of these types, such as pdf.")
    created_after: AwareDatetime | None = Field(None, description="Created then or later; with a time zone.")
    created_before: AwareDatetime | None = Field(None, description="Created earlier; with a time zone.")
    sources: list[Source] = Field([], max_length=4, description="One of these sources.")


class PersonaBody(Body):
    """How an answer is to sound; what is left out stays as the assistant and the user have it."""

    formality: float | None = Field(None, ge=0, le=1, description="0 casual, 1 formal.")
    detail: float | None = Field(None, ge=0, le=1, description="0 the bare fact, 1 everything about it.")
    energy: float | None = Field(None, ge=0, le=1, description="0 calm, 1 lively.")
    language: Language | None = Field(None, description="A language tag such as `de`.")


class ChatBody(Body):
    """A question to an assistant."""

    message: str = Field(min_length=1, description="The question.")
    assistant_key: Key = "default-assistant"
    tenant_id: UUID | None = Field(None, description="May only repeat what the token says.")
    user_id: Key | None = None
    session_id: UUID | None = Field(None, description="The conversation to go on with.")
    conversation_id: UUID | None = Field(None, description="The same as session_id.")
    use_memory: bool = Field(True, description="Answer with what was said before and what the user prefers.")
    use_persona: bool = Field(
        True, description="Answer in the tone that the assistant, the user and `persona` ask for."
    )
    persona: PersonaBody | None = Field(None, description="How this answer is to sound.")
    search_knowledge: bool = Field(True, description="Search the documents; without, a chat model answers by itself.")
    stream: bool = Field(False, description="Answer with server-sent events.")
    filters: KnowledgeFilterBody | None = Field(
        None, description="Only this is searched, of what the assistant may know."
    )


class RagStats(BaseModel):
    """What retrieval found for an answer, times in seconds."""

    chunks_retrieved: int
    context_tokens: int
    search_time: float
    model_used: str | None


class WishView(BaseModel):
    """A preference that the question told of."""

    key: str
    value: Any
    confidence: float


class MemoryView(BaseModel):
    """What an answer took from its question about its user's preferences."""

    learned: list[WishView] = Field(description="What is remembered from now on.")
    noticed: list[WishView] = Field(description="What this answer followed, and nobody keeps.")


class CacheView(BaseModel):
    """Whether an answer was kept from before: `exact` for the same question, `near` for one like it, else null."""

    hit: Literal["exact", "near"] | None = None
    kept_at: datetime | None = Field(None, description="When it was made.")
    cosine: float | None = Field(None, description="How near the two questions are.")
    saved_ms: float | None = None
    saved_usd: float | None = None


class RouteAttempt(BaseModel):
    """One model that was asked and how that ended: `answered`, `lost` to a quicker one, or the code of an error."""

    provider: str
    model: str
    outcome: str
    ms: float


class RouteView(BaseModel):
    """Which model was asked, why, and all that were tried before it answered. Empty where none was needed."""

    provider: str | None = None
    model: str | None = None
    rule: str | None = Field(None, description="The kind of question.")
    reason: str | None = None
    fallback: bool = Field(False, description="Whether the local composer stood in for those that did not answer.")
    cut_short: bool = Field(False, description="Whether the answer broke off, or met its limit.")
    attempts: list[RouteAttempt] = []


class ChatAnswer(BaseModel):
    """An answer with its sources. `citations` point at document, page and passage."""

    response: str
    session_id: UUID
    turn_id: UUID
    sources_used: list[str]
    sources: list[str]
    citations: list[dict[str, Any]]
    sentences: list[dict[str, Any]] = Field(
        [], description="The answer's sentences: `text`, the numbers of their `citations`, and `supported`."
    )
    context_confidence: float
    knowledge_used: bool
    persona_applied: bool
    memory: MemoryView
    processing_time: float
    response_time: float
    cost: float
    model_used: str | None
    provider: str | None
    assistant_key: str
    cache: CacheView
    route: RouteView
    timings: dict[str, Any]
    timestamp: datetime
    rag_stats: RagStats | None = None


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


class JobView(BaseModel):
    """Anything a client can wait for: a document's ingest, a batch of them, or a turn."""

    id: UUID
    kind: Literal["document", "batch", "turn", "evaluation"]
    status: str
    finished: bool
    result: dict[str, Any]


class UploadForm(Body):
    """What comes beside a file in its form."""

    assistant_key: Key | None = Field(None, description="Only this assistant may use the document.")
    tenant_id: UUID | None = Field(None, description="May only repeat what the token says.")
    user_id: Key | None = Field(None, description="Who it is uploaded for.")
    password: Secret | None = Field(None, description="What opens the file, or all files of an archive.")
    priority: Priority = Field(0, description="-10 to 10; what has more is begun first.")
    batch_id: UUID | None = Field(None, description="Add the files to this open batch.")
    folder: Key | None = Field(None, description="Where the files lie, as `a/b`.")


class Listing(BaseModel):
    """How many, and from where."""

    limit: int = Field(50, ge=1, le=200)
    after: str | None = Field(None, max_length=200, description="The `next` of the page before.")


class DocumentListing(Listing):
    """Which documents, how many, and from where."""

    status: Literal["queued", "running", "processed", "failed", "cancelled"] | None = None
    code: str | None = Field(None, max_length=100, description="Those that failed with this code.")
    batch_id: UUID | None = Field(None, description="Those of this batch.")
    q: str | None = Field(None, max_length=255, description="Those whose filename holds this.")
    assistant_key: Key | None = Field(None, description="Those of this assistant.")


class IdPath(BaseModel):
    """An id in a path."""

    id: UUID


class ServiceHealth(BaseModel):
    """Whether there is what answers, what speaks and listens, and what searches."""

    smart_router: bool
    voice: bool
    data_service: bool


class ApiHealth(BaseModel):
    """Whether a provider of answers can be used here."""

    offered: bool


class Health(BaseModel):
    """That the process lives, and what it offers; `apis` are the providers of answers by name.

    `notices` are sentences for the operator: what works, but not as well as it could.
    """

    status: Literal["healthy"] = "healthy"
    mode: Literal["single-tenant", "multi-tenant"]
    services: ServiceHealth
    apis: dict[str, ApiHealth]
    notices: list[str] = []


class Readiness(BaseModel):
    """Whether the whole stack can take work, and which of its parts are there."""

    status: Literal["ready", "not ready"]
    parts: dict[str, bool]
