"""ODT and EPUB keep their structure."""

import pytest

from pipelines.ingest.elements import Kind
from pipelines.ingest.extract import extract
from schemas.errors.files import Damaged, Encrypted
from tests.unit.ingest.offices import epub, ods, odt, zipped

CELL = "<table:table-cell {}><text:p>{}</text:p></table:table-cell>"


def test_odt_keeps_headings_lists_tables_and_notes() -> None:
    found = extract(
        odt(
            '<text:h text:outline-level="2">Opening<text:s/>hours</text:h>'
            "<text:p>We open at nine<text:note><text:note-citation>1</text:note-citation>"
            "<text:note-body><text:p>Except on Sunday.</text:p></text:note-body></text:note>.</text:p>"
            "<text:list><text:list-item><text:p>bring a bag</text:p></text:list-item></text:list>"
            '<table:table><table:table-header-rows><table:table-row>' + CELL.format("", "Day") + CELL.format("", "مفتوح")
            + '</table:table-row></table:table-header-rows><table:table-row>' + CELL.format('table:number-rows-spanned="2"', "Mon")
            + CELL.format("", "9") + "</table:table-row><table:table-row><table:covered-table-cell/>" + CELL.format("", "17")
            + "</table:table-row></table:table>"
            "<text:p><draw:frame><draw:text-box><text:p>In a box</text:p></draw:text-box></draw:frame></text:p>"
            "<text:tracked-changes><text:p>deleted words</text:p></text:tracked-changes>"
        ),
        "odt",
        "a.odt",
    )  # fmt: skip
    assert [(e.kind, e.text) for e in found.elements] == [
        (Kind.TITLE, "Opening hours"),
        (Kind.TEXT, "We open at nine."),
        (Kind.TEXT, "Except on Sunday."),
        (Kind.LIST_ITEM, "• bring a bag"),
        (Kind.TABLE, "Day | مفتوح\nMon | 9\nMon | 17"),
        (Kind.TEXT, "In a box"),
    ]


def test_tables_inside_tables_lose_nothing() -> None:
    inner = (
        "<table:table><table:table-row>"
        + CELL.format("", "a")
        + CELL.format("", "b")
        + "</table:table-row><table:table-row>"
    )
    inner += CELL.format("", "c") + CELL.format("", "d") + "</table:table-row></table:table>"
    outer = f"<table:table><table:table-row><table:table-cell>{inner}</table:table-cell>{CELL.format('', 'beside')}</table:table-row></table:table>"
    found = extract(odt(outer), "odt", "a.odt").elements
    assert [e.text for e in found] == ["a | b\nc | d", "beside"]


def test_what_a_password_locks_is_told() -> None:
    data = zipped(
        {"content.xml": b"\x8f\x01", "META-INF/manifest.xml": "<m><encryption-data/></m>"},
        "application/vnd.oasis.opendocument.text",
    )
    with pytest.raises(Encrypted):
        extract(data, "odt", "a.odt")
    with pytest.raises(Damaged):
        extract(ods({"A": ""}), "odt", "a.odt")


def test_a_book_is_read_in_its_order_under_its_headings() -> None:
    found = extract(
        epub({"b.xhtml": "<h1>One</h1><p>First words.</p>", "a.xhtml": "<p>Second words.</p>"}), "epub", "a.epub"
    )
    assert found.title == "A Book"
    assert [e.text for e in found.elements] == ["One", "First words.", "Second words."]


def test_a_chapter_without_a_heading_gets_that_of_the_contents() -> None:
    contents = '<navPoint><navLabel><text>Chapter two</text></navLabel><content src="b.xhtml#x"/></navPoint>'
    found = extract(epub({"b.xhtml": "<p>Second words.</p>"}, contents), "epub", "a.epub")
    assert [(e.kind, e.text) for e in found.elements] == [(Kind.TITLE, "Chapter two"), (Kind.TEXT, "Second words.")]


def test_a_protected_book_is_told_from_one_with_protected_fonts() -> None:
    lock = '<encryption><EncryptedData><CipherData><CipherReference URI="OPS/{}"/></CipherData></EncryptedData></encryption>'
    fonts = epub({"a.xhtml": "<p>words</p>"}, more={"META-INF/encryption.xml": lock.format("font.otf")})
    assert extract(fonts, "epub", "a.epub").elements[0].text == "words"
    with pytest.raises(Encrypted):
        extract(epub({"a.xhtml": "?"}, more={"META-INF/encryption.xml": lock.format("a.xhtml")}), "epub", "a.epub")
