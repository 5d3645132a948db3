"""Files that were made to do harm end with a clear error, soon, and do none."""

import contextlib
import io
import resource
import zipfile

import pytest

from pipelines.ingest import extract as extracting
from pipelines.ingest.apart import Limits, Report, run_apart
from pipelines.ingest.extract import count_pages, extract
from pipelines.ingest.formats import pdf
from schemas.errors.files import Bomb, Damaged, Encrypted
from schemas.errors.uploads import TypeMismatch
from tests.unit.bombs import deflated
from tests.unit.ingest.pdfs import document, file, lines, stream, text

WORDS = text(60, 700, "A few plain words.")


def texts(data: bytes, kind: str = "pdf", pages: range | None = None) -> list[str]:
    return [element.text for element in extract(data, kind, f"a.{kind}", pages).elements]


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extracting, "MEMORY_BYTES", 200 << 20)
    monkeypatch.setattr(extracting, "BASE_CPU_S", 5)


@pytest.mark.usefixtures("little_memory")
def test_a_page_that_unpacks_without_end_is_not_read() -> None:
    packed = deflated(b" " * (1 << 20), 600)
    page = f"<</Length {len(packed)}/Filter/FlateDecode>>stream\n".encode() + packed + b"\nendstream"
    data = document([WORDS]).replace(stream(WORDS), page)
    with pytest.raises(Bomb):
        extract(data, "pdf", "a.pdf")


