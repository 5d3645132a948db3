"""Tables without rules: rows whose cells stand under one another."""

from collections.abc import Sequence

from pipelines.ingest.clean import one_line
from pipelines.ingest.formats.pdf.lines import Line, union, without_leaders

MIN_ROWS = 3
_MAX_MEAN_CHARS = 60
_MAX_STEP_EM = 3.5

Row = Sequence[Line]
Column = tuple[float, float]


def aligned(rows: Sequence[Row]) -> list[Line]:
    """Return the rows of a region as lines; runs of rows that share columns become one line, a table.

    Three rows at least, of short cells; a line that stands inside one column, not the first, goes
    on with the cell above it.
    """
    found: list[Line] = []
    i = 0
    while i < len(rows):
        run = _run(rows[i:]) if len(rows[i]) > 1 else 0
        if run:
            found.append(_table(rows[i : i + run]))
        else:
            found.append(_flat(rows[i]))
        i += run or 1
    return found


def _run(rows: Sequence[Row]) -> int:
    """Return how many rows from the first on make a table, 0 if they make none."""
    columns: list[Column] = []
    taken = full = 0
    for i, row in enumerate(rows):
        if any(cell.rows for cell in row) or (i and _step(rows[i - 1], row) > _MAX_STEP_EM * row[0].size):
            break
        if len(row) == 1 and not _continues(row[0], columns):
            break
        merged = _with_cells(columns, row)
        if merged is None:
            break
        columns = merged
        taken = i + 1
        full += len(row) > 1
    while taken and len(rows[taken - 1]) == 1:
        taken -= 1
    cells = [cell for row in rows[:taken] for cell in row]
    wordy = sum(len(cell.text) for cell in cells) > _MAX_MEAN_CHARS * len(cells)
    return 0 if full < MIN_ROWS or wordy or _only_markers(rows[:taken], columns[0]) else taken


def _with_cells(columns: Sequence[Column], row: Row) -> list[Column] | None:
    """Return the columns widened by the cells of a row, None if a cell or two cells do not fit them."""
    merged = list(columns)
    for cell in row:
        touched = [column for column in merged if column[0] < cell.right and cell.left < column[1]]
        if len(touched) > 1:
            return None
        left, right = min([cell.left, *(c[0] for c in touched)]), max([cell.right, *(c[1] for c in touched)])
        merged = sorted([*(column for column in merged if column not in touched), (left, right)])
    slots = [_slot(cell, merged) for cell in row]
    return merged if len(set(slots)) == len(slots) else None


def _continues(cell: Line, columns: Sequence[Column]) -> bool:
    """Tell whether a lone cell stands within a column that is not the first."""
    return any(left - 1 <= cell.left and cell.right <= right + 2 * cell.size for left, right in columns[1:])


def _only_markers(rows: Sequence[Row], first: Column) -> bool:
    """Tell whether the first column holds only bullets, so that the rows are a list."""
    marks = [row[0].text.strip() for row in rows if row[0].left < first[1]]
    return all(len(mark) == 1 and not mark.isalnum() for mark in marks)


def _table(rows: Sequence[Row]) -> Line:
    columns: list[Column] = []
    for row in rows:
        columns = _with_cells(columns, row) or columns
    cells: list[list[str]] = []
    for row in rows:
        if len(row) > 1:
            cells.append([""] * len(columns))
        for cell in row:
            at = _slot(cell, columns)
            cells[-1][at] = one_line(f"{cells[-1][at]} {without_leaders(cell.text)}")
    first = rows[0][0]
    return Line.table(cells, union([cell.rect for row in rows for cell in row]), first.quarter, first.at)


def _slot(cell: Line, columns: Sequence[Column]) -> int:
    return next(i for i, (left, right) in enumerate(columns) if left < cell.right and cell.left < right)


def _step(above: Row, below: Row) -> float:
    return below[0].base - above[0].base


def _flat(row: Row) -> Line:
    """Return a row that is not part of a table as one line."""
    if len(row) == 1:
        return row[0]
    left, top, right, bottom = union([cell.rect for cell in row])
    most = max(row, key=lambda cell: len(cell.text))
    text = " ".join(cell.text.strip() for cell in row)
    bold = all(cell.bold for cell in row)
    return Line(text, left, top, right, bottom, most.base, most.size, bold, most.quarter, row[0].at)
