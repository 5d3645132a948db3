"""Tables drawn with rules.

pdfplumber works out the cells from the rules; the rules and the text come from pdfium, so that no
page is parsed twice (pdfplumber's own reading of a page takes a hundred times as long).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from ctypes import c_float, c_void_p, cast
from itertools import repeat
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as c

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element
from pipelines.ingest.formats.pdf import raw
from pipelines.ingest.formats.pdf.frame import Frame, Rect
from pipelines.ingest.formats.pdf.lines import HYPHEN, Line, union
from pipelines.ingest.formats.pdf.page_text import PageText
from pipelines.ingest.formats.table import table

MAX_PATHS = 4000
"""Pages with more paths than this show maps and plots, not tables."""

MAX_OBJECTS = 20_000
"""A page of text has some hundreds; what has more takes too long to look through."""

MAX_CROSSINGS = 40_000
"""Bounds the search for cells, whose time grows with the square of the crossings of rules."""

_RULE_WIDTH = 3.0
_MIN_RULE = 6.0
_MAX_CELL_CHARS = 300
_MIN_FILLED = 0.3

Matrix = tuple[float, float, float, float, float, float]


def ruled_tables(page: pdfium.PdfPage, text: PageText, frame: Frame) -> list[Line]:
    """Return the ruled tables of a page as lines with `rows`; nothing on pages without crossing rules."""
    horizontal, vertical = _rules(page, frame, text.memory)
    if len(horizontal) < 3 or len(vertical) < 3:
        return []
    grids = _grids(horizontal, vertical)
    return _filled(grids, text, frame) if grids else []


def continued(above: Element, below: Element) -> Element:
    """Return the table `below` with the header of `above` where it goes on with that table on the next page.

    It does if its columns are as many and its edges the same. A header that it repeats itself is its own.
    """
    a, b = above.box, below.box
    if not a or not b or b.page != a.page + 1 or len(above.rows[0]) != len(below.rows[0]):
        return below
    if max(abs(a.left - b.left), abs(a.right - b.right)) > _RULE_WIDTH or above.rows[0] == below.rows[0]:
        return below
    return table((above.rows[0], *below.rows), below.page, b)


def _rules(page: pdfium.PdfPage, frame: Frame, memory: raw.Memory) -> tuple[list[Rect], list[Rect]]:
    """Return the horizontal and the vertical rules, sides of boxes too, as rectangles without width."""
    horizontal: list[Rect] = []
    vertical: list[Rect] = []
    paths = list(_paths(page))
    if len(paths) > MAX_PATHS:
        return [], []
    for path, outer in paths:
        for rect in _strokes(path, outer, memory):
            left, top, right, bottom = frame.turned(rect, frame.quarter)
            if bottom - top <= _RULE_WIDTH and right - left >= _MIN_RULE:
                horizontal.append((left, (top + bottom) / 2, right, (top + bottom) / 2))
            elif right - left <= _RULE_WIDTH and bottom - top >= _MIN_RULE:
                vertical.append(((left + right) / 2, top, (left + right) / 2, bottom))
            elif right - left >= _MIN_RULE and bottom - top >= _MIN_RULE:
                horizontal += [(left, top, right, top), (left, bottom, right, bottom)]
                vertical += [(left, top, left, bottom), (right, top, right, bottom)]
    return horizontal, vertical


def _paths(page: pdfium.PdfPage) -> Iterator[tuple[int, Matrix | None]]:
    """Yield the drawn paths of a page with the matrix of the form they are in, None if in none."""
    count = raw.count_objects(raw.pointer(page.raw))
    if count > MAX_OBJECTS:
        return
    objects = list(map(raw.get_object, repeat(raw.pointer(page.raw)), range(count)))
    # Most pages have text only, and are through here.
    for found, kind in zip(objects, map(raw.get_type, objects), strict=True):
        if kind == c.FPDF_PAGEOBJ_PATH:
            yield found, None
        elif kind == c.FPDF_PAGEOBJ_FORM:
            # Forms inside forms hold logos and plots, hardly ever a table.
            form = cast(found, c.FPDF_PAGEOBJECT)
            outer = _matrix(form)
            for k in range(min(c.FPDFFormObj_CountObjects(form), MAX_PATHS)):
                inner = c.FPDFFormObj_GetObject(form, k)
                if c.FPDFPageObj_GetType(inner) == c.FPDF_PAGEOBJ_PATH:
                    yield cast(inner, c_void_p).value or 0, outer


def _strokes(path: int, outer: Matrix | None, memory: raw.Memory) -> Iterator[Rect]:
    """Yield the straight lines and boxes of a path as (left, top, right, bottom) in user space."""
    if not raw.get_bounds(path, memory.box_left, memory.box_bottom, memory.box_right, memory.box_top):
        return
    left, bottom, right, top = memory.box
    segments = raw.count_segments(path)
    if segments > 5:
        # Letters are drawn as paths, too, and are too small to be rules.
        if outer or max(right - left, top - bottom) >= _MIN_RULE:
            yield from _long_path(cast(path, c.FPDF_PAGEOBJECT), min(segments, MAX_PATHS), outer)
        return
    rect = left, top, right, bottom
    if outer:
        (x0, y0), (x1, y1) = _mapped(rect[0], rect[3], outer), _mapped(rect[2], rect[1], outer)
        rect = min(x0, x1), max(y0, y1), max(x0, x1), min(y0, y1)
    if segments > 2 or min(rect[2] - rect[0], rect[1] - rect[3]) <= _RULE_WIDTH:
        yield rect


def _long_path(path: Any, segments: int, outer: Matrix | None) -> Iterator[Rect]:
    """Yield the upright and level lines of a path that draws several, such as a whole grid."""
    x, y = c_float(), c_float()
    inner = _matrix(path)
    last = start = (0.0, 0.0)
    for i in range(segments):
        segment = c.FPDFPath_GetPathSegment(path, i)
        c.FPDFPathSegment_GetPoint(segment, x, y)
        point = _mapped(x.value, y.value, inner)
        if outer:
            point = _mapped(*point, outer)
        kind = c.FPDFPathSegment_GetType(segment)
        ends = [(last, point)] if kind == c.FPDF_SEGMENT_LINETO else []
        if kind == c.FPDF_SEGMENT_MOVETO:
            start = point
        if c.FPDFPathSegment_GetClose(segment):
            ends.append((point, start))
        for (x0, y0), (x1, y1) in ends:
            if min(abs(x1 - x0), abs(y1 - y0)) <= 1:
                yield min(x0, x1), max(y0, y1), max(x0, x1), min(y0, y1)
        last = point


def _matrix(obj: Any) -> Matrix:
    m = c.FS_MATRIX()
    c.FPDFPageObj_GetMatrix(obj, m)
    return m.a, m.b, m.c, m.d, m.e, m.f


def _mapped(x: float, y: float, m: Matrix) -> tuple[float, float]:
    return m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]


def _grids(horizontal: Sequence[Rect], vertical: Sequence[Rect]) -> list[list[Rect]]:
    """Return the cells of each table that the rules draw, the smallest table first."""
    # Loads pdfminer, 0.2 s: only what meets a ruled page pays.
    from pdfplumber import table as cells_of

    edges = [_edge(rect, "h") for rect in horizontal] + [_edge(rect, "v") for rect in vertical]
    edges = cells_of.merge_edges(edges, 3, 3, 3, 3)
    level = sum(edge["orientation"] == "h" for edge in edges)
    if level * (len(edges) - level) > MAX_CROSSINGS:
        return []
    cells = cells_of.intersections_to_cells(cells_of.edges_to_intersections(edges, 3, 3))
    found = [
        [(float(a), float(b), float(x), float(y)) for a, b, x, y in cells] for cells in cells_of.cells_to_tables(cells)
    ]
    return sorted(found, key=lambda cells: _area(union(cells)))


def _edge(rect: Rect, orientation: str) -> dict[str, Any]:
    left, top, right, bottom = rect
    place = {"x0": left, "x1": right, "top": top, "bottom": bottom, "width": right - left, "height": bottom - top}
    return {**place, "orientation": orientation, "object_type": "line"}


def _area(rect: Rect) -> float:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def _filled(grids: Sequence[list[Rect]], text: PageText, frame: Frame) -> list[Line]:
    """Return the tables with the text of their cells; layout boxes and empty grids are left out."""
    texts = _cell_texts(grids, text, frame)
    found = []
    for number, cells in enumerate(grids):
        tops, lefts = sorted({cell[1] for cell in cells}), sorted({cell[0] for cell in cells})
        table = [["" for _ in lefts] for _ in tops]
        for k, cell in enumerate(cells):
            table[tops.index(cell[1])][lefts.index(cell[0])] = one_line("".join(texts[number, k]))
        full = [value for row in table for value in row if value]
        if len(lefts) < 2 or len(tops) < 2 or len(full) < max(3, _MIN_FILLED * len(cells)):
            continue
        if sum(map(len, full)) > _MAX_CELL_CHARS * len(full):
            continue
        found.append(Line.table([row for row in table if any(row)], union(cells), frame.quarter))
    return found


def _cell_texts(grids: Sequence[list[Rect]], text: PageText, frame: Frame) -> dict[tuple[int, int], list[str]]:
    """Return the characters in each cell, by (table, cell), in content order."""
    areas = [union(cells) for cells in grids]
    cells = [(rect, (n, k)) for n, grid in enumerate(grids) for k, rect in enumerate(grid)]
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    at: tuple[Rect, tuple[int, int]] | None = None
    for char, rect in text.chars(frame.quarter):
        if rect is None:
            if at:
                found[at[1]].append(" ")
            continue
        x, y = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
        if at is None or not _inside(at[0], x, y):
            in_table = any(_inside(area, x, y) for area in areas)
            at = next((cell for cell in cells if _inside(cell[0], x, y)), None) if in_table else None
        if at:
            found[at[1]].append("-" if char == HYPHEN else char)
    return found


def _inside(rect: Rect, x: float, y: float) -> bool:
    return rect[0] <= x <= rect[2] and rect[1] <= y <= rect[3]
