"""Files of entries into rows: CSV with any separator and in any encoding, JSON lists, or a JSON object on each line."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NoReturn, TypeAlias

from pipelines.ingest.formats import csv_
from pipelines.ingest.formats.decoding import decode
from pipelines.training.cells import restored, tags
from schemas.errors.requests import InvalidRequest

MAX_ROWS = 10_000
MAX_CELL_CHARS = 1_000_000
LISTS = ("rows", "entries", "items", "data")
"""Under which name an object may carry the list."""

Columns: TypeAlias = Mapping[str, Sequence[str]]
"""The fields of an entry, each with other names that its column may have, in lower case."""


@dataclass(frozen=True)
class Row:
    """A row with the number that it has for who looks into the file, from 1. `fault` says why it cannot be read."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    fault: str | None = None


def read(data: bytes, columns: Columns, required: Sequence[str]) -> list[Row]:
    """Return the rows of a file; of a column that is not one of `columns` nothing is kept.

    Raises InvalidRequest where the file is none of the kind, holds no rows or more than MAX_ROWS, or its first row
    does not name the required columns, and Damaged where it is no text.
    """
    text = decode(data).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    found = _from_json(text) if text.lstrip()[:1] in ("[", "{") else _from_csv(text, columns, required)
    rows = list(islice(found, MAX_ROWS + 1))
    if len(rows) > MAX_ROWS:
        raise InvalidRequest(f"A file brings {MAX_ROWS:,} rows at most. Send it in parts.")
    if not rows:
        raise InvalidRequest("The file holds no rows.")
    return [renamed(row, columns) for row in rows]


def renamed(row: Row, columns: Columns) -> Row:
    """Return the row with its values under the fields' own names."""
    names = {name: one for one, others in columns.items() for name in (one, *others)}
    return Row(row.number, {names[_plain(k)]: v for k, v in row.values.items() if _plain(k) in names}, row.fault)


def listed(found: object) -> list[Row]:
    """Return the rows of a list that came as JSON."""
    values = found if isinstance(found, list) else [found]
    return [_row(number, value) for number, value in enumerate(values, 1)]


def _from_json(text: str) -> Iterator[Row]:
    try:
        found = _loads(text)
    except ValueError:
        if text.lstrip().startswith("["):
            raise InvalidRequest("The file is not valid JSON.") from None
        yield from _from_lines(text)
        return
    inside = next((found[name] for name in LISTS if isinstance(found.get(name), list)), found) if _is(found) else found
    yield from listed(inside)


def _from_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield _row(number, _loads(line))
            except ValueError:
                yield Row(number, fault="The line is not valid JSON.")


def _from_csv(text: str, columns: Columns, required: Sequence[str]) -> Iterator[Row]:
    # For the whole process: Python refuses fields of more than 128 kB, and a text may be longer.
    csv.field_size_limit(MAX_CELL_CHARS)
    separator, text, skipped = csv_.separator_of(text)
    names = {name for one, others in columns.items() for name in (one, *others)}
    # What the first row says is more certain than how the rows look: texts are full of commas and semicolons.
    separator = next((one for one in csv_.SEPARATORS if _names(text, one, columns, required)), separator)
    try:
        records = csv_.records(text, separator, quoted=_is_quoted(text, separator))
        header = [_plain(cell) for cell in next(records, [])]
        if not _names(text, separator, columns, required):
            lacking = ", ".join(f"`{name}`" for name in required)
            raise InvalidRequest(f"The first row must name the columns: {lacking} at least.")
        for number, cells in enumerate(records, 2 + skipped):
            if any(cell.strip() for cell in cells):
                yield _of_cells(number, header, cells, names)
    except csv.Error as error:
        raise InvalidRequest(f"The file is not readable as CSV: {error}.") from error


def _of_cells(number: int, header: Sequence[str], cells: Sequence[str], names: set[str]) -> Row:
    if len(cells) > len(header):
        return Row(number, fault=f"The row has {len(cells)} cells, the first row names {len(header)} columns.")
    values: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=False):
        text = restored(cell.strip())
        if name in names and text:
            values[name] = tags(text) if name == "tags" else text
    return Row(number, values)


def _is_quoted(text: str, separator: str) -> bool:
    """Tell whether quotes hold cells together: also very long ones, where all rows are of one width then."""
    if csv_.is_quoted(text, separator):
        return True
    return len({len(cells) for cells in csv_.records(text, separator, quoted=True) if cells}) == 1


def _names(text: str, separator: str, columns: Columns, required: Sequence[str]) -> bool:
    """Tell whether the first row, parted so, names all the required columns."""
    try:
        header = {_plain(cell) for cell in next(csv_.records(text, separator, quoted=True), [])}
    except csv.Error:
        return False
    return all(header.intersection((name, *columns[name])) for name in required)


def _row(number: int, value: object) -> Row:
    if not _is(value):
        return Row(number, fault="The row is not an object.")
    assert isinstance(value, dict)
    values = {str(name): one for name, one in value.items() if one is not None}
    if isinstance(values.get("tags"), str):
        values["tags"] = tags(values["tags"])
    return Row(number, values)


def _is(value: object) -> bool:
    return isinstance(value, dict)


def _plain(name: str) -> str:
    return "_".join(name.strip().lower().split())


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
