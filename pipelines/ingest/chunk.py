"""Elements into chunks: findable pieces of at most 500 tokens that say where they stand.

A chunk keeps to one section, holds whole sentences (50 tokens of them repeated from the chunk
before), and breaks between paragraphs where it can. Tables break between rows, and each part begins
with the header. A heading is in its chunks' `heading_path`, not in their text, unless nothing stands
under it.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.ingest.chunk_types import chunk_type
from pipelines.ingest.elements import Chunk, Element, Extraction, Kind
from pipelines.ingest.places import merged
from pipelines.ingest.rows import Places
from pipelines.ingest.tokens import count
from pipelines.ingest.unit import Unit
from pipelines.ingest.units import document_text, shown, units
from pipelines.ports.passages import Spot

MAX_TOKENS = 500
OVERLAP_TOKENS = 50
"""Keeps a sentence at the boundary findable from both sides."""

ENOUGH = 0.6
"""A chunk that is filled so far ends with its paragraph, if the next one would not fit as a whole."""


@dataclass(frozen=True)
class Section:
    """Elements [first, last) that stand under the same headings."""

    path: tuple[str, ...]
    first: int
    last: int


def chunk(extraction: Extraction, *, max_tokens: int = MAX_TOKENS, overlap: int = OVERLAP_TOKENS) -> list[Chunk]:
    """Return the chunks of a document in reading order, numbered from 0; the same input gives the same chunks.

    None has more than `max_tokens`, which are 256 at least; each repeats up to `overlap` tokens of the one before.
    Nothing is lost: every element's text is in a chunk or, for a heading, in the path of one.
    """
    elements = extraction.elements
    text, starts = document_text(elements)
    found: list[Chunk] = []
    places = Places(elements, starts)
    for section in _sections(elements):
        for first, last, body, tokens in _pieces(text, starts, elements, section, max_tokens, overlap):
            inside = elements[bisect_right(starts, first) - 1 : bisect_right(starts, last - 1)]
            pages = [element.page for element in inside if element.page is not None]
            rows = places.rows(first, last)
            found.append(
                Chunk(
                    index=len(found),
                    text=body,
                    chunk_type=chunk_type(body, [element.kind for element in inside], section.path),
                    token_count=tokens,
                    start_char=first,
                    end_char=last,
                    heading_path=section.path,
                    page_from=min(pages, default=None),
                    page_to=max(pages, default=None),
                    boxes=merged([element.box for element in inside if element.box]),
                    spots=_spots(text, starts, elements, (first, last), body),
                    row_from=min(rows, default=None),
                    row_to=max(rows, default=None),
                    start_s=min((e.start_s for e in inside if e.start_s is not None), default=None),
                    end_s=max((e.end_s for e in inside if e.end_s is not None), default=None),
                )
            )
    return found


def _spots(
    text: str, starts: Sequence[int], elements: Sequence[Element], span: tuple[int, int], body: str
) -> tuple[Spot, ...]:
    """Return where in `body`, the text of `span`, each element begins that has a place; a header before it counts."""
    first, last = span
    header = len(body) - len(shown(text[first:last]))
    found = []
    for i in range(bisect_right(starts, first) - 1, bisect_right(starts, last - 1)):
        if (box := elements[i].box) is not None:
            found.append(Spot(header + len(shown(text[first : max(starts[i], first)])), box))
    return tuple(found)


def _sections(elements: Sequence[Element]) -> Iterator[Section]:
    """Yield the sections in order. Headings with nothing under them are the first text of the next section."""
    open_headings: list[tuple[int, str, int]] = []  # level, text, index
    path: tuple[str, ...] = ()
    first = told = 0
    carried: int | None = None
    filled = False
    for i, element in enumerate(elements):
        if element.kind is not Kind.TITLE:
            filled = True
            continue
        if filled:
            yield Section(path, first, i)
            carried, filled, told = None, False, i
        level = element.level or 1
        while open_headings and open_headings[-1][0] >= level:
            *_, index = open_headings.pop()
            # No section has stood under it, whose path would hold it.
            if index >= told:
                carried = index if carried is None else min(carried, index)
        open_headings.append((level, element.text, i))
        path = tuple(text for _, text, _ in open_headings)
        first = i + 1 if carried is None else carried
    if filled:
        yield Section(path, first, len(elements))
    elif elements:
        bare = [index for *_, index in open_headings if index >= told]
        above = tuple(text for _, text, index in open_headings if index < told)
        yield Section(above, min(bare if carried is None else [carried, *bare]), len(elements))


def _pieces(
    text: str, starts: Sequence[int], elements: Sequence[Element], section: Section, limit: int, overlap: int
) -> Iterator[tuple[int, int, str, int]]:
    """Yield (start, end, text, tokens) of each chunk of a section."""
    first = starts[section.first]
    last = starts[section.last - 1] + len(elements[section.last - 1].text)
    body = shown(text[first:last])
    # Four characters to the token is usual, and no token has more than 128.
    if len(body) <= limit * 8 and (tokens := count(body)) <= limit:
        if body.strip():
            yield first, last, body, tokens
        return
    found = list(units(text, starts, elements, section.first, section.last, limit))
    at = begin = 0
    while at < len(found):
        end = _end(found, begin, at, limit)
        body = _body(text, found[begin:end])
        while (tokens := count(body)) > limit:
            # Joined, units may count a token more than apart: first the overlap goes, then the last unit.
            begin, end = (at, end) if begin < at else (begin, end - 1)
            body = _body(text, found[begin:end])
        yield found[begin].start, found[end - 1].end, body, tokens
        at, begin = end, _overlap(found, begin, end, overlap)


def _end(found: Sequence[Unit], begin: int, at: int, limit: int) -> int:
    """Return the end of the chunk that begins, overlap included, at `begin` and has its first new unit at `at`."""
    total = sum(unit.tokens for unit in found[begin : at + 1]) + found[begin].header_tokens
    end = at + 1
    while end < len(found) and total + found[end].tokens <= limit:
        if total >= limit * ENOUGH and found[end].opens and total + found[end].block_tokens > limit:
            break
        total += found[end].tokens
        end += 1
    return end


def _overlap(found: Sequence[Unit], begin: int, end: int, most: int) -> int:
    """Return where the next chunk begins so that it repeats the last sentences of this one."""
    tokens = 0
    start = end
    while start - 1 > begin and end < len(found) and found[end].sentence and found[start - 1].sentence:
        tokens += found[start - 1].tokens
        if tokens > most:
            break
        start -= 1
    return start


def _body(text: str, found: Sequence[Unit]) -> str:
    body = shown(text[found[0].start : found[-1].end])
    return f"{found[0].header}\n{body}" if found[0].header else body
