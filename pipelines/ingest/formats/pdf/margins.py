"""Running headers, footers and page numbers: what stands in the margins of page after page."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from pipelines.ingest.formats.pdf.frame import Frame
from pipelines.ingest.formats.pdf.lines import Line

ZONE = 0.12
"""The share of a page's height, at its top and at its bottom, in which running lines are looked for."""

MIN_PAGES = 3
"""A line on fewer pages than this is a coincidence, unless the document has fewer pages."""

_NUMBER = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"[\s\-–—·|\[(]*(?:(?:page|seite|página|pagina|p\.?|стр\.?|第)\s*)?(?:\d{1,5}|[ivxlc]{1,7})"
    r"(?:\s*(?:/|of|von|de|di|из|–|-)\s*\d{1,5})?\s*(?:页|頁|ページ)?[\s\-–—·|\])]*",
    re.IGNORECASE,
)

Key = tuple[str, str]


def running_lines(pages: Iterable[tuple[Sequence[Line], Frame]], count: int) -> set[Key]:
    """Return the keys of lines that run through the margins of some pages of a document of `count` pages.

    Numbers in them are ignored, so that `Page 3` and `Page 4` are the same line.
    """
    seen: Counter[Key] = Counter()
    for lines, frame in pages:
        seen.update({key for line in lines if (key := _key(line, frame))})
    least = min(MIN_PAGES, max(count, 2))
    return {key for key, times in seen.items() if times >= least}


def without_running(lines: Sequence[Line], frame: Frame, running: set[Key], page: int) -> tuple[list[Line], list[str]]:
    """Return the lines of page number `page` without those that run, and the texts to keep of these.

    Only the document's first page keeps them, once, since a letterhead says what nothing else does;
    page numbers are never kept.
    """
    body: list[Line] = []
    kept: list[str] = []
    for line in lines:
        key = _key(line, frame)
        if key is None or not (key in running or _is_number_of(line.text, page)):
            body.append(line)
        elif page == 1 and not _PAGE_NUMBER.fullmatch(line.text):
            kept.append(line.text)
    return body, kept


def _key(line: Line, frame: Frame) -> Key | None:
    """Return zone and text without numbers of a line in a margin, None for any other."""
    height = frame.size[1]
    middle = (line.top + line.bottom) / 2
    if line.rows or line.quarter != frame.quarter or not (middle < ZONE * height or middle > (1 - ZONE) * height):
        return None
    text = " ".join(line.text.split()).lower()
    if _PAGE_NUMBER.fullmatch(text):
        text = "#"
    return ("top" if middle < height / 2 else "bottom"), _NUMBER.sub("#", text)


def _is_number_of(text: str, page: int) -> bool:
    """Tell whether a text in a margin is nothing but the number of its page."""
    return bool(_PAGE_NUMBER.fullmatch(text)) and str(page) in _NUMBER.findall(text)


def sample(count: int, most: int) -> list[int]:
    """Return at most `most` page indices spread evenly over a document of `count` pages."""
    step = max(1, math.ceil(count / most))
    return list(range(0, count, step))
