"""What bodies of many resources share: kinds of fields, pages, jobs, and problems."""

from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# NUL is text to JSON and to none of our stores.
Key = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00]*$")]


Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
Secret = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]
Priority = Annotated[int, Field(ge=-10, le=10, description="What has more is begun first.")]


@cache
def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)  # With a word to it, and so made anew.


class Parameters(BaseModel):
    """What stands in the query or the form of a request.

    Flask-OpenAPI3 asks for its schema at each request, and making it takes 0.7 ms and more: it is made once.
    """

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return super().model_json_schema(*args, **kwargs) if args or kwargs else _schema_of(cls)


class Body(Parameters):
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


class JobView(BaseModel):
    """Anything a client can wait for: a document's ingest, a batch of them, or a turn."""

    id: UUID
    kind: Literal["document", "batch", "turn", "evaluation"]
    status: str
    finished: bool
    result: dict[str, Any]


class Listing(Parameters):
    """How many, and from where."""

    limit: int = Field(50, ge=1, le=200)
    after: str | None = Field(None, max_length=200, description="The `next` of the page before.")


class IdPath(BaseModel):
    """An id in a path."""

    id: UUID
