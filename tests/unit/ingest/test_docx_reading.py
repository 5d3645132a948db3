"""What Word shows is what is read: also where it is not in the text of a paragraph."""

import io

import docx
import pytest
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Pt

from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.extract import extract

W = nsdecls("w")


def read(document: Document) -> Extraction:
    buffer = io.BytesIO()
    document.save(buffer)
    return extract(buffer.getvalue(), "docx", "a_file.docx")


def append(document: Document, xml: str) -> None:
    """Put raw WordprocessingML at the end of the body, before its section properties."""
    document.element.body.insert(len(document.element.body) - 1, parse_xml(xml))


def texts(found: Extraction) -> list[str]:
    return [element.text for element in found.elements]


def only(found: Extraction, kind: Kind) -> list[Element]:
    return [element for element in found.elements if element.kind is kind]


def test_styles_make_headings_of_their_level() -> None:
    document = docx.Document()
    document.add_heading("Handbook", 0)
    document.add_heading("Repairs", 1)
    document.add_paragraph("We mend every bicycle.")
    document.add_heading("Brakes", 2)
    found = read(document)
    assert [(e.text, e.level) for e in only(found, Kind.TITLE)] == [("Handbook", 1), ("Repairs", 1), ("Brakes", 2)]
    assert found.title == "Handbook"


def test_a_style_of_ones_own_that_is_based_on_a_heading_is_one() -> None:
    document = docx.Document()
    style = document.styles.add_style("Clause", docx.enum.style.WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Heading 3"]
    document.add_paragraph("Liability", style="Clause")
    assert [(e.text, e.level) for e in only(read(document), Kind.TITLE)] == [("Liability", 3)]


def test_large_or_bold_paragraphs_are_headings_and_bold_sentences_are_not() -> None:
    document = docx.Document()
    document.add_paragraph().add_run("Our prices").font.size = Pt(22)
    document.paragraphs[0].runs[0].bold = True
    document.add_paragraph().add_run("By the day").bold = True
    document.add_paragraph().add_run("This must never happen again.").bold = True
    mixed = document.add_paragraph("Note ")
    mixed.add_run("well").bold = True
    assert [(e.text, e.level) for e in only(read(document), Kind.TITLE)] == [("Our prices", 1), ("By the day", 6)]


def test_numbers_that_word_counts_are_in_the_text() -> None:
    document = docx.Document()
    levels = "".join(
        f'<w:lvl w:ilvl="{i}"><w:start w:val="1"/><w:numFmt w:val="{style}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for i, (style, text) in enumerate(
            [("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "(%3)"), ("lowerRoman", "%4.")]
        )
    )
    numbering = document.part.numbering_part.element
    numbering.insert(0, parse_xml(f'<w:abstractNum {W} w:abstractNumId="77">{levels}</w:abstractNum>'))
    numbering.append(parse_xml(f'<w:num {W} w:numId="78"><w:abstractNumId w:val="77"/></w:num>'))
    for level, words in [
        (0, "Scope"),
        (1, "Staff"),
        (1, "Guests"),
        (2, "of age"),
        (3, "alone"),
        (0, "Terms"),
        (1, "Dates"),
    ]:
        append(
            document,
            f'<w:p {W}><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="78"/></w:numPr></w:pPr>'
            f"<w:r><w:t>{words}</w:t></w:r></w:p>",
        )
    document.add_paragraph("A bullet", style="List Bullet")
    found = read(document)
    assert texts(found) == [
        "1. Scope", "1.1 Staff", "1.2 Guests", "(a) of age", "i. alone", "2. Terms", "2.1 Dates", "• A bullet",
    ]  # fmt: skip
    assert {element.kind for element in found.elements} == {Kind.LIST_ITEM}


def test_tables_keep_rows_spans_and_nested_text() -> None:
    document = docx.Document()
    table = document.add_table(3, 3)
    for i, row in enumerate([("Bike", "Day", "Week"), ("City", "14", "70"), ("Cargo", "38", "")]):
        for j, text in enumerate(row):
            table.cell(i, j).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(2, 2).add_table(1, 1).cell(0, 0).text = "on request"
    (found,) = read(document).elements
    assert found.rows == (("Bike", "Day", "Week"), ("City Cargo", "14", "70"), ("City Cargo", "38", "on request"))


def test_a_table_that_only_arranges_the_page_is_read_as_text() -> None:
    document = docx.Document()
    table = document.add_table(1, 2)
    table.cell(0, 0).text = "The harbour was built long ago. " * 12
    table.cell(0, 1).text = "The railway came a good deal later. " * 12
    assert [element.kind for element in read(document).elements] == [Kind.TEXT, Kind.TEXT]


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (
            "<w:sdt {W}><w:sdtContent><w:p><w:r><w:t>In a control</w:t></w:r></w:p></w:sdtContent></w:sdt>",
            "In a control",
        ),
        (
            "<w:p {W}><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>x</w:delText></w:r></w:del></w:p>",
            "new",
        ),
        (
            "<w:p {W}><w:hyperlink><w:r><w:t>a link</w:t></w:r></w:hyperlink><w:r><w:tab/><w:t>5</w:t></w:r></w:p>",
            "a link 5",
        ),
        (
            '<w:p {W}><w:fldSimple w:instr="DATE"><w:r><w:t>5 May</w:t></w:r></w:fldSimple>'
            "<w:r><w:instrText>PAGE</w:instrText></w:r></w:p>",
            "5 May",
        ),
        (
            "<w:p {W}><w:r><w:t>non</w:t><w:noBreakHyphen/><w:t>stop</w:t><w:br/><w:t>line</w:t></w:r></w:p>",
            "non-stop\nline",
        ),
    ],
)
def test_what_is_shown_is_read_and_what_is_not_is_not(xml: str, expected: str) -> None:
    document = docx.Document()
    append(document, xml.replace("{W}", W))
    assert texts(read(document)) == [expected]


