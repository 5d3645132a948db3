"""Nearly every word that another reader finds in a real document is found here, as often as there."""

import re
from collections import Counter
from itertools import islice
from pathlib import Path

import pypdfium2
import pytest
from kreuzberg import ExtractionConfig, extract_bytes_sync
from lxml import html

from pipelines.ingest.extract import PAGES_PER_PART, count_pages, extract, require_text
from pipelines.ingest.formats.archive import Archive
from pipelines.ingest.formats.decoding import decode
from pipelines.ingest.sniff import HEAD_BYTES, file_type
from schemas.errors.tree import AuraError

LEAST = 0.95
MIME = {
    "doc": "application/msword",
    "odt": "application/vnd.oasis.opendocument.text",
    "rtf": "application/rtf",
    "epub": "application/epub+zip",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
NAMES = [
    "copy-protected.pdf", "DA-619p.pdf", "docx-tables.docx", "embedded-images-tables.pdf", "eng_spa_mult.ppt",
    "example-10k-1p.html", "fake-doc.rtf", "fake-html.html", "fake-power-point.pptx", "fake-text-utf-16.txt",
    "fake.doc", "handbook-1p.docx", "handbook-872p.docx", "ideas-page.html", "korean-text-with-tables.pdf",
    "layout-parser-paper-fast.pdf", "multi-column-2p.pdf", "norwich-city.txt", "pdf-with-ocr-text.pdf", "reliance.pdf",
    "simple.json", "simple.odt", "single_table.pdf", "stanley-cups.csv", "stanley-cups.xlsx",
    "table-semicolon-delimiter.csv", "umlauts-non-utf8.md", "unstructured-readme.md", "winter-sports.epub",
]  # fmt: skip
_WORD = re.compile(r"\w+")


def words(text: str) -> Counter[str]:
    return Counter(word.casefold() for word in _WORD.findall(text))


def reference(data: bytes, kind: str) -> str:
    """Return the text of a file as something else than our reader finds it.

    Of a PDF what lies on its first pages. kreuzberg where it gives the text itself. It repeats merged cells of a DOCX and the whole of an
    HTML page, numbers the rows of CSV, and takes the bytes of some text files for what they are not.
    """
    if kind == "pdf":
        with pypdfium2.PdfDocument(data) as document:
            return "\n".join(page.get_textpage().get_text_bounded() for page in islice(document, PAGES_PER_PART))
    if kind == "docx":
        paragraphs = re.findall(
            r"<w:p[ >].*?</w:p>", (Archive(data).part("word/document.xml") or b"").decode(), re.DOTALL
        )
        return "\n".join("".join(re.findall(r"<w:t(?: [^>]*)?>([^<]*)", p)) for p in paragraphs).replace("&amp;", "&")
    if kind == "html":
        body = html.document_fromstring(data, html.HTMLParser(remove_comments=True)).find("body")
        for hidden in body.xpath("//script|//style|//*[contains(@style,'display:none')]"):
            hidden.drop_tree()
        return "\n".join(body.itertext())
    if kind in MIME:
        return extract_bytes_sync(data, MIME[kind], config=ExtractionConfig(use_cache=False)).content
    return decode(data)


def recall(text: str, expected: str) -> float:
    found, wanted = words(text), words(expected)
    if not wanted:
        return 1.0  # A picture of a page, which only OCR reads.
    return sum(min(found[word], count) for word, count in wanted.items()) / wanted.total()


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_a_real_document_are_found(shared_data: Path, name: str) -> None:
    data = (shared_data / "documents" / name).read_bytes()
    kind = file_type(name, data[:HEAD_BYTES], data[-HEAD_BYTES:])
    # The other pages of a long PDF are read in `test_pdf_recall.py`.
    count = count_pages(data, kind)
    found = require_text(extract(data, kind, name, range(min(count, PAGES_PER_PART)) if count else None))
    assert recall("\n".join(element.text for element in found.elements), reference(data, kind)) >= LEAST


def test_every_document_is_read_or_refused_with_a_sentence(shared_data: Path) -> None:
    for path in sorted((shared_data / "documents").iterdir()):
        if path.suffix in (".png", ".eml", ".msg") or path.name in NAMES:
            continue
        data = path.read_bytes()
        try:
            assert extract(data, file_type(path.name, data[:HEAD_BYTES], data[-HEAD_BYTES:]), path.name).elements
        except AuraError as error:
            assert error.code in ("encrypted", "empty_file")
