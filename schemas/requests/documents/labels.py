"""Bodies of what can be said of a document afterwards: its title and its tags."""

from pydantic import BaseModel, Field

from schemas.requests.common import Body
from schemas.requests.knowledge.training import Line, Tags


class DocumentChange(Body):
    """What is to be changed of a document; what is left out stays."""

    title: Line | None = Field(None, description="What it is called in answers.")
    tags: Tags | None = Field(None, description="All of its tags; assistants and searches are limited by them.")


class TagCount(BaseModel):
    """A tag, and how many documents have it."""

    tag: str
    documents: int


class TagList(BaseModel):
    """The tags of the organisation's documents, the most frequent first; the first 200."""

    tags: list[TagCount]
