"""XLS: every sheet, hidden ones too, its values as they are shown. Macros and formulas stay unread."""

from collections.abc import Iterator
from typing import Any

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Extraction
from pipelines.ingest.file_types import OLE
from pipelines.ingest.formats import xlsx
from pipelines.ingest.formats.foreign import blamed_on_file
from pipelines.ingest.formats.locked import unlocked
from pipelines.ingest.formats.ole import PACKAGE
from pipelines.ingest.formats.sheets.grid import Cells, Merge, Sheet
from pipelines.ingest.formats.sheets.numbers import GENERAL, Format, number_format, shown
from pipelines.ingest.formats.sheets.tables import sheet_elements
from schemas.errors.uploads import TypeMismatch

_STREAMS = tuple(name.encode("utf-16-le") for name in ("Workbook", "Book"))


def read(data: bytes, password: str | None = None) -> Extraction:
    """Return the tables of all sheets under the sheets' names, with the rows' numbers.

    Raises Encrypted, WrongPassword, Damaged, Bomb, or TypeMismatch for another sort of old Office file.
    """
    if PACKAGE in data:
        return xlsx.read(data, password)
    if data.startswith(OLE) and not any(name in data for name in _STREAMS):
        raise TypeMismatch("The file holds no Excel workbook.")
    cells = Cells()
    elements: list[Element] = []
    with blamed_on_file(), _opened(data, password) as book:
        formats = [_format(book, style) for style in book.xf_list]
        for at in range(book.nsheets):
            elements += sheet_elements(_sheet(book, book.sheet_by_index(at), formats, cells))
            book.unload_sheet(at)
    return Extraction(tuple(elements))


def _opened(data: bytes, password: str | None) -> Any:
    import xlrd  # Only old files need it.

    settings = {"formatting_info": True, "logfile": _Silence(), "on_demand": True}
    try:
        return xlrd.open_workbook(file_contents=data, **settings)
    except xlrd.XLRDError as error:
        if "encrypted" not in str(error):
            raise
    return xlrd.open_workbook(file_contents=unlocked(data, password), **settings)


class _Silence:
    """Where xlrd may tell what it finds odd."""

    def write(self, text: str) -> None:
        """Forget a text."""

    def flush(self) -> None:
        """Do nothing."""


def _format(book: Any, style: Any) -> Format:
    known = book.format_map.get(style.format_key)
    return number_format(str(known.format_str)[:1000]) if known else GENERAL


def _sheet(book: Any, sheet: Any, formats: list[Format], cells: Cells) -> Sheet:
    found = Sheet(one_line(sheet.name))
    for at in range(sheet.nrows):
        if row := cells.row(at + 1, dict(_values(book, sheet.row(at), formats))):
            found.rows.append(row)
    found.merges += [Merge(top + 1, left, below, after - 1) for top, below, left, after in sheet.merged_cells]
    for (row_at, _), note in sorted(sheet.cell_note_map.items()):
        if text := one_line(note.text):
            found.notes.append((row_at + 1, f"Comment on row {row_at + 1}: {text}"))
    return found


def _values(book: Any, row: Any, formats: list[Format]) -> Iterator[tuple[int, str]]:
    """Yield the column and the shown text of each filled cell."""
    import xlrd

    for column, cell in enumerate(row):
        if cell.ctype == xlrd.XL_CELL_TEXT:
            yield column, cell.value
        elif cell.ctype in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
            form = formats[cell.xf_index] if cell.xf_index is not None and cell.xf_index < len(formats) else GENERAL
            yield column, shown(repr(cell.value), form, bool(book.datemode))
        elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
            yield column, "TRUE" if cell.value else "FALSE"
        elif cell.ctype == xlrd.XL_CELL_ERROR:
            yield column, str(xlrd.error_text_from_code.get(cell.value, "#ERR!"))
