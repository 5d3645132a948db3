"""DOCX: paragraphs, headings, lists with their numbers, tables, notes and text boxes.

The XML is read directly: unstructured took 28 s and 350 MB for a handbook of 872 pages, python-docx
leaves out content controls, text boxes and numbers.
"""

import re
from collections.abc import Iterator

from lxml import etree

from pipelines.ingest.clean import one_line, tidy
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.archive import Archive
from pipelines.ingest.formats.docx.numbering import BULLET, numbering
from pipelines.ingest.formats.docx.paragraphs import Paragraph, paragraph
from pipelines.ingest.formats.docx.styles import Style, styles
from pipelines.ingest.formats.headings import MAX_CHARS, level_of
from pipelines.ingest.formats.locked import unlocked_package
from pipelines.ingest.formats.ooxml import core_title, main_part
from pipelines.ingest.formats.table import table
from pipelines.ingest.formats.xml import attribute, child, local, number, parse, value
from schemas.errors.files import Damaged

MAX_MEAN_CELL_CHARS = 300
"""Tables whose cells hold more on average arrange the page; their cells are read one after the other."""

MAX_SPAN = 100
_DIGITS = re.compile(r"\d+")
_ENDS = tuple(".,;:!?。，；：！？")
_WRAPPERS = frozenset("sdt sdtContent ins moveTo customXml smartTag AlternateContent Choice".split())


def read(data: bytes, password: str | None = None) -> Extraction:
    """Return the elements of a document, with pages where Word left the breaks of its last rendering.

    Headers, footers and notes are read too. Raises Encrypted, WrongPassword, Damaged, Bomb,
    or TypeMismatch for a .doc that is called .docx.
    """
    archive = Archive(unlocked_package(data, password, "This is a file of an older Word (.doc)."))
    main = main_part(archive, "word/document.xml")
    document = archive.part(main)
    if document is None:
        raise Damaged("The file holds no Word document.")
    body = child(parse(document), "body")
    if body is None:
        raise Damaged("The file holds no Word document.")
    reading = _Reading(archive, main.rpartition("/")[0], paged=b"lastRenderedPageBreak" in document)
    elements = (*reading.margins(), *reading.blocks(body))
    title = core_title(archive) or reading.title or next((e.text for e in elements if e.kind is Kind.TITLE), "")
    return Extraction(tuple(elements), title, reading.page)


