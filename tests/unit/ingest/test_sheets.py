"""Sheets become tables with their header, whatever stands around them, and each row keeps its number."""

import datetime as dt
import io
import time

import pytest
import xlwt
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from pipelines.ingest.chunk import MAX_TOKENS, chunk
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.extract import extract
from pipelines.ingest.formats.sheets import grid
from schemas.errors.files import Bomb, Damaged
from tests.unit.ingest.offices import ods, raw_xlsx, xlsx


def sheet(data: bytes, kind: str = "xlsx") -> tuple[Element, ...]:
    return extract(data, kind, f"a.{kind}").elements


def tables(*rows: list[object], name: str = "Data") -> tuple[Element, ...]:
    def fill(book: Workbook) -> None:
        book.active.title = name
        for row in rows:
            book.active.append(row)

    return sheet(xlsx(fill))


def test_values_are_those_that_are_seen() -> None:
    def fill(book: Workbook) -> None:
        page: Worksheet = book.active
        page.append(["Name", "Born", "Share", "Price", "Member", "Code"])
        page.append(["Ann", dt.date(2024, 3, 1), 0.125, 1234.5, True, 7])
        page["C2"].number_format, page["D2"].number_format, page["F2"].number_format = "0.0%", "#,##0.00", "00000"

    (_, found) = sheet(xlsx(fill))
    assert found.rows[1] == ("Ann", "2024-03-01", "12.5%", "1234.50", "TRUE", "00007")


def test_formulas_show_their_last_value_and_are_never_seen() -> None:
    rows = (
        '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
        '<row r="2"><c r="A2"><f>SUM(1,2)</f><v>3</v></c><c r="B2" t="str"><f>CMD|"/c calc"!A0</f><v>safe</v></c></row>'
        '<row r="3"><c r="A3" t="e"><v>#REF!</v></c><c r="B3" t="inlineStr"><is><t>in</t><r><t>line</t></r></is></c></row></sheetData>'
    )
    for strict in (False, True):
        (_, found) = sheet(raw_xlsx(rows, ["Sum", "Text"], strict=strict))
        assert found.rows == (("Sum", "Text"), ("3", "safe"), ("#REF!", "inline"))


def test_a_header_stands_below_titles_and_several_tables_in_one_sheet() -> None:
    found = tables(
        [],
        [None, "Annual report 2024"],
        [None, "Prepared by", "Jane"],
        [None, "Region", "Sales", "Cost"],
        [None, "North", 10, 4],
        [None, "South", 20, 8],
        [],
        [None, "Total", 30, 12],
        [],
        [None, "Staff"],
        [None, "Name", "Age"],
        [None, "Ann", 31],
        [],
        [None, "City", "Country", "People"],
        [None, "Oslo", "Norway", 700_000],
    )
    assert [(e.kind, e.level, e.first_row, e.text) for e in found] == [
        (Kind.TITLE, 1, None, "Data"),
        (Kind.TITLE, 2, 2, "Annual report 2024"),
        (Kind.TEXT, None, 3, "Prepared by: Jane"),
        (Kind.TABLE, None, 4, "Region | Sales | Cost\nNorth | 10 | 4\nSouth | 20 | 8\n\nTotal | 30 | 12"),
        (Kind.TITLE, 2, 10, "Staff"),
        (Kind.TABLE, None, 11, "Name | Age\nAnn | 31"),
        (Kind.TITLE, 1, None, "Data"),
        (Kind.TABLE, None, 14, "City | Country | People\nOslo | Norway | 700000"),
    ]


def test_merged_cells_name_all_they_cover() -> None:
    def fill(book: Workbook) -> None:
        page: Worksheet = book.active
        for row in (
            ["Region", "2023", None, "2024", None],
            [None, "H1", "H2", "H1", "H2"],
            ["North", 1, 2, 3, 4],
            [None, 5, 6, 7, 8],
        ):
            page.append(row)
        for place in ("A1:A2", "B1:C1", "D1:E1", "A3:A4"):
            page.merge_cells(place)

    (_, found) = sheet(xlsx(fill))
    assert found.rows == (
        ("Region", "2023 H1", "2023 H2", "2024 H1", "2024 H2"),
        ("North", "1", "2", "3", "4"),
        ("North", "5", "6", "7", "8"),
    )
    assert found.first_row == 2


