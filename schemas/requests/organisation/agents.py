"""Bodies of the requests about assistants."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, RootModel, StringConstraints, model_validator

from schemas.requests.common import Body, Key, Parameters
from schemas.requests.fields import Name
from schemas.requests.knowledge.training import Tag, without_controls

MAX_INSTRUCTIONS_CHARS, MAX_GREETING_CHARS = 20_000, 1_000
MAX_DOCUMENTS, MAX_NAMES = 1_000, 32
MAX_FILLERS, MAX_FILLER_LANGUAGES = 8, 16

AssistantKey = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$")]
Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Instructions = Annotated[
    str,
    BeforeValidator(without_controls),
    StringConstraints(strip_whitespace=True, max_length=MAX_INSTRUCTIONS_CHARS),
]
Greeting = Annotated[
    str, BeforeValidator(without_controls), StringConstraints(strip_whitespace=True, max_length=MAX_GREETING_CHARS)
]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
Model = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:/@+-]+$")]
Share = Annotated[float, Field(ge=0, le=1)]
Source = Literal["document_chunks", "training_data", "logic_notes", "reference_materials"]
Speed = Annotated[float, Field(ge=0.5, le=2)]
FillerAfter = Annotated[int, Field(ge=300, le=10_000)]
Filler = Annotated[
    str, BeforeValidator(without_controls), StringConstraints(strip_whitespace=True, min_length=1, max_length=120)
]
Fillers = Annotated[
    dict[Language, Annotated[list[Filler], Field(max_length=MAX_FILLERS)]], Field(max_length=MAX_FILLER_LANGUAGES)
]


class PersonaTraits(Body):
    """How an assistant sounds; 0.5 is neutral, and what is left out is."""

    formality: Share | None = Field(None, description="0 casual, 1 formal.")
    detail: Share | None = Field(None, description="0 the bare fact, 1 everything about it.")
    energy: Share | None = Field(None, description="0 calm, 1 lively.")
    language: Language | None = Field(None, description="In which it answers; left out: in that of the question.")


class KnowledgeLimits(Body):
    """What an assistant may know. What is left out limits nothing; what is given must all hold."""

    doc_ids: list[UUID] = Field(default_factory=list, max_length=MAX_DOCUMENTS, description="One of these documents,")
    tags: list[Tag] = Field(default_factory=list, max_length=MAX_NAMES, description="with any of these tags,")
    file_types: list[Slug] = Field(default_factory=list, max_length=MAX_NAMES, description="of one of these types,")
    sources: list[Source] = Field(default_factory=list, max_length=MAX_NAMES, description="of one of these sources,")
    created_after: datetime | None = Field(None, description="that came then or later,")
    created_before: datetime | None = Field(None, description="and earlier than that.")

    @model_validator(mode="after")
    def _with_zone(self) -> "KnowledgeLimits":
        for at in (self.created_after, self.created_before):
            if at is not None and at.tzinfo is None:
                raise ValueError("times need a time zone, as 2026-01-31T00:00:00Z")
        return self


class ModelPolicy(Body):
    """Which providers or models write an assistant's answers."""

    prefer: list[Model] = Field(default_factory=list, max_length=MAX_NAMES, description="Tried first, in this order.")
    avoid: list[Model] = Field(default_factory=list, max_length=MAX_NAMES, description="Never asked.")
    max_cost_usd_per_answer: Annotated[float, Field(ge=0, le=1_000)] | None = None
    hedge: bool | None = Field(None, description="Ask a second one where the first is slow.")
    cache: bool | None = Field(None, description="Whether answers are kept and given again; left out: they are.")


class AgentFields(Body):
    """What can be said of an assistant."""

    greeting: Greeting = Field("", description="How it begins.")
    instructions: Instructions = Field("", description="What it is told before each question.")
    persona: PersonaTraits = Field(default_factory=PersonaTraits)
    voice_id: Key | None = None
    voice_speed: Speed | None = Field(None, description="1 is as the voice speaks by itself.")
    filler_after_ms: FillerAfter | None = Field(
        None, description="After how long without an answer a caller hears a filler; left out: never."
    )
    fillers: Fillers = Field(
        default_factory=dict, description='By language, such as {"en": ["One moment, please."]}; else our own.'
    )
    language: Language | None = Field(None, description="That it listens for.")
    knowledge_filter: KnowledgeLimits = Field(default_factory=KnowledgeLimits)
    model_policy: ModelPolicy = Field(default_factory=ModelPolicy)
    is_active: bool = Field(True, description="Whether it can be asked.")


class AgentBody(AgentFields):
    """A new assistant. Its key is its name in addresses and requests, and stays as it is."""

    assistant_key: AssistantKey
    name: Name
    kind: Literal["custom"] = "custom"


class AgentChange(Body):
    """What is to be changed of an assistant. Persona, filter and policy are replaced as a whole."""

    name: Name | None = None
    greeting: Greeting | None = None
    instructions: Instructions | None = None
    persona: PersonaTraits | None = None
    voice_id: Key | None = None
    voice_speed: Speed | None = None
    filler_after_ms: FillerAfter | None = None
    fillers: Fillers | None = None
    language: Language | None = None
    knowledge_filter: KnowledgeLimits | None = None
    model_policy: ModelPolicy | None = None
    is_active: bool | None = None
    assistant_key: Key | None = Field(None, description="May only repeat what it is.")


class DuplicateBody(Body):
    """What a copy is called."""

    assistant_key: AssistantKey
    name: Name | None = None


class AgentPath(BaseModel):
    """The assistant that a path names."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]


class Leaving(Parameters):
    """What becomes of the knowledge that only this assistant uses."""

    documents: Literal["delete", "shared"] | None = Field(
        None, description="`delete` it, or let all assistants use it (`shared`)."
    )


class AgentCard(BaseModel):
    """What those who talk with an assistant see of it."""

    assistant_key: str
    name: str
    greeting: str
    language: str | None


class AgentView(AgentCard):
    """An assistant. `revision` counts its changes, and is its `ETag`."""

    id: UUID
    kind: str
    instructions: str
    persona: PersonaTraits
    voice_id: str | None
    voice_speed: float | None
    filler_after_ms: int | None
    fillers: dict[str, list[str]]
    knowledge_filter: KnowledgeLimits
    model_policy: ModelPolicy
    is_active: bool
    revision: int
    created_at: datetime
    updated_at: datetime


class AgentShown(RootModel[AgentView | AgentCard]):
    """An assistant, as its reader may see it."""


class AgentPage(BaseModel):
    """A page of assistants, oldest first; `next` is the cursor of the page after."""

    agents: list[AgentView | AgentCard]
    next: str | None


class AgentGone(BaseModel):
    """What was removed with an assistant."""

    assistant_key: str
    documents_deleted: int
    documents_shared: int
    deleted_at: datetime


def kept(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a body as a row keeps them: of persona, filter and policy what was said."""
    return {name: _said(value) if isinstance(value, BaseModel) else value for name, value in fields.items()}


def _said(value: BaseModel) -> dict[str, Any]:
    return {name: said for name, said in value.model_dump(mode="json").items() if said is not None and said != []}
