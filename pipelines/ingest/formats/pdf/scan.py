"""Text of pages that are pictures, read by Tesseract.

The tesserocr wheel brings its own Tesseract without OpenMP, so a page takes one core; the languages
are those whose data lies under the environment's `share/tessdata`.
"""

import math
import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pypdfium2 as pdfium
import pypdfium2.raw as c

from pipelines.ingest.formats.pdf.frame import Frame
from pipelines.ingest.formats.pdf.lines import SPLIT_GAP_EM, Line, union
from pipelines.ingest.formats.pdf.page_text import PageText

if TYPE_CHECKING:
    from tesserocr import PyTessBaseAPI

DPI = 200
"""Enough: 336 of 336 words of a test page, in 1.3 s."""

MAX_PIXELS = 16_000_000
"""A page that would need more is rendered coarser; it is not a sheet of paper."""

MAX_STRAY_CHARS = 100
"""So few characters beside a picture that fills the page are a stamp, not its text."""

_MAX_OBJECTS = 2_000
_LOOKED_AT = 400
_MIN_TELLING = 150
_VOWELS = "aeiouyAEIOUY"
_MIN_SHARE_VOWELS = 0.18
_MIN_SHARE_LATIN = 0.6
_MAX_SHARE_SIGNS = 0.6
_LATIN = re.compile("[A-Za-z]")
_SIGN = re.compile(r"[!\"#$%&'()*+,/:;<=>?@\[\\\]^`{|}~]")
_CID = re.compile(r"\(cid:\d+\)\s*")
_MIN_COVERAGE = 0.5
_MIN_CONFIDENCE = 30
SURE_CONFIDENCE = 60
_MAX_SHARE_CODELESS = 0.3
_CODELESS = re.compile("[\\x00-\\x08\\x0e-\\x1f\\ue000-\\uf8ff\\ufffd]")


