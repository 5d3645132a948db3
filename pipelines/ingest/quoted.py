"""Where a quotation stands on a page of a PDF: the rectangles of its own lines, not of its paragraph."""

import unicodedata
from difflib import SequenceMatcher

import pypdfium2 as pdfium
import pypdfium2.raw as c

from pipelines.ingest.formats.pdf.frame import Frame
from pipelines.ports.passages import Box

MAX_PAGE_CHARS = 100_000
MAX_COMPARED = 20_000
"""Letters of a page in which a part is looked for that differs: it takes the product of both lengths."""

MAX_QUOTE_CHARS = 2_000
MIN_CHARS, MIN_SHARE = 24, 0.6
"""A part of a line is taken for it where it is so long, or such a share of it: it may run over two pages."""


def places(page: pdfium.PdfPage, number: int, quote: str) -> list[Box]:
    """Return the boxes, on page `number`, of the lines on which the quotation stands; none where it does not.

    What a page writes with ligatures, hyphens at line ends or other white space is found all the same.
    """
    textpage = page.get_textpage()
    count = min(c.FPDFText_CountChars(textpage.raw), MAX_PAGE_CHARS)
    text = "".join(chr(c.FPDFText_GetUnicode(textpage.raw, i)) for i in range(count))
    letters, at = _letters(text)
    frame, found = Frame.of(page), []
    for line in quote[:MAX_QUOTE_CHARS].split("\n"):
        wanted, _ = _letters(line)
        start, length = _found(letters, wanted)
        if length:
            first, last = _with_marks(text, at[start], at[start + length - 1])
            for i in range(textpage.count_rects(first, last - first + 1)):
                left, bottom, right, top = textpage.get_rect(i)
                found.append(frame.box(frame.turned((left, top, right, bottom), frame.quarter), number))
    return found


def _with_marks(text: str, first: int, last: int) -> tuple[int, int]:
    """Return a range with the punctuation that touches it: the quotation ends with its full stop."""
    while first > 0 and _is_mark(text[first - 1]):
        first -= 1
    while last + 1 < len(text) and _is_mark(text[last + 1]):
        last += 1
    return first, last


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("P")


def _letters(text: str) -> tuple[str, list[int]]:
    """Return the letters and digits of a text in one form, and where each stands in it."""
    letters, at = [], []
    for i, char in enumerate(text):
        for plain in unicodedata.normalize("NFKC", char).casefold():
            if plain.isalnum():
                letters.append(plain)
                at.append(i)
    return "".join(letters), at


def _found(letters: str, wanted: str) -> tuple[int, int]:
    """Return where and for how long `wanted` stands in `letters`: all of it, or its longest part if that is enough."""
    if not wanted:
        return 0, 0
    if (start := letters.find(wanted)) >= 0:
        return start, len(wanted)
    if len(letters) > MAX_COMPARED:
        return 0, 0
    start, _, length = SequenceMatcher(None, letters, wanted, autojunk=False).find_longest_match()
    is_enough = length >= max(MIN_CHARS, MIN_SHARE * len(wanted)) or _ends(letters, start, length)
    return (start, length) if is_enough else (0, 0)


def _ends(letters: str, start: int, length: int) -> bool:
    """Return whether a part is long enough and stands where the page begins or ends: the rest is on another."""
    return length >= MIN_CHARS and (start == 0 or start + length >= len(letters) - MIN_CHARS)
