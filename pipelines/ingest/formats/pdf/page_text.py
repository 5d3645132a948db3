"""The text of a page as pdfium finds it, in lines.

pdfium is called a few times for a line, not for a character: it is what keeps a page near its own speed.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from ctypes import create_string_buffer

import pypdfium2 as pdfium
import pypdfium2.raw as c

from pipelines.ingest.formats.pdf.frame import Frame, Rect
from pipelines.ingest.formats.pdf.lines import HYPHEN, SPLIT_GAP_EM, Line, union
from pipelines.ingest.formats.pdf.raw import (
    Memory,
    count_rects,
    get_base_font_name,
    get_char_box,
    get_font,
    get_font_size,
    get_font_weight,
    get_matrix,
    get_rect,
    get_render_mode,
    get_text,
    get_text_object,
    get_unicode,
    pointer,
)
from schemas.errors.files import Bomb

MAX_PAGE_CHARS = 1_000_000

_PIECE = re.compile(f"[^\r\n{HYPHEN}]+{HYPHEN}?")
_BOLD_NAME = re.compile(rb"bold|black|heavy|semibold|demi\b|-medi$|^(?:[A-Z]{6}\+)?(?:CMBX|SFBX|LMBX)", re.IGNORECASE)
_NARROW_EM = 0.65
_STROKED_TOO = 2
_HYPHEN_CODE = 2
_UNMAPPED, _ARROW = "\0", "↵"


class PageText:
    """The text of one page. Raises Bomb above a million characters."""

    def __init__(self, page: pdfium.PdfPage, textpage: pdfium.PdfTextPage, memory: Memory) -> None:
        self.textpage = textpage  # pdfium frees the text when this goes.
        self.raw = pointer(textpage.raw)
        self.memory = memory
        self.rect, self.places = memory.rect, memory.places
        self.frame = Frame.of(page)
        self.left, self.top = self.frame.left, self.frame.bottom + self.frame.height
        self.count = c.FPDFText_CountChars(textpage.raw)
        if self.count > MAX_PAGE_CHARS:
            raise Bomb(f"One page of the file holds more than {MAX_PAGE_CHARS} characters.")
        self.text = self._text()
        self.bold: dict[int, bool] = {}  # By the font's address, which only lasts as long as the page.

    def lines(self) -> tuple[list[Line], Frame]:
        """Return the visible lines in content order, and the frame in which most of them are upright.

        Lines that are turned otherwise have another `quarter` than the frame; askew ones have -1.
        """
        lines: list[Line] = []
        for match in _PIECE.finditer(self.text):
            text = match[0]
            if not text.isspace():
                lines += self._lines(text, match.start())
        for at, line in enumerate(lines):
            line.at = at
        return lines, self.frame.upright(_most_turned(lines, self.frame.page_quarter))

    def chars(self, quarter: int) -> Iterator[tuple[str, Rect | None]]:
        """Yield each character with its rectangle on the turned page; white space has none."""
        for i in range(self.count):
            char = self.text[i]
            yield char, None if char.isspace() else self._char_rect(i, quarter)

    def _lines(self, text: str, start: int) -> list[Line]:
        """Return the visible line that a piece of the text is, or the several lines where it spans columns."""
        size, bold, quarter, base = self._style(text, start)
        count = count_rects(self.raw, start, len(text))
        if count == 1:
            rect = self._rect(0, quarter)
            # Mean widths of letters are 0.4 to 0.6 em: only a wider line may have gaps inside it.
            wide = rect[2] - rect[0] > _NARROW_EM * size * len(text) or "   " in text or "\t" in text
            broken = wide and _is_wide(text, rect, size)
        elif count:
            rects = [self._rect(i, quarter) for i in range(count)]
            rect, broken = union(rects), _is_broken(rects, size)
        else:
            return []
        if broken and quarter >= 0:
            return self._split(text, start, size, bold, quarter)
        return self._line(text, rect, base, size, bold, quarter)

    def _line(self, text: str, rect: Rect, base: float, size: float, bold: bool, quarter: int) -> list[Line]:
        if not self.frame.shows(rect, quarter if quarter > 0 else 0):
            return []
        if _UNMAPPED in text or _ARROW in text:
            text = _ligatures(text)
        left, top, right, bottom = rect
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
                found += self._line(text[first:i], union(rects), 0, size, bold, quarter)
                first, rects = i, []
            rects.append(rect)
            last = rect
        return found + (self._line(text[first:], union(rects), 0, size, bold, quarter) if rects else [])

    def _text(self) -> str:
        """Return one character for each that pdfium counts."""
        place, room = self.memory.text(self.count + 1)
        written = get_text(self.raw, 0, self.count, place)
        text = bytes(room[: 2 * max(written - 1, 0)]).decode("utf-16-le", "replace")
        if len(text) != self.count:
            # Characters without a code are counted but not written; one by one all of them come.
            codes = (get_unicode(self.raw, i) for i in range(self.count))
            return "".join(HYPHEN if code == _HYPHEN_CODE else chr(code) for code in codes)
        # Written, both a hyphen that ends a line and a character without a code are this sign.
        for match in re.finditer(HYPHEN, text) if HYPHEN in text else ():
            if get_unicode(self.raw, match.start()) != _HYPHEN_CODE:
                text = text[: match.start()] + _UNMAPPED + text[match.end() :]
        return text

    def _style(self, text: str, start: int) -> tuple[float, bool, int, float]:
        """Return size in points, boldness, quarter turns and baseline, taken a third of the way into the line.

        There, unlike at its ends, a footnote mark or a bullet is unlikely. Quarter -1 is askew.
        """
        at = len(text) // 3
        while text[at] == " " and at < len(text) - 1:
            at += 1
        at += start
        get_matrix(self.raw, at, self.memory.at_matrix)
        a, b, slant, upright, x, y = self.memory.matrix
        size = get_font_size(self.raw, at) * (math.hypot(slant, upright) if slant else abs(upright))
        bold = self._is_bold(at)
        if b == 0 and a > 0:
            return size or 1.0, bold, 0, self.top - y
        quarter = _quarter(a, b)
        base = self.frame.turned((x, y, x, y), quarter)[1] if quarter >= 0 else 0.0
        return abs(size) or 1.0, bold, quarter, base

    def _is_bold(self, index: int) -> bool:
        piece = get_text_object(self.raw, index)
        font = get_font(piece) if piece else None
        if not font:
            return False
        bold = self.bold.get(font)
        if bold is None:
            bold = self.bold[font] = _is_bold(font)
        # Where a face has no bold, word processors thicken its outline instead.
        return bold or get_render_mode(piece) == _STROKED_TOO

    def _rect(self, i: int, quarter: int) -> Rect:
        """Return the rectangle of one of the objects in the file that the line counted last is made of."""
        get_rect(self.raw, i, *self.places)
        if quarter > 0:
            return self.frame.turned(self.rect, quarter)
        left, top, right, bottom = self.rect
        return left - self.left, self.top - top, right - self.left, self.top - bottom

    def _char_rect(self, index: int, quarter: int) -> Rect:
        left, top, right, bottom = self.places
        get_char_box(self.raw, index, left, right, bottom, top)
        return self.frame.turned(self.rect, quarter)


def _most_turned(lines: Sequence[Line], usual: int) -> int:
    """Return how often most of the text is turned, `usual` where nothing is upright."""
    quarters = {line.quarter for line in lines}
    if len(quarters) == 1:
        return max(quarters) if max(quarters) >= 0 else usual
    turns = Counter[int]()
    for line in lines:
        turns[line.quarter] += len(line.text)
    return max((q for q in turns if q >= 0), key=lambda q: turns[q], default=usual)


def _is_bold(font: int) -> bool:
    name = create_string_buffer(128)
    get_base_font_name(font, name, 128)
    return bool(_BOLD_NAME.search(name.value)) or get_font_weight(font) >= 600


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
    return em > _NARROW_EM and (text.isascii() or em > 1.2)


def _ligatures(text: str) -> str:
    """Return `text` with the ligatures that a font's table of characters lost.

    Between letters a glyph without a character is nearly always the ffi of TeX's fonts, whose code is
    a control character; Quartz writes their ff as a return arrow.
    """
    text = re.sub(rf"(?<=[^\W\d]){_UNMAPPED}(?=[^\W\d])", "ffi", text).replace(_UNMAPPED, "")
    return re.sub(rf"(?<=[^\W\d]){_ARROW}|{_ARROW}(?=[^\W\d])", "ff", text)
