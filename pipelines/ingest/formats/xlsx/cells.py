"""The cells of one worksheet's XML."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from pipelines.ingest.formats.sheets.grid import Cells, Merge, Sheet
from pipelines.ingest.formats.sheets.numbers import GENERAL, Format, shown
from pipelines.ingest.formats.xml import attribute, local, number, streamed
from schemas.errors.files import Damaged

MAX_COLUMN = 16_384
MAX_ROW = 1_048_576
MAX_MERGES = 100_000


@dataclass(frozen=True)
class Reading:
    """What a workbook's sheets share."""

    strings: Sequence[str]
    formats: Sequence[Format]
    from_1904: bool
    cells: Cells

    def sheet(self, name: str, data: bytes) -> Sheet:
        """Return the rows and merged cells of a worksheet. Raises Damaged, Bomb."""
        found = Sheet(name)
        last = 0
        for node in streamed(data, "row", "mergeCell"):
            if local(node) == "mergeCell":
                if (merge := _merge(attribute(node, "ref"))) and len(found.merges) < MAX_MERGES:
                    found.merges.append(merge)
                continue
            last = number(node.get("r") or "") or last + 1
            if last > MAX_ROW or (found.rows and last <= found.rows[-1].number):
                raise Damaged("The rows of a sheet are not numbered as they must be.")
            if row := self.cells.row(last, self._row(node)):
                found.rows.append(row)
        return found

    def _row(self, node: etree._Element) -> dict[int, str]:
        cells: dict[int, str] = {}
        column = -1
        for cell in node:
            place = cell.get("r")
            column = column_and_row(place)[0] if place else column + 1
            if not 0 <= column < MAX_COLUMN:
                raise Damaged("A cell of a sheet is not where a cell can be.")
            if text := self._text(cell):
                cells[column] = text
        return cells

    def _text(self, cell: etree._Element) -> str:
        """Return what a cell shows: its value, or the value that its formula had when the file was saved."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return text_of(cell)
        raw = ""
        for part in cell:
            if isinstance(part.tag, str) and part.tag.endswith("}v"):
                raw = part.text or ""
        if kind == "s":
            at = number(raw) if raw.strip().isdigit() else len(self.strings)
            return self.strings[at] if at < len(self.strings) else ""
        if kind == "b":
            return {"0": "FALSE", "1": "TRUE"}.get(raw, raw)
        if kind == "d":
            return _plain_date(raw)
        if kind != "n" or not raw:
            return raw
        return shown(raw, self._format(cell.get("s", "0")), self.from_1904)

    def _format(self, style: str) -> Format:
        at = number(style)
        return self.formats[at] if at < len(self.formats) else GENERAL


def text_of(node: etree._Element) -> str:
    """Return the text of a string in runs, without the reading aids that Japanese ones have."""
    parts: list[str] = []
    for part in node.iter():
        if local(part) == "t" and local(part.getparent()) != "rPh":
            parts.append(part.text or "")
    return "".join(parts)


def column_and_row(place: str) -> tuple[int, int]:
    """Return the column, from 0, and the row, from 1, of a place such as `BC12`; -1 and 0 for what is none."""
    letters = place.rstrip("0123456789")
    return _column(letters), number(place[len(letters) :])


@lru_cache(maxsize=20_000)
def _column(letters: str) -> int:
    if not letters.isascii() or not letters.isalpha() or len(letters) > 3:
        return -1
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - 64
    return column - 1


def _merge(ref: str) -> Merge | None:
    first, _, last = ref.partition(":")
    left, top = column_and_row(first)
    right, bottom = column_and_row(last or first)
    return Merge(top, left, bottom, right) if 0 <= left <= right and 0 < top <= bottom else None


def _plain_date(raw: str) -> str:
    """Return an ISO date without the midnight that a date alone is kept with."""
    return raw.removesuffix("Z").removesuffix(".000").replace("T00:00:00", "").replace("T", " ")
