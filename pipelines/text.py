"""Where sentences begin and end, for both the chunker and the answers."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Protocol

CJK_END = re.compile(r"[。！？｡]+[」』）”’\"')\]]*")
LIST_NUMBER = re.compile(r"\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]")
MARKERS = re.compile(r"(?:\[\d{1,3}\][ \t]*)+")
ROW = re.compile(r"\S[ \t]*\|[ \t]*\S")


class _Spans(Protocol):
    def __call__(self, text: str, *, line_breaks: bool) -> list[tuple[int, int]]: ...


def sentences(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence in order, without surrounding whitespace, none empty.

    A blank line, a list item, a heading on its own line and a table row end a sentence; so do
    。！？. A list number stays with its item and a citation marker such as ` [1]` with the sentence
    before it. Every character that is not whitespace is in exactly one span. Reads about 8 MB/s;
    the first call loads nupunkt's model (30 ms).
    """
    found: list[tuple[int, int]] = []
    for start, end in _split(text, _nupunkt()(text, line_breaks=True)):
        if found and _belongs_together(text, found[-1], (start, end)):
            found[-1] = (found[-1][0], end)
            continue
        # "…closed. [1] The next": the marker stands after the full stop of what it supports.
        marker = MARKERS.match(text, start, end) if found else None
        if marker and "\n" not in text[found[-1][1] : start]:
            found[-1] = (found[-1][0], start + len(marker[0].rstrip()))
            start = marker.end()
        if start < end:
            found.append((start, end))
    return found


@cache
def _nupunkt() -> _Spans:
    # Imported at first use: processes that only pass this module on stay 40 ms and 25 MB smaller.
    from nupunkt import sentence_spans

    return sentence_spans


def _split(text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in spans:
        for line_start, line_end in _rows(text, start, end):
            at = line_start
            for stop in CJK_END.finditer(text, line_start, line_end):
                yield at, stop.end()
                at = _skip_space(text, stop.end(), line_end)
            if at < line_end:
                yield at, line_end


def _rows(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if "\n" not in text[start:end] or not ROW.search(text, start, end):
        yield start, end
        return
    for line in re.compile(r"\S(?:[^\n]*\S)?").finditer(text, start, end):
        yield line.span()


def _skip_space(text: str, at: int, end: int) -> int:
    while at < end and text[at].isspace():
        at += 1
    return at


def _belongs_together(text: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    if "\n" in text[before[1] : after[0]]:
        return False
    if LIST_NUMBER.fullmatch(text, *before):
        return True
    # An abbreviation the model does not know ("z.B. schön"): no sentence starts with a small letter.
    return text[before[1] - 1] == "." and text[after[0]].islower()
