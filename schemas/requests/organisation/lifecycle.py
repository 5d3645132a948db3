"""Bodies of a tenant's end: the request to delete it, and the receipt."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Body


class DeletionBody(Body):
    """A request to delete the whole organisation."""

    confirm: str = Field(max_length=500, description="The organisation's name, as it is written in its settings.")


class Holdings(BaseModel):
    """What a tenant has, or had: rows by table, and the number of its other things."""

    rows: dict[str, int] = {}
    objects: int = 0
    redis_keys: int = 0
    queued_messages: int = 0

    @property
    def total(self) -> int:
        """Return how many things these are together."""
        return sum(self.rows.values()) + self.objects + self.redis_keys + self.queued_messages


class Receipt(Holdings):
    """What was removed with a tenant, and what was counted afterwards.

    Rows are exact; of the rest, a worker that dies may leave out the batch it was at.
    """

    started_at: datetime | None = None
    finished_at: datetime | None = Field(None, description="When nothing was left,")
    left: Holdings | None = Field(None, description="as this count says: all 0.")
    verified_at: datetime | None = Field(None, description="When a later look, after all that ran had ended, agreed.")
    found_late: int = Field(0, description="What that look found and removed; it is in the numbers above.")


class DeletionView(BaseModel):
    """A tenant that is being deleted, or is gone."""

    tenant_id: UUID
    organization_name: str
    requested_by: str = Field(description="Kind and id of who asked.")
    requested_at: datetime
    status: str = Field(description="running, finished or verified.")
    receipt: Receipt
    receipt_url: str = Field(description="Where operators find this again.")


class TenantPath(BaseModel):
    """A tenant's id in a path."""

    id: UUID
