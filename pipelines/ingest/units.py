"""What a chunk is made of: sentences, rows of a table, lines of code, none larger than a chunk."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from pipelines.ingest.elements import Element, Kind
from pipelines.ingest.rows import cut, lines
from pipelines.ingest.tokens import count
from pipelines.ingest.unit import Unit
from pipelines.text import sentences

SEAM = "\x1f"
"""Stands in the document's text where a sentence runs on from one element to the next."""

_FLOWING = (Kind.TEXT, Kind.LIST_ITEM)
_MIN_FLOW_CHARS = 20


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
            yield from _block(lines(text, starts[i], element, limit))
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
        block += [whole] if tokens <= limit else cut(text, whole, limit)
        last = stop
    yield from _block(block)


def _block(block: list[Unit]) -> Iterator[Unit]:
    """Yield the units of a paragraph, the first one knowing how large it is."""
    if block:
        # One token more for the blank line before it.
        tokens = sum(unit.tokens for unit in block) + 1
        yield replace(block[0], opens=True, tokens=block[0].tokens + 1, block_tokens=tokens)
        yield from block[1:]
