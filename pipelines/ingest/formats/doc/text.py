"""The text of a DOC: kept in pieces all over the file, and what each paragraph of it is.

After [MS-DOC], sections 2.4.1 (text), 2.4.6.1 (paragraph properties) and 2.8.25 (fields).
"""

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.ingest.formats.ole import number, numbers
from schemas.errors.files import Damaged

MAX_PIECES = 1_000_000
PAGE_BYTES = 512
_LENGTHS = 76
"""Where the FIB says how many characters the text has, and the parts after it: notes, headers, text boxes."""

_PARTS = 8
_PARAGRAPHS, _PIECES = 0x102, 0x1A2
_COMPRESSED = 0x40000000
_HEADINGS = 9
_ENDS = re.compile("[\r\x07\x0c]")
_SIGNS = {0x0B: "\n", 0x1E: "-", 0x1F: None, 0x01: None, 0x02: None, 0x03: None, 0x04: None, 0x05: None, 0x08: None}

IN_TABLE, ENDS_ROW, ENDS_INNER_ROW, LEVEL, LIST = 0x2416, 0x2417, 0x244C, 0x2640, 0x460B
_SIZES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, a cell or the end of a row, without what its fields do."""

    text: str
    level: int | None = None
    listed: bool = False
    in_table: bool = False
    ends_cell: bool = False
    ends_row: bool = False


class Field:
    """Shows of fields what they came to; what they would run stays unread. Fields go on from text to text."""

    def __init__(self) -> None:
        self.open: list[bool] = []

    def shown(self, text: str) -> str:
        """Return the next part of the text as it is shown."""
        if not self.open and "\x13" not in text:
            return text
        kept: list[str] = []
        for char in text:
            if char == "\x13":
                self.open.append(False)
            elif char == "\x14" and self.open:
                self.open[-1] = True
            elif char == "\x15":
                del self.open[-1:]
            elif all(self.open):
                kept.append(char)
        return "".join(kept)


def paragraphs(main: bytes, tables: bytes) -> Iterator[Paragraph]:
    """Yield the paragraphs of the text, then those of notes, headers and text boxes. Raises Damaged."""
    runs = _Runs(main, tables)
    field = Field()
    parts: list[str] = []
    # Of no honest file has the text more characters than the file has bytes.
    left = min(sum(number(main, _LENGTHS + 4 * i) for i in range(_PARTS)), len(main))
    for begin, width, piece in _pieces(main, tables):
        text = piece[: max(0, left)]
        left -= len(text)
        at = 0
        for match in _ENDS.finditer(text):
            parts.append(field.shown(text[at : match.start()]))
            at = match.end()
            properties = runs.of(begin + match.start() * width)
            yield _paragraph(_whole(parts), match.group(), properties)
            parts = []
        parts.append(field.shown(text[at:]))
    yield Paragraph(_whole(parts))


def _whole(parts: list[str]) -> str:
    """Return the text in parts, the halves of characters put together."""
    return "".join(parts).translate(_SIGNS).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _paragraph(text: str, end: str, properties: dict[int, int]) -> Paragraph:
    style, outline = properties.get(0, 0), properties.get(LEVEL, _HEADINGS)
    level = style if 1 <= style <= _HEADINGS else outline + 1 if outline < _HEADINGS else None
    ends_row = bool(properties.get(ENDS_ROW))
    in_table = bool(properties.get(IN_TABLE)) or end == "\x07"
    return Paragraph(text, level, bool(properties.get(LIST)), in_table, end == "\x07" and not ends_row, ends_row)


def _pieces(main: bytes, tables: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield (place, bytes a character, text) of the pieces in the order of the text."""
    at, size = numbers(main, _PIECES, 2)
    end = at + size
    while at < end and number(tables, at, 1) == 1:
        at += 3 + number(tables, at + 1, 2)
    if number(tables, at, 1) != 2:
        raise Damaged()
    count = (number(tables, at + 1) - 4) // 12
    if count > MAX_PIECES:
        raise Damaged()
    bounds = numbers(tables, at + 5, count + 1)
    first = at + 5 + 4 * (count + 1)
    for i in range(count):
        place = number(tables, first + 8 * i + 2)
        length = bounds[i + 1] - bounds[i]
        if length < 0:
            raise Damaged()
        if place & _COMPRESSED:
            begin = (place & ~_COMPRESSED) // 2
            yield begin, 1, main[begin : begin + length].decode("cp1252", "replace")
        else:
            # In halves, where a character takes four bytes: so its place still tells where it stands.
            units = len(main[place : place + 2 * length]) // 2
            yield place, 2, "".join(map(chr, struct.unpack_from(f"<{units}H", main, place) if units else ()))


class _Runs:
    """The properties of paragraphs by their place in the file."""

    def __init__(self, main: bytes, tables: bytes) -> None:
        self.main = main
        at, size = numbers(main, _PARAGRAPHS, 2)
        count = max(0, (size - 4) // 8)
        self.starts = numbers(tables, at, count + 1) if count else ()
        self.pages = numbers(tables, at + 4 * (count + 1), count) if count else ()
        self.read: dict[int, tuple[tuple[int, ...], list[dict[int, int]]]] = {}

    def of(self, place: int) -> dict[int, int]:
        """Return the properties of the paragraph that ends at a place; under 0 the number of its style."""
        at = bisect_right(self.starts, place) - 1
        if not 0 <= at < len(self.pages):
            return {}
        page = self.pages[at] & 0x3FFFFF
        if page not in self.read:
            self.read[page] = self._page(page * PAGE_BYTES)
        starts, runs = self.read[page]
        run = bisect_right(starts, place) - 1
        return runs[run] if 0 <= run < len(runs) else {}

    def _page(self, begin: int) -> tuple[tuple[int, ...], list[dict[int, int]]]:
        page = self.main[begin : begin + PAGE_BYTES]
        count = number(page, PAGE_BYTES - 1, 1)
        starts = numbers(page, 0, count + 1)
        runs = []
        for i in range(count):
            at = 2 * number(page, 4 * (count + 1) + 13 * i, 1)
            size = number(page, at, 1)
            first, length = (at + 1, 2 * size - 1) if size else (at + 2, 2 * number(page, at + 1, 1))
            runs.append(_properties(page[first : first + length]) if at else {})
        return starts, runs


def _properties(data: bytes) -> dict[int, int]:
    """Return the number of the style under 0, and the properties that are not longer than four bytes by code."""
    found = {0: int.from_bytes(data[:2], "little")}
    at = 2
    while at + 2 < len(data):
        code = number(data, at, 2)
        size = _SIZES.get(code >> 13)
        if size is None:
            size = 1 + (number(data, at + 2, 2) if code == 0xD608 else data[at + 2])
        found[code] = int.from_bytes(data[at + 2 : at + 2 + min(size, 4)], "little")
        at += 2 + size
    return found