class _Reading:
    """One pass over a document; counts pages and list numbers as it goes."""

    def __init__(self, archive: Archive, folder: str, paged: bool) -> None:
        self.archive = archive
        self.folder = folder
        self.styles = styles(self._part("styles.xml"))
        self.numbering = numbering(self._part("numbering.xml"))
        self.notes = {**self._notes("footnotes.xml", "f"), **self._notes("endnotes.xml", "e")}
        self.page = 1 if paged else None
        self.title = ""

    def blocks(self, node: etree._Element) -> Iterator[Element]:
        """Yield the elements of what holds paragraphs and tables."""
        for part in node:
            name = local(part)
            if name == "p":
                yield from self._paragraph(part)
            elif name == "tbl":
                yield from self._table(part)
            elif name in _WRAPPERS:
                yield from self.blocks(part)

    def margins(self) -> Iterator[Element]:
        """Yield the texts of headers and footers, once each if they differ by more than page numbers."""
        texts: dict[str, str] = {}
        for name in self.archive.names():
            file = name.rpartition("/")[2]
            if name.startswith(f"{self.folder}/") and file.startswith(("header", "footer")) and file.endswith(".xml"):
                root = self._part(file)
                if root is not None:
                    for text in map(one_line, self._texts(root)):
                        texts.setdefault(_DIGITS.sub("#", text), text)
        yield from (Element(text) for text in texts.values() if sum(map(str.isalpha, text)) >= 4)

    def _paragraph(self, node: etree._Element) -> Iterator[Element]:
        style = self.styles.of(child(node, "pPr"))
        found = paragraph(node, style, self.styles.body_half_points)
        self._turn(found.breaks_before)
        text = tidy(found.text)
        if text:
            yield self._element(found, style, text)
        self._turn(found.breaks_after)
        for box in found.boxes:
            yield from self.blocks(box)
        yield from (Element(self.notes[note], page=self.page) for note in found.notes if self.notes.get(note))

    def _element(self, found: Paragraph, style: Style, text: str) -> Element:
        label = ""
        if style.list_id not in (None, "0"):
            label = self.numbering.label(style.list_id or "", style.list_level or 0)
        if style.is_title and not self.title:
            self.title = one_line(text)
        level = style.heading_level or (None if label == BULLET else self._type_level(found, text))
        if level:
            heading = one_line(f"{label} {text}" if label != BULLET else text)
            return Element(heading, Kind.TITLE, self.page, level=level)
        labelled = f"{label} {text}" if label else text
        return Element(labelled, Kind.LIST_ITEM if label else Kind.TEXT, self.page)

    def _type_level(self, found: Paragraph, text: str) -> int | None:
        """Return the level of a heading that only its type makes one, None for running text."""
        if len(text) > MAX_CHARS or text.endswith(_ENDS) or sum(map(str.isalpha, text)) < 2:
            return None
        level = level_of(found.half_points / self.styles.body_half_points, found.bold)
        return level if found.bold or (level and level <= 3) else None

    def _table(self, node: etree._Element) -> Iterator[Element]:
        cells = [list(_inside(row, "tc")) for row in _inside(node, "tr")]
        texts = [["\n".join(self._texts(cell)) for cell in row] for row in cells]
        filled = [text for row in texts for text in row if text.strip()]
        if max(map(len, cells), default=0) < 2 or sum(map(len, filled)) > MAX_MEAN_CELL_CHARS * len(filled):
            for row in cells:
                for cell in row:
                    yield from self.blocks(cell)
            return
        rows = _grid(cells, texts)
        if rows:
            yield table(rows, self.page)

    def _texts(self, node: etree._Element) -> Iterator[str]:
        """Yield the text of each paragraph inside a node, tables and boxes included."""
        for part in node.iter():
            if local(part) == "p":
                text = paragraph(part, Style(), self.styles.body_half_points).text
                if text.strip():
                    yield text

    def _turn(self, breaks: int) -> None:
        if self.page is not None:
            self.page += breaks

    def _part(self, name: str) -> etree._Element | None:
        data = self.archive.part(f"{self.folder}/{name}")
        return parse(data) if data else None

    def _notes(self, name: str, kind: str) -> dict[str, str]:
        """Return the texts of foot- or endnotes by their kind and id."""
        root = self._part(name)
        notes = root if root is not None else ()
        return {f"{kind}{attribute(note, 'id')}": one_line(" ".join(self._texts(note))) for note in notes}


def _grid(cells: list[list[etree._Element]], texts: list[list[str]]) -> list[list[str]]:
    """Return the rows of a table; a cell merged downwards stands in each row it covers, empty rows are left out."""
    grid: list[list[str]] = []
    for nodes, row_texts in zip(cells, texts, strict=True):
        row: list[str] = []
        for node, own_text in zip(nodes, row_texts, strict=True):
            text = own_text
            properties = child(node, "tcPr")
            merged = child(properties, "vMerge")
            if merged is not None and attribute(merged, "val") != "restart" and grid and len(row) < len(grid[-1]):
                text = grid[-1][len(row)]
            span = min(max(number(value(properties, "gridSpan")), 1), MAX_SPAN)
            row += [one_line(text), *[""] * (span - 1)]
        grid.append(row)
    width = max(map(len, grid), default=0)
    return [row + [""] * (width - len(row)) for row in grid if any(row)]


def _inside(node: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the children of this name, those inside content controls too."""
    for part in node:
        if local(part) == name:
            yield part
        elif local(part) in _WRAPPERS:
            yield from _inside(part, name)
