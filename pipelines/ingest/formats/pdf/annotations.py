"""What was filled into a form or written onto a page, and is no part of the page's own content.

Filled fields, free text and stamps say something that readers of the page see. Links say nothing of
their own, and the comments behind note icons are about the page, not on it.
"""

from ctypes import c_ushort, sizeof
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as c

from pipelines.ingest.clean import one_line
from pipelines.ingest.formats.pdf.frame import Frame, Rect
from pipelines.ingest.formats.pdf.lines import Line

MAX_ANNOTATIONS = 2_000
MAX_CHARS = 4_000
CHECKED = "✔"
_DRAWN = (c.FPDF_ANNOT_WIDGET, c.FPDF_ANNOT_FREETEXT, c.FPDF_ANNOT_STAMP)
_BOXES = (c.FPDF_FORMFIELD_CHECKBOX, c.FPDF_FORMFIELD_RADIOBUTTON)
_MAX_SIZE = 12.0

Written = list[tuple[str, Rect]]
"""Texts and where they stand, in user space."""


def flattened(document: pdfium.PdfDocument, index: int, page: pdfium.PdfPage) -> tuple[pdfium.PdfPage, Written]:
    """Return the page with its drawn annotations made part of it, and what is written but has no drawing.

    It is the very page where there are none. A form must have been initialised with `init_forms`.
    """
    count = min(c.FPDFPage_GetAnnotCount(page.raw), MAX_ANNOTATIONS)
    written: Written = []
    drawn = False
    for i in range(count):
        note = c.FPDFPage_GetAnnot(page.raw, i)
        if not note:
            continue
        if c.FPDFAnnot_GetSubtype(note) in _DRAWN and not c.FPDFAnnot_GetFlags(note) & c.FPDF_ANNOT_FLAG_HIDDEN:
            drawn = True
            if text := _undrawn(document, note):
                written.append((text, _rect(note)))
        c.FPDFPage_CloseAnnot(note)
    if drawn and c.FPDFPage_Flatten(page.raw, c.FLAT_NORMALDISPLAY) == c.FLATTEN_SUCCESS:
        # It must be read anew for what it now holds.
        page.close()
        page = document[index]
    return page, written


def with_written(lines: list[Line], written: Written, frame: Frame) -> list[Line]:
    """Return the lines with those of `written` that do not stand among them already."""
    found = list(lines)
    for text, rect in written:
        left, top, right, bottom = frame.turned(rect, frame.quarter)
        if any(left <= (line.left + line.right) / 2 <= right and top < line.base <= bottom + 2 for line in lines):
            continue
        rows = [row for row in map(one_line, text.splitlines()) if row]
        step = (bottom - top) / max(len(rows), 1)
        size = max(1.0, min(step, _MAX_SIZE))
        for i, row in enumerate(rows):
            base = top + i * step + size
            found.append(Line(row, left, base - size, right, base, base, size, quarter=frame.quarter, at=len(found)))
    return found


def _undrawn(document: pdfium.PdfDocument, note: Any) -> str:
    """Return what an annotation says that may lack a drawing of it: free text, or that a box is checked."""
    if c.FPDFAnnot_GetSubtype(note) == c.FPDF_ANNOT_FREETEXT:
        room = (c_ushort * MAX_CHARS)()
        written = c.FPDFAnnot_GetStringValue(note, b"Contents", room, sizeof(room))
        return bytes(room)[: max(0, min(written, sizeof(room)) - 2)].decode("utf-16-le", "replace")
    form = document.formenv
    if form and c.FPDFAnnot_GetFormFieldType(form.raw, note) in _BOXES and c.FPDFAnnot_IsChecked(form.raw, note):
        return CHECKED
    return ""


def _rect(note: Any) -> Rect:
    """Return where an annotation stands, in user space: left, top, right, bottom."""
    rect = c.FS_RECTF()
    c.FPDFAnnot_GetRect(note, rect)
    return rect.left, max(rect.top, rect.bottom), rect.right, min(rect.top, rect.bottom)
