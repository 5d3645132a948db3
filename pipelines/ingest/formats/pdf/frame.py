"""Where things are on a page: the visible box, its rotation, and the frame in which its text is upright."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pypdfium2 as pdfium

from pipelines.ports.passages import Box

Rect = tuple[float, float, float, float]
"""(left, top, right, bottom); the y axis points down in frames and up in the PDF itself."""


@dataclass(frozen=True)
class Frame:
    """A page's visible box in PDF user space, and how often its text is turned counter-clockwise.

    Turning the page clockwise by `quarter` makes the text upright; a viewer turns it by `page_quarter`.
    """

    left: float
    bottom: float
    width: float
    height: float
    page_quarter: int
    quarter: int

    @classmethod
    def of(cls, page: pdfium.PdfPage) -> "Frame":
        """Return the frame of a page as a viewer shows it."""
        left, bottom, right, top = page.get_bbox()
        turns = page.get_rotation() // 90 % 4
        return cls(left, bottom, max(right - left, 1.0), max(top - bottom, 1.0), turns, turns)

    def upright(self, quarter: int) -> "Frame":
        """Return the frame in which text that is turned by `quarter` is upright."""
        return self if quarter == self.quarter else replace(self, quarter=quarter)

    @property
    def size(self) -> tuple[float, float]:
        """Return width and height of the turned page."""
        return (self.height, self.width) if self.quarter % 2 else (self.width, self.height)

    def turned(self, rect: Iterable[float], quarter: int) -> Rect:
        """Return a rectangle of user space (y up) in the page turned clockwise by `quarter`."""
        left, top, right, bottom = rect
        x0, x1, y0, y1 = left - self.left, right - self.left, bottom - self.bottom, top - self.bottom
        if quarter == 0:
            return x0, self.height - y1, x1, self.height - y0
        if quarter == 1:
            return y0, x0, y1, x1
        if quarter == 2:
            return self.width - x1, y0, self.width - x0, y1
        return self.height - y1, self.width - x1, self.height - y0, self.width - x0

    def shows(self, rect: Rect, quarter: int) -> bool:
        """Tell whether the middle of a rectangle, in the page turned by `quarter`, is visible."""
        x, y = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
        width, height = (self.height, self.width) if quarter % 2 else (self.width, self.height)
        return 0 <= x <= width and 0 <= y <= height  # False for what is not a number, too.

    def box(self, rect: Rect, page: int) -> Box:
        """Return a rectangle of this frame as a box on the page as a viewer shows it."""
        left, top, right, bottom = rect
        width, height = self.size
        for _ in range((self.page_quarter - self.quarter) % 4):
            left, top, right, bottom = height - bottom, left, height - top, right
            width, height = height, width
        return Box(page, round(left, 1), round(top, 1), round(right, 1), round(bottom, 1))
