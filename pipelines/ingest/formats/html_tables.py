"""HTML tables: which of them hold data, and their rows."""

from collections.abc import Iterator

from lxml import etree

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element
from pipelines.ingest.formats.table import table as table_of

MAX_SPAN = 1000
MAX_CELLS = 200_000
MAX_MEAN_CHARS = 300
_SILENT = frozenset("script style noscript template".split())
_APART = frozenset("br div p li td tr".split())
_LAYOUT = frozenset("table h1 h2 h3 h4 h5 h6 ul ol dl pre form section article".split())


def is_layout(table: etree._Element) -> bool:
    """Tell whether a table only arranges the page: its cells hold blocks, or whole columns of text."""
    cells = 0
    for node in table.iterdescendants():
        if node.tag in _LAYOUT:
            return True
        cells += node.tag in ("td", "th")
    text = sum(len(part) for part in table.itertext())
    return cells < 2 or text > MAX_MEAN_CHARS * cells


def data_table(table: etree._Element) -> Iterator[Element]:
    """Yield a table as one element, its caption before it; a single row is a line of text.

    Cells that span rows stand in each of them, empty columns are left out.
    """
    for caption in table.iter("caption"):
        if text := _text(caption):
            yield Element(text)
    rows = [row for row in _grid(table) if any(row)]
    width = max(map(len, rows), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    used = [i for i in range(width) if any(row[i] for row in rows)]
    rows = [[row[i] for i in used] for row in rows]
    if len(rows) < 2 or len(used) < 2:
        for row in rows:
            yield Element(" ".join(filter(None, row)))
    else:
        yield table_of(rows)


def _grid(table: etree._Element) -> list[list[str]]:
    """Return the texts of the cells, spans filled in."""
    grid: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}  # column → rows still to be filled from above, and with what
    total = 0
    for tr in table.iter("tr"):
        row: list[str] = []
        for cell in tr:
            if cell.tag not in ("td", "th"):
                continue
            _fill(row, below)
            text, down = _text(cell), _span(cell, "rowspan")
            for k in range(_span(cell, "colspan")):
                if down > 1:
                    below[len(row)] = (down - 1, "" if k else text)
                row.append("" if k else text)
        _fill(row, below)
        total += len(row)
        if total > MAX_CELLS:
            break
        grid.append(row)
    return grid


def _fill(row: list[str], below: dict[int, tuple[int, str]]) -> None:
    """Append to `row` the cells that reach into it from above."""
    while len(row) in below:
        left, text = below.pop(len(row))
        if left > 1:
            below[len(row)] = (left - 1, text)
        row.append(text)


def _span(cell: etree._Element, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return min(max(int(value), 1), MAX_SPAN) if value.isascii() and value.isdigit() else 1


def _text(cell: etree._Element) -> str:
    """Return the text of a cell on one line; blocks in it are set apart by a space."""
    parts: list[str] = []
    events = etree.iterwalk(cell, events=("start", "end"))
    for event, node in events:
        if event == "start" and node.tag in _SILENT:
            events.skip_subtree()
            continue
        if node.tag in _APART:
            parts.append(" ")
        if event == "start":
            parts.append(node.text or "")
        elif node is not cell:
            parts.append(node.tail or "")
    return one_line("".join(parts))
