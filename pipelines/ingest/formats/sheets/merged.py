"""Merged cells: the value that a person sees across all of them is kept in the first one only."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from pipelines.ingest.formats.sheets.grid import Merge, Row

MAX_SPREAD = 200_000
"""So many cells are filled from above; more than that is no sheet that a person made."""


def spread(rows: Sequence[Row], merges: Sequence[Merge]) -> list[Row]:
    """Return the rows with a cell that is merged downwards in each row that it covers and that holds anything."""
    found = list(rows)
    numbers = [row.number for row in rows]
    left = MAX_SPREAD
    for merge in merges:
        at = bisect_left(numbers, merge.top)
        if merge.bottom == merge.top or at == len(found) or numbers[at] != merge.top:
            continue
        text = dict(found[at].cells()).get(merge.left)
        end = bisect_left(numbers, merge.bottom + 1)
        if text is None or end - at > left:
            continue
        left -= end - at
        for i in range(at + 1, end):
            found[i] = _with(found[i], merge.left, text)
    return found


def group_names(row: Row, merges: Sequence[Merge]) -> dict[int, str]:
    """Return the name that each column gets from a row above the header, whose cells stand for several columns."""
    wide = {merge.left: merge for merge in merges if merge.top == row.number and merge.right > merge.left}
    found: dict[int, str] = {}
    ends = [*row.columns[1:], row.columns[-1] + 2]
    for (column, text), end in zip(row.cells(), ends, strict=True):
        if column in wide:
            last = min(wide[column].right, column + 1000)
        elif any(merge.left == column and merge.top < merge.bottom for merge in merges):
            last = column
        else:
            last = column if wide else min(end - 1, column + 1000)
        found.update(dict.fromkeys(range(column, last + 1), text))
    return found


def _with(row: Row, column: int, text: str) -> Row:
    """Return a row with one more cell, unless it has one there."""
    if column in row.columns:
        return row
    at = bisect_left(row.columns, column)
    columns, values = list(row.columns), list(row.values)
    columns.insert(at, column)
    values.insert(at, text)
    return replace(row, columns=tuple(columns), values=values)
