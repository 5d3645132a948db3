"""The tables in a sheet: where each begins, what its header is, what stands above it.

Rows without a filled cell part a sheet into blocks. A block that has a header of its own is a table,
one that has none goes on with the table before it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipelines.ingest.elements import Element, Kind
from pipelines.ingest.formats.sheets.grid import Row, Sheet
from pipelines.ingest.formats.sheets.merged import group_names, spread
from pipelines.ingest.formats.sheets.writing import Body, written

MAX_ROWS_ABOVE = 12
"""A header is looked for in so many rows of a block."""

MAX_GAP = 200
MAX_CAPTION_CHARS = 150
MAX_LABEL_CHARS = 200
MAX_HEADER_ROWS = 4
_LONG_CHARS = 80
_LOOKED_AT = 50
_DATA = re.compile(r"[\W_]*\d[\d\W_]*(?:[^\W\d_]{1,4})?[\W_]*")
_YEAR = re.compile(r"(?:1[89]|20|21)\d\d")


@dataclass
class _Open:
    """A table that may go on in the next block."""

    body: Body
    captioned: bool
    columns: frozenset[int] = field(default_factory=frozenset)


def sheet_elements(sheet: Sheet) -> Iterator[Element]:
    """Yield a sheet's name as a heading, its tables with what stands above them, and the notes on its cells."""
    if sheet.name and (sheet.rows or sheet.notes):
        yield Element(sheet.name, Kind.TITLE, level=1)
    yield from _Reading(sheet).elements()
    yield from (Element(text, first_row=row) for row, text in sheet.notes)


