"""ODT: headings, paragraphs, lists, tables and notes."""

from collections.abc import Iterator

from lxml import etree

from pipelines.ingest.clean import one_line, tidy
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.odf import content, text_of
from pipelines.ingest.formats.table import table
from pipelines.ingest.formats.xml import attribute, local, number

MAX_SPAN = 1000
MAX_CELLS = 200_000
MAX_MEAN_CELL_CHARS = 300
"""Tables whose cells hold more on average arrange the page; their cells are read one after the other."""

_ITEMS = frozenset(("list-item", "list-header"))
_ROWS = frozenset("table-row-group table-rows table-header-rows".split())
_SKIPPED = frozenset("tracked-changes sequence-decls variable-decls user-field-decls forms annotation".split())


def read(data: bytes) -> Extraction:
    """Return the elements of a document. Raises Encrypted, Damaged, Bomb."""
    body, title = content(data, "text")
    elements = tuple(_blocks(body, listed=False))
    return Extraction(elements, title or next((e.text for e in elements if e.kind is Kind.TITLE), ""))


def _blocks(node: etree._Element, listed: bool) -> Iterator[Element]:
    """Yield the elements of what holds paragraphs, lists and tables."""
    for part in node:
        name = local(part)
        if name == "h":
            if text := one_line(text_of(part)):
                yield Element(text, Kind.TITLE, level=min(number(attribute(part, "outline-level")) or 1, 9))
            yield from _hanging(part)
        elif name == "p":
            yield from _paragraph(part, listed)
        elif name == "table":
            yield from _table(part)
        elif name in _ITEMS or (name and name not in _SKIPPED):
            # Sections, frames, indexes and whatever else wraps blocks.
            yield from _blocks(part, listed or name in _ITEMS)


def _paragraph(node: etree._Element, listed: bool) -> Iterator[Element]:
    if text := tidy(text_of(node, _UNSAID_IN_TEXT)):
        style = attribute(node, "style-name").lower()
        if style in ("title", "subtitle"):
            yield Element(one_line(text), Kind.TITLE, level=1 if style == "title" else 2)
        elif listed:
            yield Element(f"• {text}", Kind.LIST_ITEM)
        else:
            yield Element(text)
    yield from _hanging(node)


_UNSAID_IN_TEXT = frozenset("note annotation annotation-end tracked-changes ruby-text text-box table".split())


def _hanging(node: etree._Element) -> Iterator[Element]:
    """Yield the notes and the text boxes in a paragraph."""
    for part in node.iterdescendants():
        name = local(part)
        if name == "note-body":
            yield from (Element(text) for p in part if (text := tidy(text_of(p))))
        elif name == "text-box":
            yield from _blocks(part, listed=False)


def _table(node: etree._Element) -> Iterator[Element]:
    cells = [[cell for cell in row if local(cell).endswith("table-cell")] for row in _rows(node)]
    texts = [text for row in cells for cell in row if (text := _cell(cell))]
    nested = any(local(part) == "table" for row in cells for cell in row for part in cell.iterdescendants())
    if max(map(len, cells), default=0) < 2 or nested or sum(map(len, texts)) > MAX_MEAN_CELL_CHARS * len(texts):
        for row in cells:
            for cell in row:
                yield from _blocks(cell, listed=False)
        return
    rows = _grid(cells)
    if rows:
        yield table(rows)


def _rows(node: etree._Element) -> Iterator[etree._Element]:
    for part in node:
        if local(part) == "table-row":
            yield part
        elif local(part) in _ROWS:
            yield from _rows(part)


def _grid(cells: list[list[etree._Element]]) -> list[list[str]]:
    """Return the rows; a cell merged downwards stands in each row it covers, empty rows and ends are left out."""
    below: dict[int, tuple[int, str]] = {}
    grid: list[list[str]] = []
    total = 0
    for nodes in cells:
        row: list[str] = []
        for cell in nodes:
            text = _cell(cell)
            if local(cell) == "covered-table-cell" and len(row) in below:
                left, above = below.pop(len(row))
                text = text or above
                if left > 1:
                    below[len(row)] = (left - 1, above)
            down = min(number(attribute(cell, "number-rows-spanned")), MAX_SPAN)
            if down > 1:
                below[len(row)] = (down - 1, text)
            row += [text] * min(max(number(attribute(cell, "number-columns-repeated")), 1), MAX_SPAN)
        total += len(row)
        if total > MAX_CELLS:
            break
        grid.append(row)
    width = max((at + 1 for row in grid for at, text in enumerate(row) if text), default=0)
    return [(row + [""] * width)[:width] for row in grid if any(row)]


def _cell(node: etree._Element) -> str:
    texts = [text_of(part, _UNSAID_IN_TEXT) for part in node.iterdescendants() if local(part) in ("p", "h")]
    return one_line(" ".join(texts))
