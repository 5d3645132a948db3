"""At the door a file is what its content says, not what its name says."""

import pytest

from pipelines.ingest.extract import READERS
from pipelines.ingest.sniff import MAX_NAME_CHARS, TYPES, by_mime, file_type, is_text, safe_filename
from schemas.errors.uploads import EmptyFile, TypeMismatch, UnsupportedType

ZIP = b"PK\x03\x04\x14\x00"
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100)
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff"
ODF = b"PK\x03\x04" + bytes(22) + b"\x08\0\0\0mimetypeapplication/vnd.oasis.opendocument."
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.pdf", b"junk before\n%PDF-1.4", "pdf"),
        ("A.PDF", b"%PDF-1.4", "pdf"),
        ("report.2024", b"%PDF-1.4", "pdf"),
        ("a.docx", ZIP + b"word/document.xml", "docx"),
        ("locked.docx", OLE, "docx"),
        ("a.htm", b"just words", "html"),
        ("page", b"\xef\xbb\xbf<!-- x --><!DOCTYPE HTML>", "html"),
        ("a.txt", b"\n<html lang=en>", "html"),
        ("a.txt", "Größe".encode("utf-16"), "txt"),
        ("a.json", '{"a": 1}'.encode("utf-16-le"), "json"),
        ("a.txt", b"BMW is a maker of cars", "txt"),
        ("a.txt", b"read the %PDF-1.4 specification", "txt"),
        ("a.txt", b"a stray \x00 byte in a long line of text", "txt"),
        ("notes.md", b"<html> is a tag", "md"),
        ("a.doc", OLE, "doc"),
        ("a.ppt", OLE, "ppt"),
        ("a.xls", OLE, "xls"),
        ("locked.xlsx", OLE, "xlsx"),
        ("locked.pptx", OLE, "pptx"),
        ("a.xlsm", ZIP + b"xl/workbook.xml", "xlsx"),
        ("a.pptx", ZIP + b"ppt/presentation.xml", "pptx"),
        ("a.odt", ODF + b"text", "odt"),
        ("a.ods", ODF + b"spreadsheet", "ods"),
        ("a.epub", b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/epub+zip", "epub"),
        ("a.epub", ZIP + b"META-INF/container.xml", "epub"),
        ("a.rtf", b"{\\rtf1 words}", "rtf"),
        ("a.csv", b"a,b\n1,2", "csv"),
        ("a.csv", "a;b".encode("utf-16"), "csv"),
        ("a.tsv", b"a\tb", "tsv"),
        ("a.jsonl", b'{"a": 1}\n{"a": 2}', "ndjson"),
        # What Office opens under a name of its own, whatever it is.
        ("a.doc", b"{\\rtf1 words}", "rtf"),
        ("a.doc", ZIP + b"word/document.xml", "docx"),
        ("a.ppt", ZIP + b"ppt/presentation.xml", "pptx"),
        ("a.xls", b"<html><table>", "html"),
    ],
)
def test_what_can_be_read_is_let_in(name: str, head: bytes, kind: str) -> None:
    assert file_type(name, head) == kind


def test_a_docx_is_known_by_the_end_of_its_archive() -> None:
    assert file_type("a.docx", ZIP + b"_rels/.rels", b"word/document.xml") == "docx"
    with pytest.raises(TypeMismatch):
        file_type("a.docx", ZIP + b"_rels/.rels", b"xl/workbook.xml")


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.pdf", EXE),
        ("a.pdf", ZIP + b"word/"),
        ("a.pdf", b"<html>"),
        ("a.docx", b"%PDF-1.4"),
        ("a.txt", EXE),
        ("a.txt", PNG),
        ("a.md", b"%PDF-1.4\n%\xe2\xe3"),
        ("a.json", ZIP),
        ("a.html", OLE),
        ("a.xlsx", ZIP + b"word/document.xml"),
        ("a.odt", ODF + b"spreadsheet"),
        ("a.ods", ODF + b"text"),
        ("a.epub", ZIP + b"word/document.xml"),
        ("a.doc", EXE),
        ("a.doc", b"plain words"),
        ("a.xls", b"%PDF-1.4"),
        ("a.docx", ZIP + b"%PDF-1.4 word/document.xml"),
        ("a.doc", ZIP + b"%PDF-1.4 word/document.xml"),
        ("a.rtf", b"plain words"),
        ("a.csv", ZIP + b"xl/workbook.xml"),
        ("a.jsonl", PNG),
        ("a.txt", bytes(range(256)) * 9),
    ],
)
def test_a_name_that_lies_is_refused(name: str, head: bytes) -> None:
    with pytest.raises(TypeMismatch):
        file_type(name, head)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.exe", EXE),
        ("a.psd", b"8BPS"),
        ("a.zzz", OLE),
        ("noname", bytes(range(256))),
        ("a.strange", b"some text"),
    ],
)
def test_other_kinds_of_file_are_refused_by_name(name: str, head: bytes) -> None:
    with pytest.raises(UnsupportedType, match=r"\.pdf"):
        file_type(name, head)


def test_what_is_offered_reads_well() -> None:
    with pytest.raises(UnsupportedType, match=r"documents \(\.pdf, \.docx, .*sheets \(\.xlsx, .*text \(.*\.txt"):
        file_type("a.exe", EXE)


def test_every_type_has_a_reader_and_a_content_type() -> None:
    written = {t.name for t in TYPES if t.group in ("documents", "slides", "sheets", "text")}
    assert len(written) >= 17
    assert written <= READERS.keys()
    assert all(t.mimes for t in TYPES)
    suffixes = [suffix for t in TYPES for suffix in t.suffixes]
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize(
    ("content_type", "suffix"),
    [
        ("application/pdf", ".pdf"),
        ("text/CSV; charset=utf-8; header=present", ".csv"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
        ("application/vnd.ms-powerpoint", ".ppt"),
        ("text/html;charset=utf-8", ".html"),
        ("application/octet-stream", None),
        ("", None),
    ],
)
def test_a_content_type_tells_the_suffix(content_type: str, suffix: str | None) -> None:
    assert by_mime(content_type) == suffix


def test_nothing_is_an_empty_file() -> None:
    with pytest.raises(EmptyFile):
        file_type("a.pdf", b"")


def test_a_page_of_comments_is_looked_through_at_once() -> None:
    assert file_type("a.txt", b"<!---->" * 1100 + b"x") == "txt"


def test_binary_is_not_text() -> None:
    assert is_text(b"\x1b[31mred\x1b[0m\ttext\r\n")
    assert not is_text(bytes(64) + b"abc")


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie_ x.pdf"),
        ("evil\u202efdp.exe", "evilfdp.exe"),
        ("CON", "_CON"),
        ("nul.tar.gz", "_nul.tar.gz"),
        ("COM1.txt", "_COM1.txt"),
        ("Console.txt", "Console.txt"),
        (".pdf", "document.pdf"),
        ("...", "document"),
        ("", "document"),
        ("a/b/", "document"),
        ('a<b>:"c|?*.md', "a_b___c___.md"),
        ("name. ", "name"),
        ("e\u0301tat.txt", "\u00e9tat.txt"),
        ("文書.pdf", "文書.pdf"),
        ("x" * 300 + ".docx", "x" * 250 + ".docx"),
    ],
)
def test_names_are_made_safe(raw: str, safe: str) -> None:
    assert safe_filename(raw) == safe
    assert len(safe) <= MAX_NAME_CHARS
    assert safe_filename(safe) == safe
