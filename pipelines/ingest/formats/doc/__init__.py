"""DOC: paragraphs, headings, lists, tables and notes of Word 97 to 2003, and the bare text of Word 6 and 95.

kreuzberg was tried: it shows what fields run (DDE among them) and has neither headings nor tables.
"""

from collections.abc import Iterator, Sequence

from pipelines.ingest.clean import one_line, tidy
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats import docx
from pipelines.ingest.formats.doc.text import Field, Paragraph, paragraphs
from pipelines.ingest.formats.locked import unlocked
from pipelines.ingest.formats.ole import PACKAGE, number, streams
from pipelines.ingest.formats.table import table
from schemas.errors.files import Damaged
from schemas.errors.uploads import TypeMismatch

WORD_97 = 193
_MAGIC = (0xA5EC, 0xA5DC)
_LOCKED = 0x0100
_OTHER_TABLE = 0x0200


def read(data: bytes, password: str | None = None) -> Extraction:
    """Return the elements of a document. Raises Encrypted, WrongPassword, Damaged, TypeMismatch."""
    if PACKAGE in data:
        return docx.read(data, password)
    names = ("WordDocument", "0Table", "1Table")
    found, title = streams(data, names)
    main = found.get("WordDocument")
    if main is None:
        raise TypeMismatch("The file holds no Word document.")
    if number(main, 0, 2) not in _MAGIC:
        raise Damaged()
    if number(main, 10, 2) & _LOCKED:
        found, _ = streams(unlocked(data, password), names)
        main = found.get("WordDocument", b"")
    flags = number(main, 10, 2)
    if number(main, 2, 2) < WORD_97:
        begin, end = number(main, 24), number(main, 28)
        texts = Field().shown(main[begin:end].decode("cp1252", "replace")).split("\r")
        elements = tuple(Element(text) for raw in texts if (text := tidy(raw.replace("\x07", " "))))
    else:
        tables = found.get("1Table" if flags & _OTHER_TABLE else "0Table")
        if tables is None:
            raise Damaged()
        elements = tuple(_elements(list(paragraphs(main, tables))))
    return Extraction(elements, title or next((e.text for e in elements if e.kind is Kind.TITLE), ""))


def _elements(found: Sequence[Paragraph]) -> Iterator[Element]:
    cell: list[str] = []
    row: list[str] = []
    rows: list[list[str]] = []
    for paragraph in found:
        if not paragraph.in_table:
            yield from _table(rows)
            rows = []
            yield from _element(paragraph)
        elif paragraph.ends_row:
            if any(row):
                rows.append(row)
            cell, row = [], []
        else:
            cell.append(paragraph.text)
            if paragraph.ends_cell:
                row.append(one_line(" ".join(cell)))
                cell = []
    if any(row):
        rows.append(row)
    yield from _table(rows)


def _element(paragraph: Paragraph) -> Iterator[Element]:
    text = tidy(paragraph.text)
    if not text:
        return
    if paragraph.level:
        yield Element(one_line(text), Kind.TITLE, level=paragraph.level)
    elif paragraph.listed:
        yield Element(f"• {text}", Kind.LIST_ITEM)
    else:
        yield Element(text)


def _table(rows: list[list[str]]) -> Iterator[Element]:
    """Yield a table, or the text of what has but one row or one column."""
    width = max(map(len, rows), default=0)
    if len(rows) > 1 and width > 1:
        yield table([row + [""] * (width - len(row)) for row in rows])
    else:
        yield from (Element(" | ".join(filter(None, row))) for row in rows)
