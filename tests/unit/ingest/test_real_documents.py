"""Real files that nobody of this project wrote are read, or refused with a stable code."""

from pathlib import Path

import pytest

from pipelines.ingest.chunk import chunk
from pipelines.ingest.elements import Extraction, Kind
from pipelines.ingest.extract import count_pages, extract, require_text
from pipelines.ingest.sniff import file_type
from schemas.errors.files import Damaged, Encrypted
from schemas.errors.uploads import EmptyFile

PHRASES = {
    "DA-1p.pdf": "MAIN GAME",
    "copy-protected.pdf": "LayoutParser",
    "docx-tables.docx": "Header Col",
    "embedded-images-tables.pdf": "Anodic and cathodic polarization",
    "example-10k-1p.html": "TRANSITION REPORT",
    "fake-html.html": "My First Heading",
    "eng_spa_mult.ppt": "Testing multiple languages",
    "fake-doc.rtf": "My First Heading",
    "fake-power-point.pptx": "Find the bullet slide layout",
    "fake.doc": "Lorem ipsum dolor sit amet",
    "fake-text-utf-16.txt": "Hamburgers are delicious",
    "handbook-1p.docx": "trustee",
    "ideas-page.html": "January 2023",
    "korean-text-with-tables.pdf": "",
    "layout-parser-paper-fast.pdf": "LayoutParser",
    "multi-column-2p.pdf": "",
    "norwich-city.txt": "Norwich City",
    "pdf-with-ocr-text.pdf": "",
    "reliance.pdf": "Reliance",
    "simple.json": "",
    "single_table.pdf": "",
    "simple.odt": "Hockey",
    "stanley-cups.csv": "Maple Leafs | TOR | 13",
    "stanley-cups.xlsx": "Maple Leafs | TOR | 13",
    "table-semicolon-delimiter.csv": "143,1 | -814,38",
    "winter-sports.epub": "Sun-seeker",
    "umlauts-non-utf8.md": "ä",
    "unstructured-readme.md": "Example Docs",
}


def read(path: Path) -> Extraction:
    data = path.read_bytes()
    return extract(data, file_type(path.name, data[:8192], data[-8192:]), path.name)


@pytest.mark.parametrize("name", PHRASES)
def test_a_real_document_is_read(shared_data: Path, name: str) -> None:
    found = require_text(read(shared_data / "documents" / name))
    text = "\n".join(element.text for element in found.elements)
    assert PHRASES[name].lower() in text.lower()
    assert "\x00" not in text
    assert chunk(found)


def test_a_password_is_asked_for_and_nothing_is_nothing(shared_data: Path) -> None:
    with pytest.raises(Encrypted):
        read(shared_data / "documents" / "password.pdf")
    with pytest.raises(EmptyFile):
        read(shared_data / "documents" / "empty.txt")


def test_pages_and_places_are_those_of_the_file(shared_data: Path) -> None:
    path = shared_data / "documents" / "layout-parser-paper-fast.pdf"
    found = read(path)
    assert count_pages(path.read_bytes(), "pdf") == 2
    assert {element.page for element in found.elements} == {1, 2}
    title = next(element for element in found.elements if "LayoutParser" in element.text)
    assert title.page == 1
    assert title.box is not None
    assert 0 <= title.box.top < 250  # At the top of the page, counted from there.
    assert any(element.kind is Kind.TITLE for element in found.elements)


def test_a_page_range_is_a_part_of_the_whole(shared_data: Path) -> None:
    path = shared_data / "documents" / "reliance.pdf"
    data = path.read_bytes()
    part = extract(data, "pdf", path.name, range(1, 3))
    assert {element.page for element in part.elements} <= {2, 3}


def test_a_cut_or_scrambled_pdf_is_damaged(shared_data: Path) -> None:
    data = (shared_data / "documents" / "reliance.pdf").read_bytes()
    for bad in (data[: len(data) // 3], b"%PDF-1.7\n" + bytes(range(256)) * 40):
        with pytest.raises(Damaged):
            extract(bad, "pdf", "bad.pdf")
