"""Plain text: paragraphs out of lines, and the headings that can be told without markup."""

import re
from collections.abc import Iterator, Sequence

from pipelines.ingest.clean import clean, one_line
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.decoding import decode

MAX_HEADING_CHARS = 80
MIN_WRAP_CHARS, MAX_WRAP_CHARS = 50, 160
"""Shorter lines are records, longer ones are not wrapped: each is a paragraph."""

_ITEM = re.compile(r"\s*(?:[-*+•‣◦▪–]|\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_BULLET = re.compile(r"\s*[-*+•‣◦▪–]\s+")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+[^\W\d_].*")
_NAMED = re.compile(
    r"(?:chapter|section|part|article|appendix|annex|kapitel|chapitre)\s+[\dIVXLCA-Z]+\b.*", re.IGNORECASE
)
_UNDERLINE = re.compile(r"\s*(=|-|~|\*){3,}\s*$")
_ENDS = tuple(".!?:…。！？：,;，；")


def read(data: bytes) -> Extraction:
    """Return the paragraphs, list items and headings of a text file. Raises Damaged."""
    elements = tuple(text_elements(decode(data)))
    first = elements[0] if elements else None
    return Extraction(elements, first.text if first and first.kind is Kind.TITLE else "")


def text_elements(text: str) -> Iterator[Element]:
    """Yield the elements of plain text.

    A line goes on in the next one where the next one's first word would not have fitted.
    """
    lines = [line.rstrip() for line in clean(text).expandtabs(4).split("\n")]
    block: list[str] = []
    for i, line in enumerate(lines):
        if not line.strip() or _UNDERLINE.match(line):
            yield from _element(block, _underlined(lines, i, block), lines, i)
            block = []
            continue
        if block and (_ITEM.match(line) or _stops(lines, i)):
            yield from _element(block, None, lines, i)
            block = []
        block.append(line)
    yield from _element(block, None, lines, len(lines))


def _stops(lines: Sequence[str], i: int) -> bool:
    """Tell whether a paragraph ends before line `i`.

    It goes on in mid-sentence, and where the line's first word would not have fitted on the line
    before. The width is that of the lines around, if at least three are about equally long; four
    fifths of it, as text that was wrapped by width rather than by characters varies.
    """
    last, line = lines[i - 1], lines[i]
    if line.lstrip()[0].islower() and not last.endswith(_ENDS[:-4]):
        return len(last) < MIN_WRAP_CHARS and not line.startswith(" ")
    around = [len(line) for line in lines[max(0, i - 4) : i + 4]]
    width = max(around)
    if not MIN_WRAP_CHARS <= width <= MAX_WRAP_CHARS or sum(length >= 0.8 * width for length in around) < 3:
        return True
    return len(last) + 1 + len(line.split(maxsplit=1)[0]) <= 0.8 * width


def _underlined(lines: Sequence[str], i: int, block: Sequence[str]) -> int | None:
    """Return the level of the heading that line `i` underlines, None if it does not."""
    match = _UNDERLINE.match(lines[i]) if lines[i].strip() else None
    if not match or len(block) != 1 or len(block[0].strip()) > MAX_HEADING_CHARS:
        return None
    return 1 if match.group(1) == "=" else 2


def _element(block: Sequence[str], level: int | None, lines: Sequence[str], end: int) -> Iterator[Element]:
    if not block:
        return
    text = one_line(" ".join(block))
    before = end - len(block) - 1
    alone = (before < 0 or not lines[before].strip()) and (end >= len(lines) or not lines[end].strip())
    if level is None and len(block) == 1 and alone:
        level = _heading_level(text)
    if level is not None:
        yield Element(text, Kind.TITLE, level=level)
    elif _ITEM.match(block[0]):
        yield Element(_BULLET.sub("• ", text, count=1), Kind.LIST_ITEM)
    else:
        yield Element(text)


def _heading_level(text: str) -> int | None:
    """Return the level of a lone line that reads like a heading, None if it does not."""
    if len(text) > MAX_HEADING_CHARS or text.endswith(_ENDS):
        return None
    if match := _NUMBERED.fullmatch(text):
        return 2 + match.group(1).count(".")
    if _NAMED.fullmatch(text):
        return 1
    letters = [char for char in text if char.isalpha()]
    return 1 if len(letters) >= 4 and text.upper() == text and text.lower() != text else None
