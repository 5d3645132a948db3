"""XLSX and XLSM: every sheet, hidden ones too, its values as they are shown. Macros and formulas stay unread.

The XML is read directly: calamine and kreuzberg tell neither number formats nor merged cells, openpyxl
takes ten times as long and trusts what a file says of its size.
"""

from collections.abc import Iterator

from lxml import etree

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Extraction
from pipelines.ingest.formats.archive import Archive
from pipelines.ingest.formats.locked import unlocked_package
from pipelines.ingest.formats.ooxml import Relation, core_title, main_part, relations
from pipelines.ingest.formats.sheets.grid import Cells, Sheet
from pipelines.ingest.formats.sheets.numbers import BUILTIN, GENERAL, Format, number_format
from pipelines.ingest.formats.sheets.tables import sheet_elements
from pipelines.ingest.formats.xlsx.cells import Reading, column_and_row, text_of
from pipelines.ingest.formats.xml import attribute, child, children, local, number, parse, streamed
from schemas.errors.files import Bomb, Damaged

MAX_SHEETS = 1000
MAX_STRINGS = 5_000_000


def read(data: bytes, password: str | None = None) -> Extraction:
    """Return the tables of all sheets under the sheets' names, with the rows' numbers.

    Raises Encrypted, WrongPassword, Damaged, Bomb, or TypeMismatch for an .xls that is called .xlsx.
    """
    archive = Archive(unlocked_package(data, password, "This is a file of an older Excel (.xls)."))
    main = main_part(archive, "xl/workbook.xml")
    workbook = archive.part(main)
    root = parse(workbook) if workbook else None
    if root is None or local(root) != "workbook":
        raise Damaged("The file holds no Excel workbook.")
    elements: list[Element] = []
    for sheet in _sheets(archive, main, root):
        elements += sheet_elements(sheet)
    return Extraction(tuple(elements), core_title(archive))


def _sheets(archive: Archive, main: str, root: etree._Element) -> Iterator[Sheet]:
    related = relations(archive, main)
    of_kind = {relation.kind: relation.target for relation in related.values()}
    reading = Reading(
        strings=_strings(archive, of_kind.get("sharedStrings", "")),
        formats=_formats(archive, of_kind.get("styles", "")),
        from_1904=attribute(child(root, "workbookPr"), "date1904") in ("1", "true"),
        cells=Cells(),
    )
    listed = [node for node in children(root, "sheets") if local(node) == "sheet"]
    if len(listed) > MAX_SHEETS:
        raise Bomb(f"The file has more than {MAX_SHEETS} sheets.")
    for node in listed:
        relation = related.get(_id(node))
        data = archive.part(relation.target) if relation and relation.kind == "worksheet" else None
        name = one_line(attribute(node, "name"))
        if relation and data:
            sheet = reading.sheet(name, data)
            sheet.notes += _notes(archive, relation)
            yield sheet


def _id(node: etree._Element) -> str:
    """Return the id of a relation, which has a namespace of its own beside the sheet's."""
    return next((str(text) for key, text in node.items() if str(key).endswith("}id")), "")


def _strings(archive: Archive, part: str) -> list[str]:
    """Return the texts that cells refer to by number."""
    data = archive.part(part) if part else None
    found: list[str] = []
    for node in streamed(data, "si") if data else ():
        found.append(text_of(node))
        if len(found) > MAX_STRINGS:
            raise Bomb()
    return found


def _formats(archive: Archive, part: str) -> list[Format]:
    """Return the number formats of the cell styles, in the order that cells refer to them."""
    data = archive.part(part) if part else None
    root = parse(data) if data else None
    codes = {number(attribute(node, "numFmtId")): attribute(node, "formatCode") for node in children(root, "numFmts")}
    known: dict[int, Format] = {}
    found: list[Format] = []
    for node in children(root, "cellXfs"):
        at = number(attribute(node, "numFmtId"))
        if at not in known:
            code = codes.get(at) or BUILTIN.get(at, "")
            known[at] = number_format(code[:1000]) if code else GENERAL
        found.append(known[at])
    return found


def _notes(archive: Archive, sheet: Relation) -> Iterator[tuple[int, str]]:
    """Yield the row and the text of each comment on a cell."""
    for relation in relations(archive, sheet.target).values():
        data = archive.part(relation.target) if relation.kind == "comments" else None
        for node in streamed(data, "comment") if data else ():
            place = attribute(node, "ref")
            text = one_line(text_of(node))
            if text:
                yield column_and_row(place)[1] or 1, f"Comment on {place}: {text}"
