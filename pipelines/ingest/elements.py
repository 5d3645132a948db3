"""What travels between the ingest stages, and how it is written into an artefact."""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from pipelines.ports import Box


class Kind(StrEnum):
    """What an element is in its document."""

    TITLE = "title"
    TEXT = "text"
    LIST_ITEM = "list_item"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True)
class Element:
    """A piece of a document in reading order.

    `page` counts from 1 and is None where a format has no pages. `level` is a title's depth from 1.
    A table carries its `rows`, the first one its header, and `text` with cells joined by ` | `;
    `first_row` is the number that its first row has in a sheet, counted from 1. Speech carries the
    seconds of the recording at which it begins and ends.
    """

    text: str
    kind: Kind = Kind.TEXT
    page: int | None = None
    box: Box | None = None
    level: int | None = None
    rows: tuple[tuple[str, ...], ...] = ()
    first_row: int | None = None
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True)
class Extraction:
    """All elements of a document or of a range of its pages, in reading order."""

    elements: tuple[Element, ...]
    title: str = ""
    pages: int | None = None


@dataclass(frozen=True)
class Chunk:
    """A findable piece of at most 500 tokens (cl100k).

    `start_char`, `end_char` count in the document's text: all elements' texts joined by a blank line.
    `row_from`, `row_to` are rows of a sheet, `start_s`, `end_s` seconds of a recording.
    """

    index: int
    text: str
    chunk_type: str
    token_count: int
    start_char: int
    end_char: int
    heading_path: tuple[str, ...] = ()
    page_from: int | None = None
    page_to: int | None = None
    boxes: tuple[Box, ...] = ()
    row_from: int | None = None
    row_to: int | None = None
    start_s: float | None = None
    end_s: float | None = None

    def context(self, filename: str, title: str = "") -> str:
        """Return the text that is embedded and indexed: where the chunk stands, then the chunk."""
        place = " > ".join(dict.fromkeys(part for part in (title or filename, *self.heading_path) if part))
        return f"{place}\n{self.text}"


def pack(extraction: Extraction) -> bytes:
    """Return an extraction as gzipped JSON."""
    return _gzip(asdict(extraction))


def unpack(data: bytes) -> Extraction:
    """Return the extraction that `pack` wrote."""
    found = json.loads(gzip.decompress(data))
    return Extraction(tuple(_element(e) for e in found["elements"]), found["title"], found["pages"])


def join(parts: Iterable[Extraction]) -> Extraction:
    """Return the parts of one document, given in order, as one extraction."""
    found = list(parts)
    elements = tuple(element for part in found for element in part.elements)
    return Extraction(elements, next((p.title for p in found if p.title), ""), found[0].pages if found else None)


def pack_chunks(chunks: Sequence[Chunk], title: str) -> bytes:
    """Return chunks, and the title of their document, as gzipped JSON."""
    return _gzip({"title": title, "chunks": [asdict(chunk) for chunk in chunks]})


def unpack_chunks(data: bytes) -> tuple[list[Chunk], str]:
    """Return the chunks and the title that `pack_chunks` wrote."""
    found = json.loads(gzip.decompress(data))
    return [_chunk(c) for c in found["chunks"]], found["title"]


def _gzip(value: dict[str, Any]) -> bytes:
    # mtime 0 makes equal content equal bytes, so that artefacts can be named by their hash.
    return gzip.compress(json.dumps(value, ensure_ascii=False).encode(), compresslevel=3, mtime=0)


def _element(found: dict[str, Any]) -> Element:
    box = Box(**found.pop("box")) if found["box"] else None
    rows = tuple(tuple(row) for row in found.pop("rows"))
    return Element(**{**found, "kind": Kind(found["kind"]), "box": box, "rows": rows})


def _chunk(found: dict[str, Any]) -> Chunk:
    boxes = tuple(Box(**box) for box in found.pop("boxes"))
    headings = tuple(found.pop("heading_path"))
    return Chunk(**found, heading_path=headings, boxes=boxes)
