"""What travels between the ingest stages, and how it is written into an artefact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from pipelines.ingest.naming import name_in_words, tells, words_of
from pipelines.ports.passages import Box, Spot


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
    `row_from`, `row_to` are rows of a sheet, `start_s`, `end_s` seconds of a recording. `question` is what
    a training pair answers.
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
    question: str | None = None
    spots: tuple[Spot, ...] = ()

    def embedded(self, filename: str, title: str = "") -> str:
        """Return the text that is embedded: the context, or of a pair its question, so that a question finds it."""
        return self.context(filename, title) if self.question is None else self.question

    def context(self, filename: str, title: str = "") -> str:
        """Return the text that is embedded and indexed: where the chunk stands, then the chunk.

        That is the document's title, what its file's name says besides, and the headings above.
        """
        if self.question is not None:
            return f"{self.question}\n{self.text}"
        place = " > ".join(dict.fromkeys((*named(filename, title), *self.heading_path)))
        return f"{place}\n{self.text}"

    def place(self) -> dict[str, float]:
        """Return the rows of the sheet or the seconds of the recording it is from, where it is from one."""
        found = {"row_from": self.row_from, "row_to": self.row_to, "start_s": self.start_s, "end_s": self.end_s}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Chunks:
    """Some chunks of a document, and its title."""

    title: str
    chunks: list[Chunk]


def named(filename: str, title: str) -> list[str]:
    """Return what a document is called: its title, and the words of its file's name that are not in the title."""
    own = title if title != filename else ""
    known = {word.lower() for word in words_of(own)}
    words = name_in_words(filename)
    besides = any(tells(word) for word in words.split() if word.lower() not in known)
    return [part for part in (own, words if besides else "") if part]


def pack(extraction: Extraction) -> bytes:
    """Return an extraction as MessagePack; equal ones are equal bytes."""
    return _encoder.encode(extraction)


def unpack(data: bytes) -> Extraction:
    """Return the extraction that `pack` wrote."""
    return _extractions.decode(data)


def join(parts: Iterable[Extraction]) -> Extraction:
    """Return the parts of one document, given in order, as one extraction."""
    found = list(parts)
    elements = tuple(element for part in found for element in part.elements)
    return Extraction(elements, next((p.title for p in found if p.title), ""), found[0].pages if found else None)


def pack_chunks(chunks: Sequence[Chunk], title: str) -> bytes:
    """Return chunks, and the title of their document, as MessagePack."""
    return _encoder.encode(Chunks(title, list(chunks)))


def unpack_chunks(data: bytes) -> tuple[list[Chunk], str]:
    """Return the chunks and the title that `pack_chunks` wrote."""
    found = _chunks.decode(data)
    return found.chunks, found.title


_encoder = msgspec.msgpack.Encoder()
_extractions = msgspec.msgpack.Decoder(Extraction)
_chunks = msgspec.msgpack.Decoder(Chunks)
