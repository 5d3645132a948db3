"""What a client of the organisation's events asks for."""

from typing import Literal

from pydantic import Field

from schemas.requests.common import Body

TYPES = r"^[a-z_.*]+(,[a-z_.*]+)*$"
SUBJECT = r"^(document|batch|evaluation|conversation|turn|tenant):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
PLACE = r"^([0-9]{1,19}(-[0-9]{1,19})?)?$"


class EventsQuery(Body):
    """Which events, and from where on."""

    types: str | None = Field(
        None,
        max_length=1000,
        pattern=TYPES,
        description="Names of events, comma-separated; `document.*` means all that begin so. All where it is left out.",
    )
    subject: str | None = Field(
        None,
        pattern=SUBJECT,
        description="`document:ID`, `batch:ID`, `conversation:ID` or `turn:ID`: only events of that one.",
    )
    after: str | None = Field(
        None,
        pattern=PLACE,
        description="Id of the last event that was received, as `Last-Event-ID`; `0-0` is before all that are kept.",
    )


class FollowMessage(EventsQuery):
    """A socket's first message."""

    type: Literal["start"]
    token: str | None = Field(None, max_length=16_384)
