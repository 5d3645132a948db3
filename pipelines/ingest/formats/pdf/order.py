"""The reading order of a page: columns from left to right between what spans them, rows from top to bottom.

Content order is not to be trusted (headers come last, tables row by row, frames in any order), so
columns are found by the gap between them, and content order only tells columns from table cells.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import median

from pipelines.ingest.formats.pdf.lines import COLUMN_GAP_EM, SPLIT_GAP_EM, Line

MIN_COLUMN_LINES = 3
MAX_DEPTH = 4
_MIN_GUTTER_EM = SPLIT_GAP_EM
_PROSE_CHARS = 15
_PROSE_FILL = 0.7


def regions(lines: Sequence[Line]) -> list[list[Line]]:
    """Return the lines of a page as columns and spanning regions, in reading order.

    A region's own lines are still to be put into `rows`.
    """
    return _regions(_mended(lines), 0)


def _mended(lines: Sequence[Line]) -> list[Line]:
    """Return the lines, those joined that were only broken by a footnote mark or a change of font."""
    found: list[Line] = []
    for line in lines:
        last = found[-1] if found else None
        if last and -0.3 < (line.left - last.right) / line.size < 0.4 and _same_row([last], line):
            found[-1] = _joined(last, line)
        else:
            found.append(line)
    return found


def _regions(lines: Sequence[Line], depth: int) -> list[list[Line]]:
    x = _gutter(lines) if depth < MAX_DEPTH else None
    if x is None:
        return [list(lines)] if lines else []
    across = sorted((line for line in lines if line.left < x < line.right), key=_middle)
    sides = [line for line in lines if not line.left < x < line.right]
    edges = [_middle(line) for line in across]
    bands: list[list[Line]] = [[] for _ in range(len(across) + 1)]
    for line in sides:
        bands[bisect_left(edges, _middle(line))].append(line)
    columns = _are_columns(sides, x)
    found: list[list[Line]] = []
    whole: list[Line] = []
    for i, band in enumerate(bands):
        left, right = [line for line in band if line.right <= x], [line for line in band if line.left >= x]
        small = min(len(left), len(right)) < MIN_COLUMN_LINES
        if left and right and (columns if small else _are_columns(band, x)):
            found += [*_rest(whole, depth), *_regions(left, depth + 1), *_regions(right, depth + 1)]
            whole = []
        else:
            whole += band
        whole += across[i : i + 1]
    return [*found, *_rest(whole, depth)] if found else [whole]


def _rest(lines: list[Line], depth: int) -> list[list[Line]]:
    """Return the regions of what stands between columns; it may have columns of its own."""
    return _regions(lines, depth + 1) if lines else []


def rows(region: Sequence[Line]) -> list[list[Line]]:
    """Return the lines of a region from top to bottom, those on one baseline together from left to right.

    Neighbours that are not a column gap apart are joined into one line.
    """
    found: list[list[Line]] = []
    for line in sorted(region, key=lambda line: line.base):
        if found and _same_row(found[-1], line):
            found[-1].append(line)
        else:
            found.append([line])
    return [row if len(row) == 1 else _cells(row) for row in found]


def _gutter(lines: Sequence[Line]) -> float | None:
    """Return the x that parts most lines into a left and a right group, or None where nothing does."""
    if len(lines) < 2 * MIN_COLUMN_LINES:
        return None
    lefts, rights = sorted(line.left for line in lines), sorted(line.right for line in lines)
    third = lefts[0] + 0.2 * (rights[-1] - lefts[0])
    if len(lefts) - bisect_left(lefts, third) < MIN_COLUMN_LINES:
        return None
    size = median(line.size for line in lines)
    best, best_x = float("-inf"), None
    for i, right in enumerate(rights[:-1]):
        after = bisect_right(lefts, right)
        if after == len(lefts) or rights[i + 1] == right:
            continue
        # Lines across the gutter may lie in between; the next left edge is where the right group starts.
        start = lefts[after]
        smaller, across = min(i + 1, len(lefts) - after), after - i - 1
        if start - right < _MIN_GUTTER_EM * size or smaller < MIN_COLUMN_LINES:
            continue
        # The lines of a column begin under one another, a few indented; those of ragged text do not.
        flush = bisect_right(lefts, start + 2 * size) - after
        if flush >= MIN_COLUMN_LINES and (score := min(smaller, 2 * flush) - across) > best:
            best, best_x = score, (right + start) / 2
    return best_x


def _are_columns(lines: Sequence[Line], x: float) -> bool:
    """Tell whether the groups beside a gutter are columns to be read one after the other, not table cells.

    They are if the file draws one after the other, or if both are running text that fills its width.
    """
    left, right = [line for line in lines if line.right <= x], [line for line in lines if line.left >= x]
    if min(len(left), len(right)) < MIN_COLUMN_LINES or not _overlap(left, right):
        return False
    if any(line.rows for line in lines):
        return True
    drawn = sorted(lines, key=lambda line: line.at)
    switches = sum((a.right <= x) != (b.right <= x) for a, b in itertools.pairwise(drawn))
    if switches <= 1 + len(lines) // 8:
        return max(_chars(left), _chars(right)) >= _PROSE_CHARS / 2
    return all(_chars(side) >= _PROSE_CHARS and _fill(side) >= _PROSE_FILL for side in (left, right))


def _overlap(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """Tell whether two groups stand beside each other for a good part of the shorter one."""
    top = max(min(line.top for line in left), min(line.top for line in right))
    bottom = min(max(line.bottom for line in left), max(line.bottom for line in right))
    heights = [max(line.bottom for line in side) - min(line.top for line in side) for side in (left, right)]
    return bottom - top >= 0.3 * min(heights)


def _chars(side: Sequence[Line]) -> float:
    return median(len(line.text) for line in side)


def _fill(side: Sequence[Line]) -> float:
    """Return how much of the group's width its middling line takes."""
    width = max(line.right for line in side) - min(line.left for line in side)
    return median(line.right - line.left for line in side) / max(width, 1.0)