@pytest.mark.usefixtures("little_memory")
def test_drawings_that_draw_themselves_are_given_up() -> None:
    loop = stream(b"/X Do /X Do", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>")
    data = document([b"/X Do /X Do"], resources="/XObject<</X 5 0 R>>", rest=[loop])
    with pytest.raises(Bomb):
        extract(data, "pdf", "a.pdf")


@pytest.mark.parametrize("box", ["0 0 1000000000 1000000000", "-5 -5 100000 100000"])
def test_a_giant_page_is_read(box: str) -> None:
    assert texts(document([WORDS], box)) == ["A few plain words."]


def test_a_giant_scanned_page_is_bounded() -> None:
    drawing = b"0 0 9000000 9000000 re f"
    assert texts(document([drawing], "0 0 10000000 10000000")) == []


def test_a_page_count_that_lies_is_bounded() -> None:
    honest = document([WORDS])
    assert count_pages(honest, "pdf") == 1
    liar = honest.replace(b"/Count 1/", b"/Count 2000000000/")
    assert (count_pages(liar, "pdf") or 0) <= 20_000
    assert texts(liar, pages=range(0, 3)) == ["A few plain words."]


def test_too_many_pages_are_refused() -> None:
    kids = "3 0 R " * 20_001
    tree = f"<</Type/Pages/Kids[{kids}]/Count 20001>>".encode()
    data = file([b"<</Type/Catalog/Pages 2 0 R>>", tree, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"])
    with pytest.raises(Bomb):
        count_pages(data, "pdf")


def test_ten_thousand_pages_are_read_in_parts() -> None:
    data = document([text(60, 600, f"This is page {n}.") for n in range(1, 10_001)])
    assert count_pages(data, "pdf") == 10_000
    assert texts(data, pages=range(9_990, 10_000)) == [f"This is page {n}." for n in range(9_991, 10_001)]


@pytest.mark.usefixtures("little_memory")
def test_a_page_of_a_million_paths_is_bounded() -> None:
    try:
        found = texts(document([WORDS + b"0 0 m 9 9 l S\n" * 1_000_000]))
    except Bomb:
        return
    assert found == ["A few plain words."]


@pytest.mark.usefixtures("little_memory")
def test_a_page_of_many_rules_is_bounded() -> None:
    grid = b"".join(b"0 %d m 600 %d l S %d 0 m %d 700 l S\n" % (i, i, i, i) for i in range(1, 600))
    assert texts(document([WORDS + grid * 3])) == ["A few plain words."]


def test_a_page_of_too_many_characters_is_refused() -> None:
    many = b"BT /F1 1 Tf 9 9 Td " + b"(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj\n" * 20_001 + b"ET"
    with pytest.raises(Bomb):
        extract(document([many]), "pdf", "a.pdf")


@pytest.mark.parametrize("to", ["itself", "each other"])
def test_a_cross_reference_that_leads_back_to_itself_ends(to: str) -> None:
    data = document([WORDS])
    at = int(data.rpartition(b"startxref\n")[2].split()[0])
    if to == "itself":
        data = data.replace(b"trailer<<", b"trailer<</Prev %d" % at)
    else:
        second = b"\nxref\n0 0\ntrailer<</Size 1/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF" % (at, len(data) + 40)
        data = data.replace(b"trailer<<", b"trailer<</Prev %d" % (len(data) + 41)) + second
    with contextlib.suppress(Damaged):
        assert texts(data) == ["A few plain words."]


def test_reading_many_pages_takes_little_memory() -> None:
    page = lines(60, 760, ["What a line of running text is like, more or less, in any book."] * 55)
    data = document([page] * 1_000)

    def read_them(_: Report) -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        pdf.read(data, None, lambda _: None)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert run_apart(read_them, lambda _: None, Limits()) < 100 << 10


def test_annotations_without_number_are_bounded() -> None:
    note = "<</Type/Annot/Subtype/FreeText/Contents(note)/Rect[9 9 99 20]/F 4>>"
    found = texts(document([WORDS], more=f"/Annots[{note * 20_000}]"))
    assert found[0] == "A few plain words."


def test_a_page_tree_that_holds_itself_is_damage() -> None:
    data = file([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 10/Parent 2 0 R>>"])
    with pytest.raises(Damaged):
        extract(data, "pdf", "a.pdf")


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"%PDF-1.7\n" + bytes(range(256)) * 50, document([WORDS])[:200]])
def test_a_cut_or_scrambled_pdf_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged):
        count_pages(data, "pdf")


def archive(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return buffer.getvalue()


BODY = b'<w:document xmlns:w="urn:w"><w:body><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:body></w:document>'


def test_a_docx_of_zeros_is_not_unpacked() -> None:
    with pytest.raises(Bomb):
        extract(archive({"word/document.xml": bytes(64 << 20)}), "docx", "a.docx")


def test_a_docx_of_too_many_parts_is_not_unpacked() -> None:
    parts = {f"word/{i}.xml": b"" for i in range(10_001)}
    with pytest.raises(Bomb):
        extract(archive({"word/document.xml": BODY % b"hello", **parts}), "docx", "a.docx")


def test_a_docx_whose_parts_share_bytes_is_not_unpacked() -> None:
    data = bytearray(archive({"word/document.xml": BODY % b"hello", "word/other.xml": b"x" * 50}))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = (5).to_bytes(4, "little")
    with pytest.raises(Bomb):
        extract(bytes(data), "docx", "a.docx")


def test_entities_are_not_expanded() -> None:
    laughs = (
        b'<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY s SYSTEM "file:///etc/passwd">]>'
    )
    found = texts(archive({"word/document.xml": laughs + BODY % b"said &b;&s; aloud"}), "docx")
    assert not any("ha" in line or "root" in line for line in found)


def test_an_encrypted_docx_and_an_old_doc_are_told_apart() -> None:
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    with pytest.raises(Encrypted):
        extract(ole + "EncryptedPackage".encode("utf-16-le"), "docx", "a.docx")
    with pytest.raises(TypeMismatch):
        extract(ole + "WordDocument".encode("utf-16-le"), "docx", "a.docx")


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04 cut short", archive({"xl/workbook.xml": b"<x/>"}), archive({"word/document.xml": b"<w:doc"})]
)
def test_what_is_no_word_document_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged):
        extract(data, "docx", "a.docx")


def test_nesting_without_end_is_read_or_refused() -> None:
    assert texts(b"<div>" * 1_000 + b"deep down" + b"</div>" * 1_000, "html") == ["deep down"]
    assert texts(b"> " * 40 + b"quoted", "md") == ["quoted"]
    for data, kind in (
        (b"<div>" * 50_000 + b"deep down", "html"),
        (b"> " * 20_000 + b"quoted", "md"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "json"),
    ):
        with pytest.raises(Damaged):
            extract(data, kind, f"a.{kind}")
