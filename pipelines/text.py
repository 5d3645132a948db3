"""Where sentences begin and end, for both the chunker and the answers."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]

CJK_END = re.compile(r"[。！？｡]+[」』）”’\"')\]]*")
LIST_ITEM = re.compile(r"(?:[-*+•‣▪·◦–—]|\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)])(?=\s)")
LIST_NUMBER = re.compile(r"\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]")
MARKERS = re.compile(r"(?:\[\d{1,3}\][ \t]{0,8})+")
LABEL = re.compile(r"[A-Z][\w -]{1,30}:(?=\s)")
FULL_STOP = re.compile(r"(?<=[A-Za-z][a-z]{3})[.!?][\"”’)\]]*(?=\s{1,3}[\"“‘(]?[A-Z])")
LAST_WORD = re.compile(r"[A-Za-z]+$")
LONG_ABBREVIATIONS = frozenset(
    (
        "abbr anon approx asst assn bldg blvd bspw calif capt cent chap chem coll comm conf conn corp cres dept econ "
        "elec engr evtl excl exkl fig figs geol govt hist hosp ibid illus incl inkl inst intl lieut math mech messrs "
        "mgmt minn misc natl orig penn phys pres proc prof publ sect sept suppl tech temp tenn thurs trans transl tues "
        "univ vols zzgl"
    ).split()
)
LABEL_WORDS = 8
"""A line of at most this many words without an end is a heading or a label, not wrapped prose."""


def sentences(text: str) -> list[Span]:
    """Return (start, end) of each sentence in order, without surrounding whitespace, none empty.

    A blank line, a list item, a heading on its own line and a table row end a sentence; so do
    。！？. A list number stays with its item and a citation marker such as ` [1]` with the sentence
    before it. Every character that is not whitespace is in exactly one span. Reads about 5 MB/s;
    the first call loads nupunkt's model (50 ms).
    """
    found: list[Span] = []
    for block in _blocks(text):
        first = len(found)
        for start, end in _split(text, block):
            before = found[-1] if len(found) > first else None
            if before and _belongs_together(text, before, (start, end)):
                found[-1] = (before[0], end)
                continue
            # "…closed. [1] The next": the marker stands after the full stop of what it supports.
            marker = MARKERS.match(text, start, end) if before else None
            if before and marker:
                found[-1] = (before[0], start + len(marker[0].rstrip()))
            rest = marker.end() if marker else start
            if rest < end:
                found.append((rest, end))
    return found


@cache
def _punkt() -> Callable[[str], list[Span]]:
    # Imported at first use: a process that only passes by stays 50 ms and 25 MB smaller.
    from nupunkt import sent_spans

    return sent_spans


def _blocks(text: str) -> Iterator[Span]:
    """Yield the stretches no sentence leaves: paragraphs, list items, headings, table rows.

    nupunkt has such rules too; they take quadratic time on a document of empty lines.
    """
    block: Span | None = None
    last = ""
    for start, end in _lines(text):
        line = text[start:end]
        if block and (not line or _parts(last, line)):
            yield block
            block = None
        if line:
            block = (block[0] if block else start, end)
        last = line
    if block:
        yield block


def _lines(text: str) -> Iterator[Span]:
    at = 0
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        start = at + (len(line) - len(line.lstrip()) if stripped else 0)
        yield start, start + len(stripped)
        at += len(line)


def _parts(above: str, line: str) -> bool:
    """Return whether a new block begins at `line`, which stands right under the line `above`."""
    if LIST_ITEM.match(line) or LABEL.match(line) or " | " in line or " | " in above:
        return True
    is_label = above[-1] not in ".!?:;,-\"')]}…”’»" and above.count(" ") < LABEL_WORDS
    return (is_label or above[-1] == ":") and not line[0].islower()


def _split(text: str, block: Span) -> Iterator[Span]:
    for start, end in _punkt()(text[slice(*block)]):
        at, last = _trimmed(text, block[0] + start, block[0] + end)
        for stop in _missed(text, at, last):
            yield at, stop
            at, _ = _trimmed(text, stop, last)
        if at < last:
            yield at, last


def _missed(text: str, start: int, end: int) -> Iterator[int]:
    """Yield where sentences end within what nupunkt takes for one.

    It does not know 。！？, and among its abbreviations, learnt from law reports, are words such as
    "park", "month" and "york".
    """
    ends = [stop.end() for stop in CJK_END.finditer(text, start, end)]
    for stop in FULL_STOP.finditer(text, start, end):
        word = LAST_WORD.search(text[max(start, stop.start() - 12) : stop.start()])
        if not word or word[0].lower() not in LONG_ABBREVIATIONS:
            ends.append(stop.end())
    yield from sorted(ends)


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _belongs_together(text: str, before: Span, after: Span) -> bool:
    if LIST_NUMBER.fullmatch(text, *before):
        return True
    # An abbreviation the model does not know ("z.B. schön"): no sentence starts with a small letter.
    return text[before[1] - 1] == "." and text[after[0]].islower()
