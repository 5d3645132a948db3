"""Bodies of the search of a tenant's knowledge."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from schemas.requests.common import Body, Key

Listed = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]


class SearchQuery(Body):
    """What is searched for, how, and in which documents. Lists are given by repeating the parameter.

    All limits that are given must hold; of a list, one of its values.
    """

    query: str = Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*$", description="Words, or a whole question.")
    mode: Literal["fused", "vector", "bm25"] = Field("fused", description="By which score the passages are ranked.")
    limit: int = Field(10, ge=1, le=100, description="How many passages at most.")
    assistant_key: Key | None = Field(None, description="Only what this assistant knows.")
    doc_ids: list[UUID] = Field([], max_length=100, description="Only in these documents.")
    tags: list[Listed] = Field([], max_length=100, description="Only in documents with any of these `metadata.tags`.")
    file_types: list[Listed] = Field([], max_length=100, description="Only in documents of these types, such as `pdf`.")
    sources: list[Listed] = Field([], max_length=10, description="Only in these kinds of knowledge.")
    created_after: AwareDatetime | None = Field(None, description="Only in documents that are not older.")
    created_before: AwareDatetime | None = Field(None, description="Only in documents that are older.")


class Scores(BaseModel):
    """What each ranking says of a passage; null where the passage is not among its best hundred."""

    vector: float | None = Field(description="Calibrated similarity, 0…1: the same for every embedding model.")
    bm25: float | None = Field(description="Okapi BM25, with what neighbouring words add.")
    fused: float | None = Field(description="Both, scaled to 0…1.")


class FoundPassage(BaseModel):
    """A passage that was found, and where it stands."""

    source: str
    chunk_id: int
    doc_id: UUID
    filename: str
    text: str
    heading_path: list[str]
    page_from: int | None
    page_to: int | None
    chunk_type: str
    scores: Scores


class SearchResult(BaseModel):
    """What was found, best first."""

    query: str
    mode: str
    passages: list[FoundPassage]
