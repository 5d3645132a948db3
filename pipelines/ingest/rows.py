"""Tables and code as what chunks are made of: lines, and the parts of a line that is too long for a chunk.

A part of a row begins with the row's first cell, so that it says whose row it is, and with the names
of the columns that it holds.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from pipelines.ingest.elements import Element, Kind
from pipelines.ingest.tokens import count
from pipelines.ingest.unit import Unit

MAX_HEADER_TOKENS = 120
"""Of a header that is repeated as it is. The names in a longer one are cut short: rows need the room."""

MAX_KEY_CHARS = 100
_KEY_TOKENS = 100
_PART_HEADER_TOKENS = 200
MAX_NAME_CHARS = 60
_SEPARATOR = " | "
_LEAST_NAME_CHARS = 6
_LINE_END = re.compile(r"\n")
_SENTENCE_END = re.compile(r"[.!?]\s+|[。！？]")
_SPACES = re.compile(r"\s+")


def lines(text: str, start: int, element: Element, limit: int) -> list[Unit]:
    """Return the lines of code, or the rows of a table, whose first is its header; `text` has it at `start`."""
    names = element.rows[0] if element.rows else ()
    header = _header(names)
    header_tokens = count(header) + 1 if header else 0
    found: list[Unit] = []
    at = start
    for number, line in enumerate(element.text.split("\n")):
        stop = at + len(line)
        if line.strip():
            room = limit - header_tokens - 1 if number else limit
            # No token has more than 128 characters, and few have more than eight.
            tokens = count(line) + 1 if len(line) <= 8 * limit else limit + 1
            unit = Unit(at, stop, tokens, sentence=False)
            if unit.tokens > room:
                row = element.rows[number] if number and number < len(element.rows) else ()
                found += _parts(text, unit, limit, header if number else "", names, row)
            else:
                found.append(replace(unit, header=header, header_tokens=header_tokens) if number else unit)
        at = stop + 1
    # The header never ends a chunk: it stays with the first row.
    if header and len(found) > 1 and found[0].tokens + found[1].tokens <= limit:
        found[:2] = [Unit(found[0].start, found[1].end, found[0].tokens + found[1].tokens, sentence=False)]
    return found


def cut(text: str, unit: Unit, limit: int) -> list[Unit]:
    """Return a unit in parts of at most `limit` tokens, cut between cells or words where there are any."""
    parts: list[Unit] = []
    at = unit.start
    while at < unit.end:
        end = min(unit.end, at + 4 * limit)
        while (tokens := count(text[at:end])) > limit - 1 and end > at + 1:
            end = at + max(1, (end - at) * (limit - 1) // tokens - 1)
        if end < unit.end:
            end = _seam(text, at, end)
        parts.append(replace(unit, start=at, end=end, tokens=count(text[at:end]) + 1))
        at = end
        while at < unit.end and (text[at].isspace() or text.startswith("| ", at)):
            at += 1
    return parts


class Places:
    """Where in a sheet the characters of a document's text stand; `starts` says where each element starts."""

    def __init__(self, elements: Sequence[Element], starts: Sequence[int]) -> None:
        self.elements = elements
        self.starts = starts
        self._ends: dict[int, list[int]] = {}

    def rows(self, first: int, last: int) -> list[int]:
        """Return the first and last sheet row of each element in characters [first, last); none outside of sheets.

        A header counts only where nothing else is there.
        """
        found: list[int] = []
        for at in range(bisect_right(self.starts, first) - 1, bisect_right(self.starts, last - 1)):
            element = self.elements[at]
            if element.first_row is None or element.kind is Kind.TITLE:
                continue
            if at not in self._ends:
                self._ends[at] = [match.start() for match in _LINE_END.finditer(element.text)]
            ends, start = self._ends[at], self.starts[at]
            top, bottom = bisect_left(ends, first - start), bisect_left(ends, last - start)
            top = 1 if element.rows and top == 0 and bottom > 0 else top
            found += (element.first_row + top, element.first_row + bottom)
        return found


def _header(names: Sequence[str]) -> str:
    """Return a header to repeat, its names cut to equal shares where it is long; nothing if little is left."""
    header = _SEPARATOR.join(names)
    if len(header) <= 8 * MAX_HEADER_TOKENS and count(header) <= MAX_HEADER_TOKENS:
        return header
    share = min(MAX_NAME_CHARS, 4 * MAX_HEADER_TOKENS // len(names))
    while share >= _LEAST_NAME_CHARS:
        short = _SEPARATOR.join(name[:share].rstrip() for name in names)
        if count(short) <= MAX_HEADER_TOKENS:
            return short
        share = 3 * share // 4
    return ""


def _parts(text: str, unit: Unit, limit: int, header: str, names: Sequence[str], row: Sequence[str]) -> Iterator[Unit]:
    """Yield a row that is too long in parts; each after the first says which row and which columns it is of."""
    key = text[unit.start : unit.end].partition(_SEPARATOR)[0][:MAX_KEY_CHARS].rstrip()
    begins = list(accumulate((len(cell) + len(_SEPARATOR) for cell in row[:-1]), initial=0))
    room = _PART_HEADER_TOKENS if row else _KEY_TOKENS
    for part in cut(text, unit, limit - room):
        before = header
        if part.start > unit.start:
            if row:
                first = bisect_right(begins, part.start - unit.start) - 1
                last = bisect_right(begins, part.end - 1 - unit.start)
                held = _SEPARATOR.join(name[:MAX_NAME_CHARS].rstrip() for name in names[first:last])
            else:
                held = _label(text, unit.start, part.start)
            line = _SEPARATOR.join(filter(None, (key, held))) + (":" if held else "")
            before = _fitted(f"{header}\n{line}" if header else line, room - 5)
        yield replace(part, header=before, header_tokens=count(before) + 1 if before else 0)


def _label(text: str, start: int, at: int) -> str:
    """Return the name of the column that a part begins in the middle of; nothing where it begins with a cell."""
    cell = text.rfind(_SEPARATOR, start, at)
    begin = cell + len(_SEPARATOR) if cell >= 0 else start
    name, colon, _ = text[begin : begin + MAX_NAME_CHARS + 20].partition(": ")
    return name if colon and begin < at else ""


def _fitted(text: str, tokens: int) -> str:
    """Return the beginning of a text that has at most so many tokens."""
    text = text[: 8 * tokens]
    while (found := count(text)) > tokens:
        text = text[: len(text) * tokens // found]
    return text


def _seam(text: str, at: int, end: int) -> int:
    """Return where to cut before `end`: between cells, else sentences, else words, in the part's second half."""
    middle = at + (end - at) // 2
    cell = text.rfind(_SEPARATOR, middle, end)
    if cell >= 0:
        return cell
    for seam in (_SENTENCE_END, _SPACES):
        if places := [match.end() for match in seam.finditer(text, middle, end)]:
            return places[-1]
    return end