def test_a_text_box_is_read_once_after_its_paragraph() -> None:
    document = docx.Document()
    box = "<w:txbxContent><w:p><w:r><w:t>Call us: 555 0137</w:t></w:r></w:p></w:txbxContent>"
    append(
        document,
        f'<w:p {W} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        "<w:r><w:t>Beside a box</w:t></w:r>"
        f"<w:r><mc:AlternateContent><mc:Choice><w:drawing>{box}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>",
    )
    assert texts(read(document)) == ["Beside a box", "Call us: 555 0137"]


def test_headers_are_read_once_and_page_numbers_not() -> None:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Larkfield Cycles"
    document.sections[0].footer.paragraphs[0].text = "7"
    document.add_paragraph("Body.")
    assert texts(read(document)) == ["Larkfield Cycles", "Body."]


def test_pages_are_those_of_the_last_rendering_or_unknown() -> None:
    document = docx.Document()
    document.add_paragraph("On the first page.")
    assert [element.page for element in read(document).elements] == [None]
    append(document, f"<w:p {W}><w:r><w:lastRenderedPageBreak/><w:t>On the second.</w:t></w:r></w:p>")
    append(
        document, f"<w:p {W}><w:r><w:t>Begins here, </w:t><w:lastRenderedPageBreak/><w:t>ends there.</w:t></w:r></w:p>"
    )
    document.add_paragraph("On the third.")
    found = read(document)
    assert [element.page for element in found.elements] == [1, 2, 2, 3]
    assert found.pages == 3


def test_strict_open_xml_is_read() -> None:
    document = docx.Document()
    document.add_heading("Strict", 1)
    buffer = io.BytesIO()
    document.save(buffer)
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(buffer) as given, zipfile.ZipFile(out, "w") as made:
        for name in given.namelist():
            text = given.read(name).replace(
                b"http://schemas.openxmlformats.org/wordprocessingml/2006/main", b"http://purl.oclc.org/ooxml/wordprocessingml/main"
            ).replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/", b"http://purl.oclc.org/ooxml/officeDocument/relationships/"
            )  # fmt: skip
            made.writestr(name, text)
    found = extract(out.getvalue(), "docx", "a.docx")
    assert [(element.text, element.level) for element in found.elements] == [("Strict", 1)]
