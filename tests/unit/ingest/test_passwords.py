"""Locked files open with their password and with no other."""

import io
import random
from pathlib import Path

import pytest
from msoffcrypto.format.ooxml import OOXMLFile
from pptx import Presentation

from pipelines.ingest.extract import count_pages, extract
from schemas.errors.files import Encrypted, WrongPassword
from schemas.errors.uploads import TypeMismatch
from tests.unit.ingest.offices import ole, xlsx, zipped

WORD = b'<w:document xmlns:w="urn:w"><w:body><w:p><w:r><w:t>said in secret</w:t></w:r></w:p></w:body></w:document>'


def locked(data: bytes, password: str) -> bytes:
    buffer = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt(password, buffer)
    return buffer.getvalue()


def plain(kind: str) -> bytes:
    if kind == "docx":
        types = "http://schemas.openxmlformats.org/package/2006/content-types"
        return zipped(
            {
                "[Content_Types].xml": f'<Types xmlns="{types}"/>',
                "word/document.xml": WORD,
                "word/more.bin": random.Random(1).randbytes(8000),
            }
        )
    if kind == "xlsx":
        return xlsx(lambda book: book.active.append(["said in secret"]))
    show, buffer = Presentation(), io.BytesIO()
    show.slides.add_slide(show.slide_layouts[5]).shapes.title.text = "said in secret"
    show.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "old"), [("docx", "doc"), ("xlsx", "xls"), ("pptx", "ppt")])
def test_a_locked_file_opens_with_its_password_only(kind: str, old: str) -> None:
    data = locked(plain(kind), "pässword")
    for name in (kind, old):  # Whatever its name says.
        with pytest.raises(Encrypted):
            extract(data, name, "a")
        with pytest.raises(WrongPassword):
            extract(data, name, "a", password="password")
        found = extract(data, name, "a", password="pässword")
        assert any("said in secret" in element.text for element in found.elements)


def test_a_password_that_is_not_needed_does_no_harm() -> None:
    assert extract(plain("xlsx"), "xlsx", "a", password="x").elements
    assert extract(b"words", "txt", "a", password="x").elements
    assert count_pages(plain("xlsx"), "xlsx", password="x") is None


def test_what_excel_opens_without_asking_opens() -> None:
    found = extract(locked(plain("xlsx"), "VelvetSweatshop"), "xlsx", "a")
    assert any("said in secret" in element.text for element in found.elements)


def test_a_file_of_an_older_program_is_not_taken_for_a_locked_one() -> None:
    with pytest.raises(TypeMismatch, match="older PowerPoint"):
        extract(ole({"PowerPoint Document": b"x"}), "pptx", "a")


def test_a_real_locked_sheet_asks_for_its_password(shared_data: Path) -> None:
    data = (shared_data / "documents" / "password_protected.xlsx").read_bytes()
    with pytest.raises(Encrypted):
        extract(data, "xlsx", "a.xlsx")
    with pytest.raises(WrongPassword):
        extract(data, "xlsx", "a.xlsx", password="surely not this one")
