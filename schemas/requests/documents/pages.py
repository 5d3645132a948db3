"""Bodies and queries of pages that are shown as pictures."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Parameters

NUMBER = r"-?\d{1,6}(\.\d{1,3})?"
BOXES = rf"^{NUMBER}(,{NUMBER}){{3}}(;{NUMBER}(,{NUMBER}){{3}}){{0,49}}$"
UUID_TEXT = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class PagePath(BaseModel):
    """A document and the number of one of its pages, from 1."""

    id: UUID
    n: int


class PageQuery(Parameters):
    """How a page is shown, and what is marked on it."""

    width: int = Field(1000, ge=100, le=2000, description="Width in pixels; taken to the next hundred.")
    boxes: str | None = Field(
        None,
        max_length=2000,
        pattern=BOXES,
        description="What to mark: `left,top,right,bottom` in points from the top left, by semicolons.",
    )
    chunk_id: int | None = Field(None, ge=0, le=2**63 - 1, description="Mark this chunk of the document.")
    citation: str | None = Field(
        None,
        max_length=50,
        pattern=rf"^{UUID_TEXT}:\d{{1,3}}$",
        description="Mark what an answer cites: `turn_id:number`.",
    )
    format: Literal["png", "json"] = "png"


class BoxView(BaseModel):
    """A rectangle on a page in points, from the top left of the page as it is shown."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


class PageView(BaseModel):
    """A page: its size, its text, and the boxes that are marked."""

    page: int
    pages: int
    width_pt: float
    height_pt: float
    text: str
    boxes: list[BoxView]
