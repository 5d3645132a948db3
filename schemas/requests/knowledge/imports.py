"""Bodies of the requests that bring or take many entries at once."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Body, Key, Parameters

SHOWN_ERRORS = 200


class Exporting(Parameters):
    """In which form entries are exported."""

    format: Literal["csv", "json"] = "csv"


class ImportForm(Body):
    """What comes beside a file of entries."""

    assistant_key: Key | None = Field(None, description="For which assistant rows are that name none.")
    dry_run: bool = Field(False, description="Say what would be done, and do nothing.")


class ImportBody(ImportForm):
    """Entries as JSON; `rows` are as the bodies of single ones, and may have an `id`."""

    rows: list[dict[str, Any]] = Field(min_length=1, max_length=10_000)


class RowError(BaseModel):
    """Why a row is refused. `row` is its number in the file: of a CSV the first row, which names the columns, is 1."""

    row: int
    field: str | None = None
    code: str
    detail: str


class Imported(BaseModel):
    """What became of the rows of an import. There is a job where something is to be made findable."""

    dry_run: bool
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    errors: list[RowError] = Field(description=f"The first {SHOWN_ERRORS} of them.")
    job_id: UUID | None = None
    job: str | None = None
    events: str | None = None
