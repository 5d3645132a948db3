"""The cells of a sheet, as every sort of sheet file is read into them, within limits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.ingest.clean import one_line
from schemas.errors.files import Bomb

MAX_COLUMNS = 100_000
"""Six times what Excel has. A wider table has no row that a question could find."""

MAX_CELLS = 5_000_000
MAX_CHARS = 64 << 20
"""Of all sheets of a file together."""


@dataclass(frozen=True, slots=True)
class Row:
    """The filled cells of a row: `number` counts from 1 as in the sheet, `columns` from 0, in ascending order."""

    number: int
    columns: Sequence[int]
    values: Sequence[str]

    def cells(self) -> Iterable[tuple[int, str]]:
        return zip(self.columns, self.values, strict=True)


@dataclass(frozen=True)
class Merge:
    """Cells that are shown as one: rows from 1 and columns from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass
class Sheet:
    """A sheet's name, its rows that hold anything, the merged cells, and notes on cells by (row, text)."""

    name: str = ""
    rows: list[Row] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)


class Cells:
    """Makes rows and counts what they hold. Raises Bomb at the limits of a file."""

    def __init__(self) -> None:
        self._cells = self._chars = 0
        self._columns: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._values: dict[str, str] = {}

    def row(self, number: int, cells: Mapping[int, str]) -> Row | None:
        """Return a row of the cells by column, their text on one line; None if all are blank."""
        filled = [(column, text) for column, raw in sorted(cells.items()) if (text := one_line(raw))]
        if not filled:
            return None
        if len(filled) > MAX_COLUMNS:
            raise Bomb(f"A row of the file has more than {MAX_COLUMNS:,} cells.")
        self._cells += len(filled)
        self._chars += sum(len(text) for _, text in filled)
        if self._cells > MAX_CELLS:
            raise Bomb(f"The file holds more than {MAX_CELLS:,} cells.")
        if self._chars > MAX_CHARS:
            raise Bomb(f"The cells of the file hold more than {MAX_CHARS >> 20} million characters.")
        columns = tuple(column for column, _ in filled)
        # Most rows fill the same columns, and many cells say the same: one copy serves them all.
        columns = self._columns.setdefault(columns, columns) if len(columns) < 1000 else columns
        return Row(number, columns, [self._shared(text) for _, text in filled])

    def _shared(self, text: str) -> str:
        if len(text) > 40 or len(self._values) > 100_000:
            return text
        return self._values.setdefault(text, text)


def column_name(index: int) -> str:
    """Return the letters of a column that counts from 0: A, Z, AA."""
    name, left = "", index + 1
    while left:
        left, letter = divmod(left - 1, 26)
        name = chr(65 + letter) + name
    return name
