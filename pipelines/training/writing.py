"""Entries as files: CSV that a spreadsheet opens without harm, or a JSON list; written row by row."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipelines.training.cells import TAGS, escaped


def as_csv(fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a CSV file whose first one names the fields. Its mark tells spreadsheets that it is UTF-8."""
    yield f"\ufeff{_line(fields)}"
    for row in rows:
        yield _line([_cell(row[name]) for name in fields])


def as_json(fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the pieces of a JSON list of objects, one object a line."""
    before = "["
    for row in rows:
        plain = {name: row[name] if name == "tags" or row[name] is None else str(row[name]) for name in fields}
        yield f"{before}\n{json.dumps(plain, ensure_ascii=False)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return escaped(TAGS.join(value) if isinstance(value, list) else str(value))


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    # Quoted throughout: blanks at the ends of a cell, and what looks like a number, stay as they are.
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(cells)
    return line.getvalue()
