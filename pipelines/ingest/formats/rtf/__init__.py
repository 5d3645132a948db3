"""RTF: paragraphs, headings, lists and tables, from the control words that carry text.

Fields show their result only; pictures, objects, macros and whatever a reader need not know stay unread.
kreuzberg was tried: it drops backslashes and the rows of many tables.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from pipelines.ingest.clean import one_line, tidy
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.headings import MAX_CHARS, level_of
from pipelines.ingest.formats.rtf.reading import Paragraph, Reading
from pipelines.ingest.formats.rtf.tables import title
from pipelines.ingest.formats.table import table
from schemas.errors.files import Damaged

_ENDS = tuple(".,;:!?。，；：！？")
_MAX_LEVEL_BY_SIZE = 3


def read(data: bytes) -> Extraction:
    """Return the elements of a document. Raises Damaged."""
    if not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{\\rtf"):
        raise Damaged("The file is no RTF.")
    paragraphs = list(Reading(data).paragraphs())
    elements = tuple(_elements(paragraphs, _body_half_points(paragraphs)))
    return Extraction(elements, title(data) or next((e.text for e in elements if e.kind is Kind.TITLE), ""))


def _elements(paragraphs: Sequence[Paragraph], body_half_points: int) -> Iterator[Element]:
    rows: list[list[str]] = []
    for paragraph in paragraphs:
        if paragraph.row:
            if any(row := [one_line(cell) for cell in paragraph.row]):
                rows.append(row)
            continue
        if text := tidy(paragraph.text):
            yield from _table(rows)
            rows = []
            yield _element(paragraph, text, body_half_points)
    yield from _table(rows)


def _element(paragraph: Paragraph, text: str, body_half_points: int) -> Element:
    level = paragraph.level
    if level is None and not paragraph.label and len(text) <= MAX_CHARS and not text.endswith(_ENDS):
        by_type = level_of(paragraph.half_points / body_half_points, paragraph.bold)
        level = by_type if by_type and (paragraph.bold or by_type <= _MAX_LEVEL_BY_SIZE) else None
    label = one_line(paragraph.label)
    if label and not any(map(str.isalnum, label)):
        label = "•"
    if level and sum(map(str.isalpha, text)) >= 2:
        return Element(one_line(f"{label} {text}" if label not in ("", "•") else text), Kind.TITLE, level=level)
    return Element(f"{label} {text}", Kind.LIST_ITEM) if label else Element(text)


def _table(rows: list[list[str]]) -> Iterator[Element]:
    """Yield a table, or the text of what has but one row or one column."""
    width = max(map(len, rows), default=0)
    if len(rows) > 1 and width > 1:
        yield table([row + [""] * (width - len(row)) for row in rows])
    else:
        yield from (Element(" | ".join(filter(None, row))) for row in rows)


def _body_half_points(paragraphs: Sequence[Paragraph]) -> int:
    """Return the size that most characters have, in half points."""
    sizes: Counter[int] = Counter()
    for paragraph in paragraphs:
        sizes[paragraph.half_points] += len(paragraph.text)
    return max(sizes, key=lambda size: sizes[size], default=24) or 24