def _middle(line: Line) -> float:
    return (line.top + line.bottom) / 2


def _same_row(row: Sequence[Line], line: Line) -> bool:
    last = row[-1]
    if line.rows or last.rows:
        return False
    if abs(line.base - last.base) <= 0.35 * min(line.size, last.size):
        return True
    # A footnote mark or an index stands off the baseline, yet beside the line.
    shared = min(last.bottom, line.bottom) - max(last.top, line.top)
    small = min(last.bottom - last.top, line.bottom - line.top)
    enough = 0.6 if line.size > 0.8 * last.size and last.size > 0.8 * line.size else 0.3
    return shared > enough * small and abs(line.base - last.base) <= 0.6 * max(line.size, last.size)


def _cells(row: list[Line]) -> list[Line]:
    """Return the lines of a row from left to right, joined where no column gap parts them."""
    row.sort(key=lambda line: line.left)
    cells = [row[0]]
    for line in row[1:]:
        last = cells[-1]
        if line.left - last.right > COLUMN_GAP_EM * max(line.size, last.size):
            cells.append(line)
        else:
            cells[-1] = _joined(last, line)
    return cells


def _joined(first: Line, second: Line) -> Line:
    larger = first if first.size >= second.size else second
    apart = second.left - first.right > 0.12 * larger.size
    gap = " " if apart and not first.text.endswith(" ") and not second.text.startswith(" ") else ""
    top, bottom = min(first.top, second.top), max(first.bottom, second.bottom)
    right = max(first.right, second.right)
    return Line(
        first.text + gap + second.text, first.left, top, right, bottom, larger.base, larger.size,
        first.bold and second.bold, first.quarter, first.at,
    )  # fmt: skip
