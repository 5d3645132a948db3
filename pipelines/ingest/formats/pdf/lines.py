"""A line of text on a PDF page: what stands where, how large and how heavy.

Coordinates are PDF points in the reading frame: the page turned until most of its text is upright,
origin at the top left.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.ingest.formats.pdf.frame import Rect

HYPHEN = "\ufffe"
"""How pdfium writes a hyphen that ends a line; the line break after it is not written."""

SPLIT_GAP_EM = 0.7
"""A wider gap than this inside a line may be the gutter between columns."""

COLUMN_GAP_EM = 1.2
"""A wider gap than this between neighbours in one column parts cells; justified text rarely reaches 1 em."""

_LEADERS = re.compile(r"(?:\s?[.…·]){4,}\s*")


@dataclass(slots=True)
class Line:
    """A run of text on one baseline, or a whole table with its `rows`.

    `base` is the y of the baseline, `quarter` how often the text is turned, `at` its rank in content order.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    size: float
    bold: bool = False
    quarter: int = 0
    at: int = 0
    rows: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def table(cls, rows: Sequence[Sequence[str]], rect: Rect, quarter: int, at: int = 0) -> "Line":
        """Return a table as a line, so that it takes its place in the reading order."""
        left, top, right, bottom = rect
        cells = tuple(tuple(row) for row in rows)
        return cls("", left, top, right, bottom, top, 1.0, quarter=quarter, at=at, rows=cells)

    @property
    def rect(self) -> Rect:
        return self.left, self.top, self.right, self.bottom


def without_leaders(text: str) -> str:
    """Return `text` with an ellipsis for each row of dots that leads to a page number."""
    return _LEADERS.sub(" … ", text) if "..." in text or ". ." in text or "…" in text else text


def union(rects: Sequence[Rect]) -> Rect:
    """Return the smallest rectangle around `rects`."""
    if len(rects) == 1:
        return rects[0]
    lefts, tops, rights, bottoms = zip(*rects, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
