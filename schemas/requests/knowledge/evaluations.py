"""Bodies and answers of evaluations."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Body, Key, Parameters
from schemas.requests.fields import Name

Status = Literal["queued", "running", "completed", "cancelled", "failed"]
Chat = Annotated[str, Field(max_length=40, pattern=r"^[a-z][a-z0-9_-]*$")]


class Configuration(Body):
    """How the questions are asked; what is left out is as turns have it. Answers never come from a cache."""

    name: Name | None = Field(None, description="What it is called in the table.")
    assistant_key: Key = "default-assistant"
    match_count: int | None = Field(None, ge=1, le=50, description="Passages an answer is made from.")
    dense_weight: float | None = Field(None, ge=0, le=1, description="Weight of meaning against words, 0 to 1.")
    threshold: float | None = Field(None, ge=0, le=1, description="Confidence below which the answer is unsure.")
    chat_provider: Chat | None = Field(None, description="Who writes the answers.")


class SourceBody(Body):
    """Where an answer stands; all that is given must fit."""

    filename: str | None = Field(None, max_length=500)
    document_id: UUID | None = None
    page: int | None = Field(None, ge=1, le=1_000_000)
    text: str | None = Field(None, max_length=20_000, description="The paragraph that holds it.")


class QuestionBody(Body):
    """A question; without an answer it should be refused."""

    question: str = Field(min_length=1, max_length=4_000)
    answer: str | None = Field(None, max_length=4_000)
    answers: list[Annotated[str, Field(max_length=4_000)]] | None = Field(None, max_length=20)
    source: SourceBody | None = None


class EvaluationBody(Body):
    """A set of questions, and the configurations in which each is asked."""

    name: Name = "Evaluation"
    questions: list[QuestionBody] = Field([], max_length=5_000)
    data: list[dict[str, Any]] | None = Field(None, max_length=5_000, description="SQuAD's articles, in their place.")
    configurations: list[Configuration] = Field([], max_length=8, description="One as turns have it, if there is none.")


class EvaluationForm(Body):
    """What comes beside a set's file in its form."""

    name: Name | None = Field(None, description="What the run is called.")
    configurations: str | None = Field(None, max_length=20_000, description="JSON: how the questions are asked.")


class EvaluationPath(BaseModel):
    """An evaluation."""

    id: UUID


class EvaluationQuery(Parameters):
    """In which form, and beside which other run."""

    format: Literal["json", "md", "svg"] = "json"
    against: UUID | None = Field(None, description="An earlier evaluation: which questions got better, which worse.")
    configuration: int = Field(0, ge=0, le=7, description="Whose outcomes are compared with those of `against`.")


class Compared(BaseModel):
    """Questions whose outcome got better, got worse, and stayed the same."""

    better: list[str]
    worse: list[str]
    same: int
    missing: int = Field(description="Questions that only one of the two has.")


class EvaluationView(BaseModel):
    """An evaluation: where it stands and, as it goes on, its figures: one row for each configuration."""

    id: UUID
    name: str
    status: Status
    total: int
    done: int
    configurations: list[dict[str, Any]]
    results: list[dict[str, Any]]
    cost_usd: float
    code: str | None
    detail: str | None
    created_at: datetime
    completed_at: datetime | None
    against: Compared | None = None


class EvaluationPage(BaseModel):
    """Evaluations, newest first; `next` is the cursor of the page after."""

    evaluations: list[EvaluationView]
    next: str | None


class QuestionView(BaseModel):
    """A question of an evaluation and what came of it in each configuration, in their order."""

    number: int
    question: str
    answers: list[str]
    source: dict[str, Any]
    outcomes: list[dict[str, Any]] | None


class QuestionPage(BaseModel):
    """Questions in order; `next` is the cursor of the page after."""

    questions: list[QuestionView]
    next: str | None
