"""Lines of text on a PDF page, with their place, size and weight, as pdfium finds them.

The raw interface is called once per line rather than per character: it is what keeps a page near
pdfium's own speed. Coordinates are PDF points in the reading frame: the page turned until most of
its text is upright, origin at the top left.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from ctypes import addressof, c_double, c_ushort, create_string_buffer
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as c

from pipelines.ingest.formats.pdf.frame import Frame, Rect
from schemas.errors import Bomb

MAX_PAGE_CHARS = 1_000_000
HYPHEN = "\ufffe"
"""How pdfium writes a hyphen that ends a line; the line break after it is not written."""

SPLIT_GAP_EM = 0.7
"""A wider gap than this inside a line may be the gutter between columns."""

COLUMN_GAP_EM = 1.2
"""A wider gap than this between neighbours in one column parts cells; justified text rarely reaches 1 em."""

_PIECE = re.compile(f"[^\r\n{HYPHEN}]+{HYPHEN}?")
_BOLD_NAME = re.compile(rb"bold|black|heavy|semibold|demi\b|-medi$|^(?:[A-Z]{6}\+)?(?:CMBX|SFBX|LMBX)", re.IGNORECASE)
_LEADERS = re.compile(r"(?:\s?[.…·]){4,}\s*")
_STROKED_TOO = 2
_HYPHEN_CODE = 2
_UNMAPPED, _ARROW = "\0", "↵"


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


class PageText:
    """The text of one page; holds the buffers that pdfium fills, since making them anew costs more than the call.

    Raises Bomb above a million characters.
    """

    def __init__(self, page: pdfium.PdfPage, textpage: pdfium.PdfTextPage) -> None:
        self.textpage = textpage  # pdfium frees the text when this goes.
        self.raw = textpage.raw
        self.frame = Frame.of(page)
        self.count = c.FPDFText_CountChars(self.raw)
        if self.count > MAX_PAGE_CHARS:
            raise Bomb(f"One page of the file holds more than {MAX_PAGE_CHARS} characters.")
        self.text = self._text()
        self.numbers = tuple(c_double() for _ in range(4))
        self.matrix = c.FS_MATRIX()
        self.fonts: dict[int, bool] = {}

    def lines(self) -> tuple[list[Line], Frame]:
        """Return the visible lines in content order, and the frame in which most of them are upright.

        Lines that are turned otherwise have another `quarter` than the frame; askew ones have -1.
        """
        lines = [line for piece in self._pieces() for line in self._lines(*piece)]
        turns = Counter[int]()
        for at, line in enumerate(lines):
            line.at = at
            turns[line.quarter] += len(line.text)
        most = max((q for q in turns if q >= 0), key=lambda q: turns[q], default=self.frame.page_quarter)
        return lines, self.frame.upright(most)

    def chars(self, quarter: int) -> Iterator[tuple[str, Rect | None]]:
        """Yield each character with its rectangle on the turned page; white space has none."""
        for i in range(self.count):
            char = self.text[i]
            yield char, None if char.isspace() else self._char_rect(i, quarter)

    def _pieces(self) -> Iterator[tuple[str, int, int]]:
        """Yield (text, first character, number of characters) of each line, as pdfium breaks lines."""
        for match in _PIECE.finditer(self.text):
            text = match.group()
            if text.isspace():
                continue
            yield text, match.start(), len(text)

    def _lines(self, text: str, start: int, length: int) -> list[Line]:
        """Return the visible line that a piece is, or the several lines where it spans columns."""
        size, bold, quarter, base = self._style(text, start, length)
        rects = self._rects(start, length, max(quarter, 0))
        if not rects:
            return []
        broken = _is_broken(rects, size) if len(rects) > 1 else _is_wide(text, rects[0], size)
        if broken and quarter >= 0:
            return self._split(text, start, size, bold, quarter)
        return self._line(text, rects, base, size, bold, quarter)

    def _line(self, text: str, rects: list[Rect], base: float, size: float, bold: bool, quarter: int) -> list[Line]:
        left, top, right, bottom = union(rects)
        if not self.frame.shows((left, top, right, bottom), max(quarter, 0)):
            return []
        if _UNMAPPED in text or _ARROW in text:
            text = _ligatures(text)
        if not top <= base <= bottom + size:
            base = bottom
        return [Line(text, left, top, right, bottom, base, size, bold, quarter)]

    def _split(self, text: str, start: int, size: float, bold: bool, quarter: int) -> list[Line]:
        """Return the lines inside a piece, broken at gaps and jumps between its characters."""
        found: list[Line] = []
        first, rects, last = 0, list[Rect](), None
        for i, char in enumerate(text):
            if char.isspace() or char == HYPHEN:
                continue
            rect = self._char_rect(start + i, quarter)
            if last and _is_broken([last, rect], size):
                found += self._line(text[first:i], rects, 0, size, bold, quarter)
                first, rects = i, []
            rects.append(rect)
            last = rect
        return found + (self._line(text[first:], rects, 0, size, bold, quarter) if rects else [])

    def _text(self) -> str:
        """Return one character for each that pdfium counts."""
        buffer = (c_ushort * (self.count + 1))()
        written = c.FPDFText_GetText(self.raw, 0, self.count, buffer)
        text = bytes(buffer)[: 2 * max(written - 1, 0)].decode("utf-16-le", "replace")
        if len(text) != self.count:
            # Characters without a code are counted but not written; one by one all of them come.
            codes = (c.FPDFText_GetUnicode(self.raw, i) for i in range(self.count))
            return "".join(HYPHEN if code == _HYPHEN_CODE else chr(code) for code in codes)
        # Written, both a hyphen that ends a line and a character without a code are this sign.
        for match in re.finditer(HYPHEN, text):
            if c.FPDFText_GetUnicode(self.raw, match.start()) != _HYPHEN_CODE:
                text = text[: match.start()] + _UNMAPPED + text[match.end() :]
        return text

    def _style(self, text: str, start: int, length: int) -> tuple[float, bool, int, float]:
        """Return size in points, boldness, quarter turns and baseline, taken a third of the way into the line.

        There, unlike at its ends, a footnote mark or a bullet is unlikely. Quarter -1 is askew.
        """
        at = length // 3
        while text[at] == " " and at < length - 1:
            at += 1
        m = self.matrix
        c.FPDFText_GetMatrix(self.raw, start + at, m)
        a, b, x, y = m.a, m.b, m.e, m.f
        size = c.FPDFText_GetFontSize(self.raw, start + at) * math.hypot(m.c, m.d)
        bold = self._is_bold(start + at)
        if b == 0 and a > 0:
            return size or 1.0, bold, 0, self.frame.height - (y - self.frame.bottom)
        quarter = _quarter(a, b)
        base = self.frame.turned((x, y, x, y), quarter)[1] if quarter >= 0 else 0.0
        return abs(size) or 1.0, bold, quarter, base

    def _is_bold(self, index: int) -> bool:
        piece = c.FPDFText_GetTextObject(self.raw, index)
        font = c.FPDFTextObj_GetFont(piece) if piece else None
        if not font:
            return False
        key = addressof(font.contents)
        bold = self.fonts.get(key)
        if bold is None:
            name = create_string_buffer(128)
            c.FPDFFont_GetBaseFontName(font, name, 128)
            bold = self.fonts[key] = bool(_BOLD_NAME.search(name.value)) or c.FPDFFont_GetWeight(font) >= 600
        # Where a face has no bold, word processors thicken its outline instead.
        return bold or c.FPDFTextObj_GetTextRenderMode(piece) == _STROKED_TOO

    def _rects(self, start: int, length: int, quarter: int) -> list[Rect]:
        """Return one rectangle for each run of a line that is one object in the file."""
        count = c.FPDFText_CountRects(self.raw, start, length)
        left, top, right, bottom = self.numbers
        turned, found = self.frame.turned, []
        for i in range(count):
            c.FPDFText_GetRect(self.raw, i, left, top, right, bottom)
            found.append(turned((left.value, top.value, right.value, bottom.value), quarter))
        return found

    def _char_rect(self, index: int, quarter: int) -> Rect:
        left, top, right, bottom = self.numbers
        c.FPDFText_GetCharBox(self.raw, index, left, right, bottom, top)
        return self.frame.turned((left.value, top.value, right.value, bottom.value), quarter)


def _quarter(a: float, b: float) -> int:
    """Return how many quarters, counter-clockwise, text with this matrix is turned; -1 if askew."""
    if abs(b) <= 0.1 * abs(a):
        return 0 if a >= 0 else 2
    if abs(a) <= 0.1 * abs(b):
        return 1 if b > 0 else 3
    return -1


def _is_broken(rects: list[Rect], size: float) -> bool:
    """Tell whether two neighbours among the parts of a line are too far apart to be one line."""
    for before, after in itertools.pairwise(rects):
        if after[0] - before[2] > SPLIT_GAP_EM * size or before[0] - after[0] > 2 * size:
            return True
        if after[1] > before[3] + 0.1 * size and after[0] < before[2]:
            return True
    return False


def _is_wide(text: str, rect: Rect, size: float) -> bool:
    """Tell whether a line is much wider than its letters, so that there are gaps inside it.

    Mean widths are 0.4 to 0.6 em, in Chinese, Japanese and Korean 1 em.
    """
    if "   " in text or "\t" in text:
        return True
    em = (rect[2] - rect[0]) / (len(text) * size)
    return em > 0.65 and (text.isascii() or em > 1.2)


def _ligatures(text: str) -> str:
    """Return `text` with the ligatures that a font's table of characters lost.

    Between letters a glyph without a character is nearly always the ffi of TeX's fonts, whose code is
    a control character; Quartz writes their ff as a return arrow.
    """
    text = re.sub(rf"(?<=[^\W\d]){_UNMAPPED}(?=[^\W\d])", "ffi", text).replace(_UNMAPPED, "")
    return re.sub(rf"(?<=[^\W\d]){_ARROW}|{_ARROW}(?=[^\W\d])", "ff", text)


def without_leaders(text: str) -> str:
    """Return `text` with an ellipsis for each row of dots that leads to a page number."""
    return _LEADERS.sub(" … ", text) if "..." in text or ". ." in text or "…" in text else text


def union(rects: Sequence[Rect]) -> Rect:
    """Return the smallest rectangle around `rects`."""
    if len(rects) == 1:
        return rects[0]
    lefts, tops, rights, bottoms = zip(*rects, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
