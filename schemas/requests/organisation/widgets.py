"""Bodies of the widget that other sites show: how it is set up, and what a visitor is told and asks."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from schemas.requests.common import Body

MAX_ORIGINS = 50

Origin = Annotated[
    str,
    StringConstraints(
        max_length=255,
        to_lower=True,
        strip_whitespace=True,
        pattern=r"^[hH][tT][tT][pP][sS]?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$",
    ),
]
"""A site as browsers name it: scheme, host, and a port that is not the scheme's own; no path."""


class WidgetChange(Body):
    """What is to be changed of an assistant's widget."""

    is_on: bool | None = Field(None, description="Whether visitors are let in. Turning it off ends their sessions.")
    allowed_origins: list[Origin] | None = Field(
        None, max_length=MAX_ORIGINS, description="Sites that may show it, such as https://www.example.com."
    )
    voice: bool | None = Field(None, description="Whether visitors may talk with it.")
    new_id: bool = Field(False, description="Give it another id; the snippet that sites have stops working.")


class WidgetView(BaseModel):
    """An assistant's widget, and the line that puts it on a site; empty until it has been turned on once."""

    widget_id: UUID | None
    is_on: bool
    allowed_origins: list[str]
    voice: bool
    snippet: str


class WidgetPath(BaseModel):
    """The widget that a path names."""

    id: UUID


class Looks(BaseModel):
    """How the organisation wants to look."""

    organization_name: str
    custom_logo: str | None
    brand_colors: dict[str, str] | None


class VisitAnswer(BaseModel):
    """A visitor's token, which opens this one assistant from this one site, and what the widget shows first."""

    token: str
    expires_in: int = Field(description="Seconds. Then another one is asked for, and a new conversation begins.")
    name: str
    greeting: str
    language: str | None
    voice: bool
    branding: Looks


class VisitorQuestion(Body):
    """What a visitor asks."""

    message: str = Field(min_length=1)
    conversation_id: UUID | None = None