def test_hidden_sheets_names_in_any_script_and_comments_are_read() -> None:
    def fill(book: Workbook) -> None:
        book.active.title = "売上 مبيعات"
        book.active.append(["品名", "ثمن"])
        book.active.append(["林檎", 3])
        book.active["B2"].comment = Comment("per kilo", "Ann")
        hidden = book.create_sheet("Secret")
        hidden.append(["hidden words", "here"])
        hidden.sheet_state = "veryHidden"
        book.create_sheet("Nothing")

    found = sheet(xlsx(fill))
    assert [e.text for e in found if e.kind is Kind.TITLE] == ["売上 مبيعات", "Secret"]
    assert any("林檎" in e.text for e in found)
    (note,) = [e for e in found if "per kilo" in e.text]
    assert note.first_row == 2
    chunks = chunk(Extraction(found))
    assert chunks[0].heading_path == ("売上 مبيعات",)


def test_years_may_name_columns_and_values_may_not() -> None:
    (_, named) = tables(["Country", 2022, 2023], ["Norway", 1, 2])
    assert named.rows[0] == ("Country", "2022", "2023")
    (_, bare) = tables(["Norway", 5, 7.5], ["Sweden", 6, 8.5])
    assert bare.rows == ()
    assert (bare.first_row, bare.text) == (1, "Norway | 5 | 7.5\nSweden | 6 | 8.5")


def test_notes_in_a_single_column_are_text() -> None:
    found = tables(["Please read this first, since it says what the numbers in the other sheet mean."], ["Thank you."])
    assert [(e.kind, e.first_row) for e in found[1:]] == [(Kind.TEXT, 1), (Kind.TEXT, 2)]


def test_sparse_rows_name_each_value() -> None:
    header = [f"Column {i}" for i in range(30)]
    rows = [[None] * 30 for _ in range(20)]
    for i, row in enumerate(rows):
        row[0], row[i + 5] = f"item {i}", i
    (_, found) = tables(header, *rows)
    assert found.text.split("\n")[3] == "Column 0: item 2 | Column 7: 2"


def test_a_chunk_of_a_table_says_its_header_and_its_rows() -> None:
    rows = [[f"Customer {i}", f"City {i % 7}", i * 10] for i in range(1, 400)]
    found = tables(["Report"], ["Name", "City", "Amount"], *rows)
    chunks = chunk(Extraction(found))
    assert len(chunks) > 5
    for piece in chunks:
        lines = piece.text.split("\n")
        assert lines[0] == "Name | City | Amount"
        assert piece.heading_path == ("Data", "Report")
        # Sheet row 3 holds customer 1.
        held = [int(line.split(" | ")[0].split()[1]) + 2 for line in lines[1:]]
        assert (piece.row_from, piece.row_to) == (min(held), max(held))
        assert all(line.count(" | ") == 2 for line in lines)
    assert (chunks[0].row_from, chunks[-1].row_to) == (3, 401)


