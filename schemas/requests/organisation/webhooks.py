"""Bodies of the requests about webhooks."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from schemas.requests.common import Body, Listing
from schemas.requests.fields import Locale
from schemas.tables.hooks import DeliveryStatus, DisabledReason

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,1000}")
MAX_HEADERS = 20

RESERVED = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host"),
        *("keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
        *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"),
    }
)
"""Headers that are ours to set, or that would change how a request is read on its way."""

RESERVED_BEGINNINGS = ("webhook-", "proxy-", "sec-", "metadata")
"""The signature's, and those by which machines inside are asked for credentials (`Metadata-Flavor`)."""


def _headers(value: dict[str, str]) -> dict[str, str]:
    """Return headers that may be sent. Raises ValueError."""
    if len(value) > MAX_HEADERS:
        raise ValueError(f"at most {MAX_HEADERS} headers")
    for name, text in value.items():
        if not HEADER_NAME.fullmatch(name):
            raise ValueError("a header's name is made of letters, digits and hyphens")
        if not HEADER_VALUE.fullmatch(text):
            raise ValueError("a header's value has at most 1,000 printable ASCII characters")
        if name.lower() in RESERVED or name.lower().startswith(RESERVED_BEGINNINGS):
            raise ValueError(f"the header {name} is reserved")
    if len({name.lower() for name in value}) != len(value):
        raise ValueError("a header is named twice")
    return value


Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048)]
Filter = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z_.*]+$")]
Filters = Annotated[list[Filter], Field(min_length=1, max_length=50)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]
Places = Annotated[int, Field(ge=1, le=64)]


class EndpointBody(Body):
    """A new endpoint."""

    url: Url = Field(description="Where events are sent, by https or http. It must be public.")
    events: Filters = Field(["*"], description="Events it is told of: `document.processed`, `document.*`, or `*`.")
    description: Locale = ""
    headers: Headers = Field({}, description="Headers of your own, such as Authorization. They are never shown again.")
    max_in_flight: Places = Field(16, description="How many events it is sent at once, at most.")


class EndpointChange(Body):
    """What changes of an endpoint; what is left out stays."""

    url: Url | None = None
    events: Filters | None = None
    description: Locale | None = None
    headers: Headers | None = None
    max_in_flight: Places | None = None
    is_active: bool | None = Field(None, description="False keeps what is not delivered yet until it is true again.")


class EndpointView(BaseModel):
    """An endpoint, without its secrets."""

    id: UUID
    url: str
    description: str
    events: list[str]
    header_names: list[str]
    max_in_flight: int
    is_active: bool
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    failing_since: datetime | None = Field(description="The first of its failures since it last answered well.")
    previous_secret_until: datetime | None = Field(description="Until then the secret before signs as well.")
    created_at: datetime


class EndpointMade(EndpointView):
    """An endpoint with its secret, which is in this answer and nowhere else."""

    secret: str = Field(description="`whsec_…`, as the libraries of Standard Webhooks take it.")


class EndpointList(BaseModel):
    """The organisation's endpoints, oldest first."""

    endpoints: list[EndpointView]


class EndpointGone(BaseModel):
    """The receipt of a deleted endpoint."""

    id: UUID
    url: str
    deliveries_deleted: int
    deleted_at: datetime


class EventType(BaseModel):
    """An event that webhooks tell of."""

    name: str
    group: str = Field(description="The filter that lets it through with all of its kind.")


class EventTypeList(BaseModel):
    """What webhooks tell of."""

    event_types: list[EventType]


class DeliveryView(BaseModel):
    """One event for one endpoint. `event_id` is the header `webhook-id`, the same in all tries and replays."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    status: DeliveryStatus
    attempts: int
    status_code: int | None = Field(description="What was answered last.")
    error_code: str | None
    next_attempt_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None
    replay_of: UUID | None


class DeliveryPage(BaseModel):
    """Deliveries, newest first; `next` is the cursor of the page after."""

    deliveries: list[DeliveryView]
    next: str | None


class AttemptView(BaseModel):
    """One try: what was sent, without signature and headers of your own, and what came back, cut at 4 KB."""

    attempt: int
    at: datetime
    duration_ms: int
    status_code: int | None
    error_code: str | None
    error_detail: str | None
    request_headers: dict[str, str]
    response_headers: dict[str, str]
    response_body: str


class DeliveryDetail(DeliveryView):
    """A delivery with its body and all its tries."""

    payload: dict[str, Any]
    tries: list[AttemptView]


class DeliveryListing(Listing):
    """Which deliveries, how many, and from where."""

    status: DeliveryStatus | None = None
    type: Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z_.]+$")] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = Field(None, description="Before this moment.")


class ReplayBody(Body):
    """Which deliveries of an endpoint are to be sent again: those created from `from` and before `to`."""

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")
    status: Literal["delivered", "failed"] | None = Field(None, description="Both where it is left out.")


class Replayed(BaseModel):
    """How many deliveries are sent again."""

    queued: int
