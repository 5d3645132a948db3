"""JSON: records and values as text that reads by itself, `key: value`, under the keys they stand in."""

import json
from collections.abc import Iterator, Mapping
from typing import NoReturn, TypeAlias

from pipelines.ingest.clean import one_line, tidy
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.decoding import decode
from pipelines.ingest.formats.table import table
from schemas.errors.files import Damaged

MAX_DEPTH = 100
MAX_HEADING_LEVEL = 6
MAX_COLUMNS = 12
MAX_CELL_CHARS = 200

Value: TypeAlias = "str | bool | list[Value] | dict[str, Value] | None"


def read(data: bytes) -> Extraction:
    """Return the values of a JSON file, or of one with a JSON value on each line, in their order.

    Objects become lines of `key: value`, lists of flat objects tables, and what is nested stands
    under its key as a heading. Numbers keep their spelling. Raises Damaged where the file is not
    JSON (NaN is not) or is nested deeper than 100.
    """
    try:
        value = _parsed(decode(data))
        elements = tuple(_elements("", value, 1))
    except RecursionError as error:
        raise Damaged(f"The file is nested deeper than {MAX_DEPTH} levels.") from error
    title = value.get("title", value.get("name")) if isinstance(value, dict) else None
    return Extraction(elements, one_line(title) if isinstance(title, str) else "")


def _parsed(text: str) -> Value:
    try:
        return _loads(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if error.msg != "Extra data" or len(lines) < 2:
            raise Damaged(f"The file is not valid JSON: {error.msg} (line {error.lineno}).") from error
    try:
        return [_loads(line) for line in lines]
    except json.JSONDecodeError as error:
        raise Damaged(f"The file is not valid JSON: {error.msg}.") from error


def _loads(text: str) -> Value:
    # Numbers stay text: no digit is lost, and none is so long that it takes minutes to convert.
    value: Value = json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    return value


def _refuse(constant: str) -> NoReturn:
    raise Damaged(f"The file is not valid JSON: {constant} is not a JSON value.")


def _elements(name: str, value: Value, depth: int) -> Iterator[Element]:
    """Yield the elements of a value that stands under the key `name`, at `depth` from 1."""
    if depth > MAX_DEPTH:
        raise Damaged(f"The file is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        yield from _object(name, value, depth)
    elif isinstance(value, list):
        yield from _list(name, value, depth)
    elif text := _scalar(value):
        yield Element(f"{name}: {text}" if name else text)


def _object(name: str, value: Mapping[str, Value], depth: int) -> Iterator[Element]:
    if name:
        yield Element(name, Kind.TITLE, level=min(depth - 1, MAX_HEADING_LEVEL) or 1)
    flat = [f"{one_line(key)}: {text}" for key, item in value.items() if (text := _flat(item))]
    if flat:
        yield Element("\n".join(flat))
    for key, item in value.items():
        if not _flat(item):
            yield from _elements(one_line(key), item, depth + 1)


def _list(name: str, value: list[Value], depth: int) -> Iterator[Element]:
    if name:
        yield Element(name, Kind.TITLE, level=min(depth - 1, MAX_HEADING_LEVEL) or 1)
    if rows := _rows(value):
        yield table(rows)
        return
    for item in value:
        if text := _flat(item):
            yield Element(text, Kind.LIST_ITEM)
        elif isinstance(item, dict):
            yield from _record(item, depth)
        else:
            yield from _elements("", item, depth + 1)


def _record(value: Mapping[str, Value], depth: int) -> Iterator[Element]:
    """Yield one object of a list: as one text with the paths of what is nested in it, if that is not much."""
    lines = list(_paths("", dict(value), depth))
    if lines:
        yield Element("\n".join(lines))


def _paths(prefix: str, value: Value, depth: int) -> Iterator[str]:
    """Yield `path: text` for each value inside `value`, paths joined by full stops."""
    if depth > MAX_DEPTH:
        raise Damaged(f"The file is nested deeper than {MAX_DEPTH} levels.")
    if text := _flat(value):
        yield f"{prefix}: {text}" if prefix else text
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(f"{prefix}.{one_line(key)}" if prefix else one_line(key), item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _paths(prefix, item, depth + 1)


def _rows(value: list[Value]) -> list[list[str]]:
    """Return a list of flat objects as rows under their keys, nothing if they are not alike or their values long."""
    records = [item for item in value if isinstance(item, dict)]
    if len(records) != len(value) or len(records) < 2:
        return []
    keys = list(dict.fromkeys(key for record in records for key in record))
    cells = [[_flat(record.get(key)) for key in keys] for record in records]
    if len(keys) < 2 or len(keys) > MAX_COLUMNS or any(len(cell) > MAX_CELL_CHARS for row in cells for cell in row):
        return []
    filled = sum(map(bool, (cell for row in cells for cell in row)))
    nested = any(isinstance(item, dict | list) and not _flat(item) and item for r in records for item in r.values())
    if nested or filled * 2 < len(keys) * len(records):
        return []
    return [[one_line(key) for key in keys], *([one_line(cell) for cell in row] for row in cells)]


def _flat(value: Value) -> str:
    """Return the text of a scalar, or of a list of scalars; nothing for what is nested or null."""
    if isinstance(value, list):
        texts = [_scalar(item) for item in value if not isinstance(item, dict | list)]
        return ", ".join(filter(None, texts)) if len(texts) == len(value) else ""
    return "" if isinstance(value, dict) else _scalar(value)


def _scalar(value: str | bool | None) -> str:
    if value is None:
        return ""
    return tidy(value) if isinstance(value, str) else str(value).lower()