def test_blank_rows_do_not_shift_the_rows_after_them() -> None:
    rows: list[list[object]] = []
    for i in range(300):
        rows += [[f"Name {i}", i], []] if i % 10 == 9 else [[f"Name {i}", i]]
    found = tables(["Who", "Number"], *rows)
    for piece in chunk(Extraction(found)):
        lines = [line for line in piece.text.split("\n")[1:] if line]
        first, last = int(lines[0].split(" | ")[1]), int(lines[-1].split(" | ")[1])
        assert (piece.row_from, piece.row_to) == (2 + first + first // 10, 2 + last + last // 10)


def test_a_row_too_long_for_a_chunk_says_whose_it_is_in_every_part() -> None:
    story = " ".join(f"Sentence {i} tells of the harbour." for i in range(200))
    found = tables(["Ship", "Story", "Flag"], ["Vega", story, "NO"], ["Lyra", "short", "SE"])
    chunks = chunk(Extraction(found))
    assert all(piece.text.startswith("Ship | Story | Flag") for piece in chunks)
    assert all(piece.token_count <= MAX_TOKENS for piece in chunks)
    parts = [piece for piece in chunks if "harbour" in piece.text]
    assert len(parts) > 2
    assert all("Vega" in piece.text and (piece.row_from, piece.row_to) == (2, 2) for piece in parts[:-1])
    said = " ".join(piece.text for piece in chunks)
    assert all(f"Sentence {i} " in said for i in range(200))
    assert "NO" in said


def test_wide_tables_lose_no_value_and_name_each() -> None:
    header = [f"Measured value {i}" for i in range(250)]
    rows = [[f"key{r}", *(f"v{r}x{i}" for i in range(1, 250))] for r in range(12)]
    chunks = chunk(Extraction(tables(header, *rows)))
    assert all(piece.token_count <= MAX_TOKENS for piece in chunks)
    text = "\n".join(piece.text for piece in chunks)
    for r in range(12):
        for i in range(1, 250, 31):
            (piece,) = [
                c for c in chunks if f"Measured value {i}: v{r}x{i}" in f"{c.text} " and f"v{r}x{i} " in f"{c.text} "
            ]
            assert f"key{r}" in piece.text
            assert piece.row_from is not None
            assert piece.row_from <= r + 2 <= (piece.row_to or 0)
    assert all(name in text for name in header)


def test_ods_shows_what_is_seen() -> None:
    cell = '<table:table-cell office:value-type="{}" {}><text:p>{}</text:p></table:table-cell>'
    rows = (
        "<table:table-row>" + cell.format("string", "", "Name") + cell.format("string", "", "Born") + cell.format("string", "", "Share") + "</table:table-row>"
        '<table:table-row table:number-rows-repeated="2">' + cell.format("string", "", "Ann<text:s text:c='2'/>B") + cell.format("date", 'office:date-value="2024-03-01"', "01.03.24")
        + cell.format("percentage", 'office:value="0.125"', "12,5 %") + "</table:table-row>"
        '<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )  # fmt: skip
    (name, found) = sheet(ods({"Größe": rows}), "ods")
    assert name.text == "Größe"
    assert found.rows == (
        ("Name", "Born", "Share"),
        ("Ann B", "2024-03-01", "12,5 %"),
        ("Ann B", "2024-03-01", "12,5 %"),
    )


def test_xls_shows_what_is_seen() -> None:
    book, buffer = xlwt.Workbook(), io.BytesIO()
    page = book.add_sheet("Übersicht")
    for column, text in enumerate(("Name", "Born", "Share", "Price")):
        page.write(0, column, text)
    page.write(1, 0, "Ann")
    page.write(1, 1, dt.date(2024, 3, 1), xlwt.easyxf(num_format_str="D-MMM-YY"))
    page.write(1, 2, 0.125, xlwt.easyxf(num_format_str="0.0%"))
    page.write(1, 3, 1234.5, xlwt.easyxf(num_format_str="#,##0.00"))
    book.save(buffer)
    (name, found) = sheet(buffer.getvalue(), "xls")
    assert name.text == "Übersicht"
    assert found.rows[1] == ("Ann", "2024-03-01", "12.5%", "1234.50")
    assert found.first_row == 1


def test_fifty_thousand_rows_are_read_in_seconds() -> None:
    cells = "".join(f'<c t="n"><v>{i}.5</v></c>' for i in range(10))
    rows = "".join(f'<row r="{i}">{cells}</row>' for i in range(2, 50_002))
    header = '<row r="1">' + "".join(f'<c t="s"><v>{i}</v></c>' for i in range(10)) + "</row>"
    data = raw_xlsx(f"<sheetData>{header}{rows}</sheetData>", [f"Name {i}" for i in range(10)])
    started = time.process_time()
    (_, found) = sheet(data)
    assert len(found.rows) == 50_001
    assert found.rows[-1][3] == "3.5"
    assert time.process_time() - started < 60


def test_too_many_cells_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MAX_CELLS", 1000)
    with pytest.raises(Bomb, match="1,000 cells"):
        tables(*[[1] * 10] * 101)


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="XFE1"><v>1</v></c></row>',
        '<row r="99999999"><c><v>1</v></c></row>',
        '<row r="2"><c><v>1</v></c></row><row r="1"><c><v>1</v></c></row>',
        "<row><c><v>1</v></row>",
    ],
)
def test_cells_outside_of_a_sheet_are_damage(rows: str) -> None:
    with pytest.raises(Damaged):
        sheet(raw_xlsx(f"<sheetData>{rows}</sheetData>"))
