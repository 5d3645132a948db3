"""ODS: every sheet, its values as they are shown, dates as ISO 8601."""

from collections.abc import Iterator

from lxml import etree

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Extraction
from pipelines.ingest.formats.odf import content, text_of
from pipelines.ingest.formats.sheets.grid import Cells, Merge, Sheet
from pipelines.ingest.formats.sheets.tables import sheet_elements
from pipelines.ingest.formats.xml import attribute, local, number
from schemas.errors.files import Bomb

MAX_COLUMN = 16_384
MAX_REPEATED_ROWS = 1000
"""Equal rows that hold something; sheets fill their unused rest with millions of empty ones."""

_ROWS = frozenset("table-row-group table-rows table-header-rows".split())


def read(data: bytes) -> Extraction:
    """Return the tables of all sheets under the sheets' names. Raises Encrypted, Damaged, Bomb."""
    body, title = content(data, "spreadsheet")
    cells = Cells()
    elements: list[Element] = []
    for node in body:
        if local(node) == "table":
            elements += sheet_elements(_sheet(node, cells))
    return Extraction(tuple(elements), title)


def _sheet(table: etree._Element, cells: Cells) -> Sheet:
    found = Sheet(one_line(attribute(table, "name")))
    at = 1
    for node in _rows(table):
        repeated = max(number(attribute(node, "number-rows-repeated")), 1)
        values = _row(node, at, found)
        if any(text.strip() for text in values.values()):
            if repeated > MAX_REPEATED_ROWS:
                raise Bomb("A row of the file stands for more rows than a sheet has.")
            for number_ in range(at, at + repeated):
                if row := cells.row(number_, values):
                    found.rows.append(row)
        at += repeated
    return found


def _rows(node: etree._Element) -> Iterator[etree._Element]:
    for part in node:
        if local(part) == "table-row":
            yield part
        elif local(part) in _ROWS:
            yield from _rows(part)


def _row(node: etree._Element, at: int, sheet: Sheet) -> dict[int, str]:
    """Return the cells of a row by column, and keep its merged cells and its notes with the sheet."""
    values: dict[int, str] = {}
    column = 0
    for cell in node:
        if local(cell) not in ("table-cell", "covered-table-cell"):
            continue
        repeated = max(number(attribute(cell, "number-columns-repeated")), 1)
        down, right = number(attribute(cell, "number-rows-spanned")), number(attribute(cell, "number-columns-spanned"))
        if down > 1 or right > 1:
            sheet.merges.append(Merge(at, column, at + max(down, 1) - 1, column + max(right, 1) - 1))
        text = _value(cell)
        if text and local(cell) == "table-cell":
            for covered in range(column, min(column + repeated, MAX_COLUMN)):
                values[covered] = text
        for part in cell:
            if local(part) == "annotation" and (note := _paragraphs(part)):
                sheet.notes.append((at, f"Comment on row {at}: {note}"))
        column += repeated
    return values


def _value(cell: etree._Element) -> str:
    kind = attribute(cell, "value-type")
    if kind == "date":
        return attribute(cell, "date-value").replace("T00:00:00", "").replace("T", " ")
    # What formulas and numbers came to is written beside them as it is shown.
    return _paragraphs(cell) or attribute(cell, "value") or attribute(cell, "string-value")


def _paragraphs(node: etree._Element) -> str:
    return one_line(" ".join(text_of(part) for part in node if local(part) == "p"))
