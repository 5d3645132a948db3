"""PDF: text with its reading order, headings, tables and places, and the text of scanned pages.

pdfium reads the file; `lines` finds the lines of a page, `margins` those that run through the
document, `ruled` and `aligned` the tables, `order` the columns and `blocks` the paragraphs.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import pypdfium2 as pdfium
import pypdfium2.raw as c

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.pdf.blocks import page_elements
from pipelines.ingest.formats.pdf.frame import Frame
from pipelines.ingest.formats.pdf.lines import Line, PageText
from pipelines.ingest.formats.pdf.margins import running_lines, sample, without_running
from pipelines.ingest.formats.pdf.ruled import ruled_tables
from pipelines.ingest.formats.pdf.scan import is_scan, scanned_lines
from schemas.errors import Bomb, Damaged, Encrypted

MAX_PAGES = 20_000
PAGES_AT_ONCE = 64
SAMPLED_PAGES = 8
"""Pages looked at all over the document for the size of its running text and its running headers."""

DEFAULT_BODY_SIZE = 10.0
_MIN_SHARE_OF_BODY = 0.3
_NO_TITLE = re.compile(
    r"microsoft \w+ - .*|untitled.*|document\d*|.*\.(?:docx?|pptx?|xlsx?|indd|tex|dvi|pdf|rtf)"
    r"|(?:table of )?contents|inhalt(?:sverzeichnis)?|sommaire|table des matières|índice|indice",
    re.IGNORECASE,
)
_LOCKED = (c.FPDF_ERR_PASSWORD, c.FPDF_ERR_SECURITY)

Page = tuple[list[Line], Frame]


def count_pages(data: bytes) -> int:
    """Return the number of pages. Raises Encrypted, Damaged, or Bomb above 20,000."""
    with _opened(data) as document:
        return len(document)


def read(data: bytes, pages: range | None, progress: Callable[[int], None]) -> Extraction:
    """Return the elements of the given pages (indices from 0), of all by default.

    `progress` is told the number of pages done. Pages that cannot be read are left out. Raises
    Encrypted, Damaged (also where no page can be read), Bomb.
    """
    with _opened(data) as document:
        wanted = range(len(document))[pages.start : pages.stop] if pages is not None else range(len(document))
        return _Reading(document, progress).extraction(wanted)


class _Reading:
    """One pass over some pages; what it learns from the sampled pages is the same for every part."""

    def __init__(self, document: pdfium.PdfDocument, progress: Callable[[int], None]) -> None:
        self.document = document
        self.progress = progress
        self.forms = c.FPDF_GetFormType(document.raw) != c.FORMTYPE_NONE
        if self.forms:
            document.init_forms()
        indices = sample(len(document), SAMPLED_PAGES)
        self.sampled = {i: page for i in indices if (page := self._page(i, scans=False))}
        self.body_size = _body_size(self.sampled.values())

    def extraction(self, wanted: range) -> Extraction:
        elements: list[Element] = []
        read = 0
        indices = iter(wanted)
        while batch := list(islice(indices, PAGES_AT_ONCE)):
            pages: dict[int, Page] = {}
            for i in batch:
                if page := self._page(i):
                    pages[i] = page
                self.progress(i - wanted.start + 1)
            read += len(pages)
            elements += self._elements(pages)
        if wanted and not read:
            raise Damaged("None of the pages could be read.")
        title = self._title(elements) if wanted.start == 0 else ""
        return Extraction(tuple(elements), title, len(self.document))

    def _elements(self, pages: dict[int, Page]) -> Iterator[Element]:
        running = running_lines({**self.sampled, **pages}, len(self.document), self.body_size)
        for i, (lines, frame) in pages.items():
            body, kept = without_running(lines, frame, running, i + 1, self.body_size)
            yield from (Element(one_line(text), page=i + 1) for text in kept)
            yield from page_elements(body, frame, i + 1, self.body_size)

    def _page(self, index: int, scans: bool = True) -> Page | None:
        """Return the lines of a page, tables among them; None if it cannot be read."""
        try:
            page = self.document[index]
            textpage = page.get_textpage()
        except pdfium.PdfiumError:
            return None
        if self.forms and c.FPDFPage_Flatten(page.raw, c.FLAT_NORMALDISPLAY) == c.FLATTEN_SUCCESS:
            # What was filled into a form becomes part of the page, which must be read anew for it.
            textpage.close()
            page.close()
            page = self.document[index]
            textpage = page.get_textpage()
        text = PageText(page, textpage)
        if is_scan(page, text):
            return scanned_lines(page, text.frame) if scans else None
        lines, frame = text.lines()
        tables = ruled_tables(page, text, frame)
        return _with_tables(lines, tables), frame

    def _title(self, elements: Sequence[Element]) -> str:
        """Return the title in the file's metadata, else the topmost of the largest headings on its first page."""
        named = one_line(self.document.get_metadata_value("Title"))
        if named and not _NO_TITLE.fullmatch(named):
            return named
        headings = [e for e in elements if e.kind is Kind.TITLE and e.page == 1 and not _NO_TITLE.fullmatch(e.text)]
        return min(headings, key=lambda e: e.level or 9).text if headings else ""


def _opened(data: bytes) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code in _LOCKED:
            raise Encrypted() from error
        raise Damaged() from error
    if len(document) > MAX_PAGES:
        raise Bomb(f"The file has more than {MAX_PAGES} pages.")
    if len(document) == 0:
        raise Damaged("The file has no pages.")
    return document


def _body_size(pages: Iterable[Page]) -> float:
    """Return the size of type in points that most characters have.

    Behind scans the sizes are guesses and no size has most: then all but the largest are running text.
    """
    sizes: Counter[float] = Counter()
    for lines, _ in pages:
        for line in lines:
            sizes[round(2 * line.size) / 2] += len(line.text)
    most, total = max(sizes, key=lambda size: sizes[size], default=0.0), sum(sizes.values())
    if sizes[most] < _MIN_SHARE_OF_BODY * total:
        spread = [size for size in sorted(sizes) for _ in range(sizes[size])]
        most = spread[9 * total // 10]
    return most or DEFAULT_BODY_SIZE


def _with_tables(lines: list[Line], tables: Sequence[Line]) -> list[Line]:
    """Return the lines with the tables in place of those that stand inside one."""
    found = list(tables)
    for line in lines:
        x, y = (line.left + line.right) / 2, (line.top + line.bottom) / 2
        if not any(t.left <= x <= t.right and t.top <= y <= t.bottom for t in tables):
            found.append(line)
    return found
