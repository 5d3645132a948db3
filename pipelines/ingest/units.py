"""What a chunk is made of: sentences, rows of a table, lines of code, none larger than a chunk."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from pipelines.ingest.elements import Element, Kind
from pipelines.ingest.tokens import count
from pipelines.text import sentences

MAX_HEADER_TOKENS = 120
"""A longer table header is not repeated: it would leave little room for rows."""

SEAM = "\x1f"
"""Stands in the document's text where a sentence runs on from one element to the next."""

_FLOWING = (Kind.TEXT, Kind.LIST_ITEM)
_MIN_FLOW_CHARS = 20
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Unit:
    """Characters [start, end) of the document's text, which stay together.

    `opens` says that a paragraph, list item or table begins here; it has `block_tokens` in all.
    `header` is what must come before it where it begins a chunk.
    """

    start: int
    end: int
    tokens: int
    sentence: bool = True
    opens: bool = False
    block_tokens: int = 0
    header: str = ""
    header_tokens: int = 0


def document_text(elements: Sequence[Element]) -> tuple[str, list[int]]:
    """Return the texts of all elements joined by two characters each, and where each element starts.

    They are a blank line, or a seam where a sentence runs on: a page or a column ended there.
    """
    joints = [*(_joint(a, b) for a, b in pairwise(elements)), ""][: len(elements)]
    parts = [part for element, joint in zip(elements, joints, strict=True) for part in (element.text, joint)]
    starts = list(accumulate((len(element.text) + 2 for element in elements), initial=0))[: len(elements)]
    return "".join(parts), starts


def shown(text: str) -> str:
    """Return a part of the document's text as it is read: with its seams closed."""
    if SEAM not in text:
        return text
    return text.replace(f"-{SEAM}{SEAM}", "").replace(f" {SEAM}", " ")


def units(
    text: str, starts: Sequence[int], elements: Sequence[Element], first: int, last: int, limit: int
) -> Iterator[Unit]:
    """Yield the units of elements [first, last), each of at most `limit` tokens with its header."""
    i = first
    while i < last:
        element = elements[i]
        if element.kind is Kind.TABLE or element.kind is Kind.CODE:
            yield from _lines(text, starts[i], element, limit)
            i += 1
            continue
        end = i + 1
        while end < last and elements[end].kind not in (Kind.TABLE, Kind.CODE):
            end += 1
        yield from _sentences(text, starts[i:end], starts[end - 1] + len(elements[end - 1].text), limit)
        i = end


def _joint(a: Element, b: Element) -> str:
    if a.kind not in _FLOWING or b.kind is not Kind.TEXT or len(a.text) < _MIN_FLOW_CHARS:
        return "\n\n"
    if not b.text[:1].islower() or not (a.text[-1].isalnum() or a.text[-1] in ",-–"):
        return "\n\n"
    return SEAM + SEAM if a.text.endswith("-") else f" {SEAM}"


def _sentences(text: str, starts: Sequence[int], end: int, limit: int) -> Iterator[Unit]:
    """Yield the sentences from the first of `starts`, where paragraphs start, to `end`."""
    begin = starts[0]
    openings = {start for start in starts if text[max(0, start - 1) : start] != SEAM}
    block: list[Unit] = []
    last = begin
    for first, past in sentences(text[begin:end]):
        start, stop = begin + first, begin + past
        if start in openings and block:
            yield from _block(block)
            block = []
        # The space before a sentence counts with it: together with the first word it is one token.
        tokens = count(text[last if block else start : stop])
        whole = Unit(start, stop, tokens)
        block += [whole] if tokens <= limit else _cut(text, whole, limit)
        last = stop
    yield from _block(block)


def _block(block: list[Unit]) -> Iterator[Unit]:
    """Yield the units of a paragraph, the first one knowing how large it is."""
    if block:
        # One token more for the blank line before it.
        tokens = sum(unit.tokens for unit in block) + 1
        yield replace(block[0], opens=True, tokens=block[0].tokens + 1, block_tokens=tokens)
        yield from block[1:]


def _lines(text: str, start: int, element: Element, limit: int) -> Iterator[Unit]:
    """Yield the lines of code, or the rows of a table, whose first is its header."""
    header = (element.rows and " | ".join(element.rows[0])) or ""
    header_tokens = count(header) + 1 if header else 0
    if header_tokens > MAX_HEADER_TOKENS:
        header, header_tokens = "", 0
    found: list[Unit] = []
    at = start
    for number, line in enumerate(element.text.split("\n")):
        stop = at + len(line)
        unit = Unit(at, stop, count(line) + 1, sentence=False)
        if number:
            unit = replace(unit, header=header, header_tokens=header_tokens)
        if line.strip():
            room = limit - header_tokens - 1
            found += [unit] if unit.tokens <= room else _cut(text, unit, room)
        at = stop + 1
    # The header never ends a chunk: it stays with the first row.
    if header and len(found) > 1 and found[0].tokens + found[1].tokens <= limit:
        joined = Unit(found[0].start, found[1].end, found[0].tokens + found[1].tokens, sentence=False)
        found[:2] = [joined]
    yield from _block(found)


def _cut(text: str, unit: Unit, limit: int) -> list[Unit]:
    """Return a unit in parts of at most `limit` tokens, cut between words where there are any."""
    parts: list[Unit] = []
    at = unit.start
    while at < unit.end:
        end = min(unit.end, at + 4 * limit)
        while (tokens := count(text[at:end])) > limit - 1 and end > at + 1:
            end = at + max(1, (end - at) * (limit - 1) // tokens - 1)
        if end < unit.end:
            spaces = [match.start() for match in _SPACES.finditer(text, at + (end - at) // 2, end)]
            end = spaces[-1] if spaces else end
        parts.append(replace(unit, start=at, end=end, tokens=count(text[at:end]) + 1))
        at = end
        while at < unit.end and text[at].isspace():
            at += 1
    return parts
