"""Running headers, footers and page numbers: what stands in the margins of page after page."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pipelines.ingest.formats.pdf.frame import Frame
from pipelines.ingest.formats.pdf.lines import Line

ZONE = 0.12
"""The share of a page's height, at its top and at its bottom, in which running lines are looked for."""

MIN_PAGES = 3
"""A line on fewer pages than this is a coincidence, unless the document has fewer pages."""

_NUMBER = re.compile(r"\d+")
_MAX_DIGITS = 5
_PAGE_NUMBER = re.compile(
    r"[\s\-–—·|\[(]*(?:(?:page|seite|página|pagina|p\.?|стр\.?|第)\s*)?(?:\d{1,5}|[ivxlc]{1,7})"
    r"(?:\s*(?:/|of|von|de|di|из|–|-)\s*\d{1,5})?\s*(?:页|頁|ページ)?[\s\-–—·|\])]*",
    re.IGNORECASE,
)

_LARGE = 1.1
"""Type this much larger than running text is a heading: `Chapter 3` at the top of page 3 does not run."""

Key = tuple[str, str]


def running_lines(pages: Mapping[int, tuple[Sequence[Line], Frame]], count: int, body_size: float) -> set[Key]:
    """Return the keys of lines that run through the margins of some pages, given by their indices.

    Such a line is the same on several pages, apart from one number that goes with the pages.
    `count` is the number of pages of the whole document.
    """
    seen: Counter[Key] = Counter()
    for index, (lines, frame) in pages.items():
        seen.update({key for line in _in_margins(lines, frame) for key in _keys(line, frame, index + 1, body_size)})
    least = min(MIN_PAGES, max(count, 2))
    return {key for key, times in seen.items() if times >= least}


def without_running(
    lines: Sequence[Line], frame: Frame, running: set[Key], page: int, body_size: float
) -> tuple[list[Line], list[str]]:
    """Return the lines of page number `page` without those that run, and the texts to keep of these.

    Only the document's first page keeps them, once, since a letterhead says what nothing else does;
    page numbers are never kept.
    """
    gone: set[int] = set()
    kept: list[str] = []
    for line in _in_margins(lines, frame):
        if running.isdisjoint(_keys(line, frame, page, body_size)) and not _is_number_of(line.text, page):
            continue
        gone.add(id(line))
        if page == 1 and not _PAGE_NUMBER.fullmatch(line.text):
            kept.append(line.text)
    return [line for line in lines if id(line) not in gone] if gone else list(lines), kept


def _in_margins(lines: Sequence[Line], frame: Frame) -> list[Line]:
    """Return the upright lines that stand in the margins of a page."""
    height, quarter = frame.size[1], frame.quarter
    above, below = 2 * ZONE * height, 2 * (1 - ZONE) * height
    found = [line for line in lines if not above <= line.top + line.bottom <= below]
    return [line for line in found if line.quarter == quarter and not line.rows]


def _keys(line: Line, frame: Frame, page: int, body_size: float) -> list[Key]:
    """Return what a line in a margin may be known by on other pages.

    That is its zone and its text, and its text with one number in it given relative to the page's.
    """
    zone = "top" if line.top + line.bottom < frame.size[1] else "bottom"
    text = " ".join(line.text.split()).lower()
    if _PAGE_NUMBER.fullmatch(text):
        return [(zone, "#")]
    if line.size > _LARGE * body_size:
        return [(zone, text)]
    numbers = [match for match in _NUMBER.finditer(text) if len(match.group()) <= _MAX_DIGITS]
    relative = [f"{text[: m.start()]}#{int(m.group()) - page}{text[m.end() :]}" for m in numbers]
    return [(zone, known) for known in (text, *relative)]


def _is_number_of(text: str, page: int) -> bool:
    """Tell whether a text in a margin is nothing but the number of its page."""
    return bool(_PAGE_NUMBER.fullmatch(text)) and str(page) in _NUMBER.findall(text)


def sample(count: int, most: int) -> list[int]:
    """Return at most `most` page indices spread evenly over a document of `count` pages, its ends left out."""
    return sorted({(2 * i + 1) * count // (2 * most) for i in range(most)})
