"""Passages of documents, and where they stand."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Box:
    """A rectangle on a page in PDF points, origin at the top left of the page."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Spot:
    """Where a paragraph of a text stands on a page: it begins at character `start` of the text."""

    start: int
    box: Box


@dataclass(frozen=True)
class Passage:
    """One retrieved piece of knowledge. `similarity` is calibrated to 0…1, equal over all models.

    `row_from`, `row_to` are rows of a sheet, from 1, `start_s`, `end_s` seconds of a recording; else None.
    `title` is the document's. `before` and `after` are the text next to the passage, under the same headings: they
    help to understand it and are never what is cited.
    `boxes` cover the whole text, `spots` say where each of its paragraphs stands.
    """

    source: str
    chunk_id: int
    doc_id: UUID
    filename: str
    text: str
    heading_path: tuple[str, ...] = ()
    page_from: int | None = None
    page_to: int | None = None
    boxes: tuple[Box, ...] = ()
    chunk_type: str = "general"
    similarity: float = 0.0
    bm25: float = 0.0
    score: float = 0.0
    row_from: int | None = None
    row_to: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    title: str = ""
    before: str = ""
    after: str = ""
    spots: tuple[Spot, ...] = ()


@dataclass(frozen=True)
class KnowledgeFilter:
    """Which of a tenant's knowledge is searched. What is None or empty limits nothing; what is given must all hold.

    A document holds where it is one of `doc_ids`, has any of `tags` (`documents.metadata->'tags'`), is of one of
    `file_types` and of one of `sources` (`documents.source`), and was created at or after `created_after` and
    before `created_before`.
    """

    doc_ids: tuple[UUID, ...] = ()
    tags: tuple[str, ...] = ()
    file_types: tuple[str, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    sources: tuple[str, ...] = ()
