"""PDF: text with its reading order, headings, tables and places, and the text of scanned pages.

pdfium reads the file; `page_text` finds the lines of a page, `margins` those that run through the
document, `ruled` and `aligned` the tables, `order` the columns and `blocks` the paragraphs.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import pypdfium2 as pdfium

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.pdf.annotations import flattened, with_written
from pipelines.ingest.formats.pdf.blocks import page_elements
from pipelines.ingest.formats.pdf.frame import Frame
from pipelines.ingest.formats.pdf.lines import Line
from pipelines.ingest.formats.pdf.margins import running_lines, sample, without_running
from pipelines.ingest.formats.pdf.opening import opened
from pipelines.ingest.formats.pdf.page_text import PageText
from pipelines.ingest.formats.pdf.raw import Memory
from pipelines.ingest.formats.pdf.ruled import continued, ruled_tables
from pipelines.ingest.formats.pdf.scan import SURE_CONFIDENCE, is_garbled, is_scan, scanned_lines
from schemas.errors.files import Damaged

PAGES_AT_ONCE = 64
ENOUGH_PAGES = 24
ENOUGH_SHARE = 0.5
"""Of so many pages, a size of type that has such a share of their characters is that of running text."""

SAMPLED_PAGES = 4
"""Pages looked at all over the document by any other part, so that the parts agree."""

NEIGHBOURS = 6
"""Pages looked at before a short part for the lines that run through its pages, too."""

DEFAULT_BODY_SIZE = 10.0
_MIN_SHARE_OF_BODY = 0.3
_NO_TITLE = re.compile(
    r"microsoft \w+ - .*|untitled.*|document\d*|.*\.(?:docx?|pptx?|xlsx?|indd|tex|dvi|pdf|rtf)"
    r"|(?:table of )?contents|inhalt(?:sverzeichnis)?|sommaire|table des matières|índice|indice",
    re.IGNORECASE,
)
Page = tuple[list[Line], Frame]


def count_pages(data: bytes, password: str | None = None) -> int:
    """Return the number of pages. Raises Encrypted, WrongPassword, Damaged, or Bomb above 20,000."""
    with opened(data, password) as document:
        return len(document)


def read(data: bytes, pages: range | None, progress: Callable[[int], None], password: str | None = None) -> Extraction:
    """Return the elements of the given pages (indices from 0), of all by default.

    `progress` is told the number of pages done. Pages that cannot be read are left out. Raises
    Encrypted, WrongPassword, Damaged (also where no page can be read), Bomb.
    """
    with opened(data, password) as document:
        wanted = range(len(document))[pages.start : pages.stop] if pages is not None else range(len(document))
        return _Reading(document, progress).extraction(wanted)


class _Reading:
    """One pass over some pages."""

    def __init__(self, document: pdfium.PdfDocument, progress: Callable[[int], None]) -> None:
        self.document = document
        self.progress = progress
        self.memory = Memory()
        self.sampled: dict[int, Page] = {}
        self.body_size = 0.0
        self.last: Element | None = None
        document.init_forms()  # Nothing happens where there are none.

    def extraction(self, wanted: range) -> Extraction:
        elements: list[Element] = []
        read = 0
        if len(wanted) < ENOUGH_PAGES:
            self._sample()
        if len(wanted) <= NEIGHBOURS:
            self.sampled |= self._sampled(range(max(0, wanted.start - NEIGHBOURS), wanted.start))
        indices = iter(wanted)
        while batch := list(islice(indices, PAGES_AT_ONCE)):
            pages: dict[int, Page] = {}
            for i in batch:
                if page := self.sampled.get(i) or self._page(i):
                    pages[i] = page
                self.progress(i - wanted.start + 1)
            read += len(pages)
            elements += self._elements(pages)
        if wanted and not read:
            raise Damaged("None of the pages could be read.")
        title = self._title(elements) if wanted.start == 0 else ""
        return Extraction(tuple(elements), title, len(self.document))

    def _sample(self) -> None:
        """Learn the size of running text from a few pages all over the document."""
        self.sampled = self._sampled(sample(len(self.document), SAMPLED_PAGES))
        self.body_size, _ = _main_size(self.sampled.values())

    def _sampled(self, indices: Iterable[int]) -> dict[int, Page]:
        return {i: page for i in indices if (page := self._page(i, scans=False))}

    def _elements(self, pages: dict[int, Page]) -> Iterator[Element]:
        if not self.body_size:
            self.body_size, share = _main_size(pages.values())
            if share < ENOUGH_SHARE:
                self._sample()
        running = running_lines({**self.sampled, **pages}, len(self.document), self.body_size)
        for i, (lines, frame) in pages.items():
            body, kept = without_running(lines, frame, running, i + 1, self.body_size)
            yield from (Element(one_line(text), page=i + 1) for text in kept)
            found = page_elements(body, frame, i + 1, self.body_size)
            if found and found[0].rows and self.last and self.last.rows:
                found[0] = continued(self.last, found[0])
            self.last = found[-1] if found else None
            yield from found

    def _page(self, index: int, scans: bool = True) -> Page | None:
        """Return the lines of a page, tables among them; None if it cannot be read."""
        try:
            page, written = flattened(self.document, index, self.document[index])
            textpage = page.get_textpage()
        except pdfium.PdfiumError:
            return None
        text = PageText(page, textpage, self.memory)
        if is_scan(page, text):
            return scanned_lines(page, text.frame) if scans else None
        if is_garbled(text.text):
            if not scans:
                return None
            scan = scanned_lines(page, text.frame, SURE_CONFIDENCE)
            if scan[0]:
                return scan
        lines, frame = text.lines()
        if tables := ruled_tables(page, text, frame):
            lines = _with_tables(lines, tables)
        return (with_written(lines, written, frame) if written else lines), frame

    def _title(self, elements: Sequence[Element]) -> str:
        """Return the title in the file's metadata, else the topmost of the largest headings on its first page."""
        named = one_line(self.document.get_metadata_value("Title"))
        if named and not _NO_TITLE.fullmatch(named):
            return named
        headings = [e for e in elements if e.kind is Kind.TITLE and e.page == 1 and not _NO_TITLE.fullmatch(e.text)]
        return min(headings, key=lambda e: e.level or 9).text if headings else ""


def _main_size(pages: Iterable[Page]) -> tuple[float, float]:
    """Return the size of type in points that most characters have, and their share of all.

    Behind scans the sizes are guesses and no size has most: then all but the largest are running text.
    """
    sizes: Counter[float] = Counter()
    for lines, _ in pages:
        for line in lines:
            sizes[round(2 * line.size) / 2] += len(line.text)
    most, total = max(sizes, key=lambda size: sizes[size], default=0.0), max(sum(sizes.values()), 1)
    share = sizes[most] / total
    if 0 < share < _MIN_SHARE_OF_BODY:
        spread = [size for size in sorted(sizes) for _ in range(sizes[size])]
        most = spread[9 * len(spread) // 10]
    return most or DEFAULT_BODY_SIZE, share


def _with_tables(lines: list[Line], tables: Sequence[Line]) -> list[Line]:
    """Return the lines with the tables in place of those that stand inside one."""
    found = list(tables)
    for line in lines:
        x, y = (line.left + line.right) / 2, (line.top + line.bottom) / 2
        if not any(t.left <= x <= t.right and t.top <= y <= t.bottom for t in tables):
            found.append(line)
    return found