class _Reading:
    """One pass over the blocks of a sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.open: _Open | None = None
        self.captioned = False

    def elements(self) -> Iterator[Element]:
        for block in _blocks(spread(self.sheet.rows, self.sheet.merges)):
            if self._goes_on(block):
                assert self.open is not None
                self.open.body.rows += block
                continue
            yield from self._close()
            yield from self._opened(block)
        yield from self._close()

    def _goes_on(self, block: Sequence[Row]) -> bool:
        """Tell whether a block belongs to the table before it."""
        if self.open is None or block[0].number - self.open.body.rows[-1].number > MAX_GAP:
            return False
        columns = {column for row in block for column in row.columns}
        if not columns <= self.open.columns:
            return False
        if len(columns) == 1 and len(self.open.columns) > 1 and any(_is_label(row.values[0]) for row in block):
            return False  # A remark below the table, or the title of the next one.
        at = _header_at(block)
        if at is None:
            return True
        body = self.open.body.rows[-_LOOKED_AT:]
        texts = all(_is_label(text) for row in body for text in row.values)
        return at == 0 and texts and columns == self.open.columns

    def _opened(self, block: list[Row]) -> Iterator[Element]:
        """Open the table in a block, and yield what stands above it; yield the rows where there is none."""
        if max(len(row.columns) for row in block) == 1 and len({row.columns[0] for row in block}) == 1:
            yield from self._column(block)
            return
        at = _header_at(block)
        if at is None:
            at = next((i for i, row in enumerate(block) if len(row.columns) > 1), 0)
            names: dict[int, str] = {}
            header_row, body = None, block[at:]
        else:
            names, last = self._header(block, at)
            header_row, body = block[last].number, block[last + 1 :]
            at -= at > 0 and self._groups(block, at)
        yield from self._above(block[:at])
        columns = frozenset(column for row in body for column in row.columns) | names.keys()
        self.open = _Open(Body(names, header_row, body), self.captioned, columns)

    def _header(self, block: Sequence[Row], at: int) -> tuple[dict[int, str], int]:
        """Return the columns' names, and the index of the header's last row; rows of it are joined."""
        merges = [merge for merge in self.sheet.merges if merge.top == block[at].number and merge.bottom > merge.top]
        bottom = max((merge.bottom for merge in merges), default=block[at].number)
        last = at
        while last + 1 < len(block) - 1 and block[last + 1].number <= bottom and last - at < MAX_HEADER_ROWS - 1:
            last += 1
        rows = [*([block[at - 1]] if at and self._groups(block, at) else []), *block[at : last + 1]]
        parts: dict[int, list[str]] = {}
        for row in rows[:-1]:
            for column, text in group_names(row, self.sheet.merges).items():
                parts.setdefault(column, []).append(text)
        for column, text in rows[-1].cells():
            parts.setdefault(column, []).append(text)
        return {column: " ".join(dict.fromkeys(texts)) for column, texts in sorted(parts.items())}, last

    def _groups(self, block: Sequence[Row], at: int) -> bool:
        """Tell whether the row above the header names groups of its columns."""
        above, header = block[at - 1], block[at]
        if len(above.columns) < 2 or len(above.columns) >= len(header.columns) or not all(map(_is_label, above.values)):
            return False
        if any(merge.top == above.number and merge.right > merge.left for merge in self.sheet.merges):
            return True
        steps = [b - a for a, b in zip(above.columns, above.columns[1:], strict=False)]
        return min(steps[above.columns[0] == 0 and len(steps) > 1 :]) > 1

    def _above(self, rows: Sequence[Row]) -> Iterator[Element]:
        """Yield the rows above a table: the first one that stands alone is its heading."""
        heading = next((row for row in rows if len(row.values) == 1 and len(row.values[0]) <= MAX_CAPTION_CHARS), None)
        if heading is None and self.captioned and self.sheet.name:
            # What was under the heading of another table is under the sheet's alone again.
            yield Element(self.sheet.name, Kind.TITLE, level=1)
        self.captioned = heading is not None
        for row in rows:
            if row is heading:
                yield Element(row.values[0], Kind.TITLE, level=2, first_row=row.number)
            else:
                separator = ": " if len(row.values) == 2 and not row.values[0].endswith(":") else " "
                text = separator.join(row.values) if len(row.values) <= 2 else " | ".join(row.values)
                yield Element(text, first_row=row.number)

    def _column(self, block: Sequence[Row]) -> Iterator[Element]:
        """Yield a block of a single column: text, or a list of short values."""
        texts = [row.values[0] for row in block]
        if len(block) < 3 or sum(map(len, texts)) > _LONG_CHARS * len(texts):
            yield from (Element(row.values[0], first_row=row.number) for row in block)
        else:
            yield from written(Body({}, None, list(block)))

    def _close(self) -> Iterator[Element]:
        if self.open:
            yield from written(self.open.body)
        self.open = None


def _blocks(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield runs of rows that follow each other directly."""
    block: list[Row] = []
    for row in rows:
        if block and row.number > block[-1].number + 1:
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def _header_at(block: Sequence[Row]) -> int | None:
    """Return which row of a block names its columns, None if there is none: it holds labels, the rest values."""
    width = max(len(row.columns) for row in block[:_LOOKED_AT])
    for at, row in enumerate(block[: min(MAX_ROWS_ABOVE, len(block) - 1)]):
        if len(row.columns) < max(2, (width + 1) // 2):
            continue
        if not _names(row):
            return None
        # A line such as "Prepared by | Jane" stands above a header that goes further to the right.
        if not any(_names(later) and _goes_further(later, row) for later in block[at + 1 : at + 4]):
            return at
    return None


def _names(row: Row) -> bool:
    """Tell whether a row's cells can name columns; years can beside other names."""
    return all(map(_is_label, row.values)) and not all(map(_YEAR.fullmatch, row.values))


def _goes_further(later: Row, row: Row) -> bool:
    return len(later.columns) > len(row.columns) and later.columns[0] == row.columns[0]


def _is_label(text: str) -> bool:
    """Tell whether a cell's text can name a column rather than be a number, a date or an amount."""
    return len(text) <= MAX_LABEL_CHARS and (not _DATA.fullmatch(text) or _YEAR.fullmatch(text) is not None)
