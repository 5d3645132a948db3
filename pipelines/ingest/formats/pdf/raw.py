"""pdfium's functions that are called for every line of text, called the cheapest way there is.

A page has dozens of lines and a line needs several calls, so what a call costs decides how fast pages
are read. Without declared types, with arguments boxed once and results in one array, ctypes takes
half the time: 0.35 µs instead of 0.8. They keep the interpreter's lock, which is dearer to give up than they take.
"""

from array import array
from ctypes import PYFUNCTYPE, c_char_p, c_double, c_int, c_size_t, c_uint, c_void_p, cast
from typing import Any

import pypdfium2.raw as c

Call = Any


def _plain(function: Any, result: Any, *arguments: Any) -> Call:
    """Return a function of pdfium's that takes integers and boxed pointers as they are."""
    return PYFUNCTYPE(result, *arguments)(cast(function, c_void_p).value or 0)


get_text = _plain(c.FPDFText_GetText, c_int)
get_matrix = _plain(c.FPDFText_GetMatrix, c_int)
get_font_size = _plain(c.FPDFText_GetFontSize, c_double)
get_text_object = _plain(c.FPDFText_GetTextObject, c_void_p)
count_rects = _plain(c.FPDFText_CountRects, c_int)
get_unicode = _plain(c.FPDFText_GetUnicode, c_uint)
get_rect = _plain(c.FPDFText_GetRect, c_int)
get_char_box = _plain(c.FPDFText_GetCharBox, c_int)

get_font = _plain(c.FPDFTextObj_GetFont, c_void_p, c_void_p)
get_render_mode = _plain(c.FPDFTextObj_GetTextRenderMode, c_int, c_void_p)
get_base_font_name = _plain(c.FPDFFont_GetBaseFontName, c_size_t, c_void_p, c_char_p, c_size_t)
get_font_weight = _plain(c.FPDFFont_GetWeight, c_int, c_void_p)
count_objects = _plain(c.FPDFPage_CountObjects, c_int)
get_object = _plain(c.FPDFPage_GetObject, c_void_p)
get_type = _plain(c.FPDFPageObj_GetType, c_int, c_void_p)
count_segments = _plain(c.FPDFPath_CountSegments, c_int, c_void_p)
get_bounds = _plain(c.FPDFPageObj_GetBounds, c_int, c_void_p)


class Memory:
    """Room for what pdfium writes, made once for a document."""

    def __init__(self) -> None:
        self.rect = array("d", bytes(32))
        at = self.rect.buffer_info()[0]
        self.places = tuple(c_void_p(at + 8 * i) for i in range(4))
        """Where `rect` has left, top, right and bottom."""
        self.box = array("f", bytes(16))
        at = self.box.buffer_info()[0]
        self.box_left, self.box_bottom, self.box_right, self.box_top = (c_void_p(at + 4 * i) for i in range(4))
        self.matrix = array("f", bytes(24))
        self.at_matrix = c_void_p(self.matrix.buffer_info()[0])
        self._text = array("H", bytes(2 << 13))

    def text(self, count: int) -> tuple[c_void_p, memoryview]:
        """Return the address of room for so many UTF-16 units, and its bytes."""
        if count > len(self._text):
            self._text = array("H", bytes(4 * count))
        return c_void_p(self._text.buffer_info()[0]), memoryview(self._text).cast("B")


def pointer(handle: Any) -> c_void_p:
    """Return a handle of pypdfium2's as these functions take it."""
    return cast(handle, c_void_p)
