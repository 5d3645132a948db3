"""Tables of a sheet as text: a line for each row, so that a line's number tells the row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelines.ingest.elements import Element
from pipelines.ingest.formats.sheets.grid import Row, column_name
from pipelines.ingest.formats.table import is_wide, lines, table

_MIN_FILLED = 0.35
_WIDE = 8


@dataclass
class Body:
    """A table: its columns' names, the number of the (last) row they are from, and the rows below it."""

    names: Mapping[int, str]
    header_row: int | None
    rows: list[Row]


def written(body: Body) -> Iterator[Element]:
    """Yield a table as elements, empty rows inside it as empty lines; a wide or sparse one as `name: value`."""
    columns = sorted({column for row in body.rows for column in row.columns} | body.names.keys())
    filled = sum(len(row.columns) for row in body.rows)
    header = [body.names.get(column, "") for column in columns]
    sparse = len(columns) >= _WIDE and filled < _MIN_FILLED * len(columns) * len(body.rows)
    if sparse or is_wide(header):
        yield _records(body, header)
        return
    first = body.rows[0].number if body.rows else 0
    places = {column: at for at, column in enumerate(columns)}
    rows = [_cells(row, places) for row in _with_gaps(body.rows)]
    if not any(header):
        yield lines([" | ".join(row) for row in rows], first)
    elif body.header_row is not None:
        gap = [[""] * len(columns)] * (first - body.header_row - 1) if body.rows else []
        yield table([header, *gap, *rows], first_row=body.header_row)


def _records(body: Body, header: Sequence[str]) -> Element:
    """Return a table whose every value stands beside its column's name, in which blank cells take no room."""
    names = {column: text or f"column {column_name(column)}" for column, text in body.names.items()}
    texts = [
        " | ".join(f"{names.get(column) or f'column {column_name(column)}'}: {text}" for column, text in row.cells())
        for row in _with_gaps(body.rows)
    ]
    if body.header_row is None:
        return lines(texts, body.rows[0].number)
    gap = [""] * (body.rows[0].number - body.header_row - 1) if body.rows else []
    return lines([" | ".join(filter(None, header)), *gap, *texts], body.header_row)


def _with_gaps(rows: Sequence[Row]) -> Iterator[Row]:
    last: int | None = None
    for row in rows:
        if last is not None:
            yield from (Row(number, (), ()) for number in range(last + 1, row.number))
        yield row
        last = row.number


def _cells(row: Row, places: Mapping[int, int]) -> list[str]:
    if not row.columns:
        return []
    if len(row.columns) == len(places):
        return list(row.values)
    cells = [""] * len(places)
    for column, text in row.cells():
        cells[places[column]] = text
    return cells