def is_scan(page: pdfium.PdfPage, text: PageText) -> bool:
    """Tell whether a page shows text that its text layer does not hold.

    That is a page without characters but with anything drawn, one whose picture covers it and that
    has only a stamp's worth of them, or one whose characters mostly have no code.
    """
    # Every so many characters are enough to tell; a short text is looked at as a whole.
    some = text.text[:: max(1, len(text.text) // _LOOKED_AT)]
    shown = sum(map(len, some.split()))
    if shown == 0:
        return bool(c.FPDFPage_CountObjects(page.raw) > 0)
    if shown <= MAX_STRAY_CHARS:
        return _picture_coverage(page, text.frame) >= _MIN_COVERAGE
    return len(_CODELESS.findall(some)) > _MAX_SHARE_CODELESS * shown


def is_garbled(text: str) -> bool:
    """Tell whether a text layer is probably nonsense: the font's codes rather than letters.

    Such text is written in Latin letters, nearly without vowels, or in signs; natural Latin text has a
    vowel in every third letter, and tables of codes are short or have digits.
    """
    some = text[:: max(1, len(text) // _LOOKED_AT)]
    if sum(map(some.count, _VOWELS)) > _MIN_SHARE_VOWELS * len(some):
        return False
    if sum(map(len, _CID.findall(text))) > len(text) / 2:
        return True
    some = unicodedata.normalize("NFD", some)
    shown = sum(map(len, some.split()))
    letters, signs, vowels = len(_LATIN.findall(some)), len(_SIGN.findall(some)), sum(map(some.count, _VOWELS))
    if shown < _MIN_TELLING:
        return False
    strange = letters > _MIN_SHARE_LATIN * shown and vowels < _MIN_SHARE_VOWELS * letters
    return strange or signs > _MAX_SHARE_SIGNS * shown


def scanned_lines(page: pdfium.PdfPage, frame: Frame, least_confidence: int = 0) -> tuple[list[Line], Frame]:
    """Return the lines on the picture of a page, and the frame in which they are upright.

    A page that hardly reads, or reads sideways, is tried once more, turned the way its letters stand.
    Nothing is returned where Tesseract is less sure than `least_confidence`, 0…100.
    """
    frame = frame.upright(frame.page_quarter)
    lines, confidence = _read(page, frame)
    sideways = _is_sideways(lines)
    if (sideways or confidence < SURE_CONFIDENCE) and (turns := _turns(page, frame)):
        turned = frame.upright((frame.page_quarter + turns) % 4)
        again, surer = _read(page, turned)
        if sideways or surer > confidence:
            lines, confidence, frame = again, surer, turned
    return lines if confidence >= least_confidence else [], frame


def _is_sideways(lines: Sequence[Line]) -> bool:
    """Tell whether most of the text stands in lines that are higher than wide."""
    tall = sum(len(line.text) for line in lines if line.bottom - line.top > line.right - line.left)
    return tall > sum(len(line.text) for line in lines) / 2


def _read(page: pdfium.PdfPage, frame: Frame) -> tuple[list[Line], int]:
    """Return the lines of a page, turned as `frame` says, and Tesseract's mean confidence, 0…100."""
    import tesserocr  # 0.15 s and 30 MB, which documents with a text layer never need.

    scale = _show(page, frame)
    reader = _tesseract()
    if not reader.Recognize():
        return [], 0
    lines: list[Line] = []
    words: list[tuple[str, float, float, float, float]] = []
    size = 10.0
    for word in tesserocr.iterate_level(reader.GetIterator(), tesserocr.RIL.WORD):
        if word.IsAtBeginningOf(tesserocr.RIL.TEXTLINE):
            lines += _line(words, size, frame, len(lines))
            words = []
        if word.Confidence(tesserocr.RIL.WORD) < _MIN_CONFIDENCE or not (text := _word(word)):
            continue
        left, top, right, bottom = (value / scale for value in word.BoundingBox(tesserocr.RIL.WORD))
        # In tables Tesseract takes the rules for part of the row, whose own height then says little.
        size = min(word.RowAttributes()["row_height"] / scale, 1.6 * (bottom - top)) or size
        if words and left - words[-1][3] > SPLIT_GAP_EM * size:
            lines += _line(words, size, frame, len(lines))
            words = []
        words.append((text, left, top, right, bottom))
    lines += _line(words, size, frame, len(lines))
    return lines, int(reader.MeanTextConf())


def _word(word: Any) -> str:
    """Return a word's text without what a rule beside it was taken for."""
    import tesserocr

    return str(word.GetUTF8Text(tesserocr.RIL.WORD)).strip(" \n|")


def _line(words: list[tuple[str, float, float, float, float]], size: float, frame: Frame, at: int) -> list[Line]:
    if not words:
        return []
    left, top, right, bottom = union([word[1:] for word in words])
    text = " ".join(word[0] for word in words)
    return [Line(text, left, top, right, bottom, bottom, size, quarter=frame.quarter, at=at)]


def _show(page: pdfium.PdfPage, frame: Frame) -> float:
    """Put the picture of a page before Tesseract and return its pixels per point."""
    width, height = frame.size
    scale = min(DPI / 72, math.sqrt(MAX_PIXELS / (width * height)))
    turn = (frame.quarter - frame.page_quarter) % 4 * 90
    bitmap = page.render(scale=scale, grayscale=True, rotation=turn)
    reader = _tesseract()
    reader.SetImageBytes(bytes(bitmap.buffer), bitmap.width, bitmap.height, 1, bitmap.stride)
    reader.SetSourceResolution(max(70, round(72 * scale)))
    return scale


def _turns(page: pdfium.PdfPage, frame: Frame) -> int:
    """Return how many quarters clockwise the page must be turned for its letters to stand upright."""
    if not (_data_path() / "osd.traineddata").is_file():
        return 0
    import tesserocr

    with tesserocr.PyTessBaseAPI(path=str(_data_path()), lang="osd", psm=tesserocr.PSM.OSD_ONLY) as detector:
        width, height = frame.size
        bitmap = page.render(scale=min(DPI / 72, math.sqrt(MAX_PIXELS / (width * height))), grayscale=True)
        detector.SetImageBytes(bytes(bitmap.buffer), bitmap.width, bitmap.height, 1, bitmap.stride)
        detector.SetSourceResolution(DPI)
        found = detector.DetectOrientationScript()
    # It says how far the page was turned, clockwise.
    return -int(found["orient_deg"]) // 90 % 4 if found else 0


@lru_cache(maxsize=1)
def _tesseract() -> "PyTessBaseAPI":
    import tesserocr

    names = sorted(path.stem for path in _data_path().glob("*.traineddata") if path.stem != "osd")
    # English first: the first language is preferred where several fit.
    names.sort(key=lambda name: name != "eng")
    return tesserocr.PyTessBaseAPI(path=str(_data_path()), lang="+".join(names), psm=tesserocr.PSM.AUTO)


def _data_path() -> Path:
    return Path(sys.prefix) / "share" / "tessdata"


def _picture_coverage(page: pdfium.PdfPage, frame: Frame) -> float:
    """Return the largest share of the page that one picture on it covers, 0…1."""
    largest = 0.0
    # Pictures of a scan are few and come first; a page may hold a million other objects.
    for picture in islice(page.get_objects(max_depth=2), _MAX_OBJECTS):
        if picture.type != c.FPDF_PAGEOBJ_IMAGE:
            continue
        left, bottom, right, top = picture.get_bounds()
        largest = max(largest, abs((right - left) * (top - bottom)))
    return largest / (frame.width * frame.height)
