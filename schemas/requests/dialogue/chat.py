"""Bodies of what is asked and answered. Field names are those of the reference clients."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from schemas.requests.common import Body, Key, Language, Source, Tag


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
