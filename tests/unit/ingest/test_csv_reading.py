"""CSV in whatever dress: separators, encodings, quotes, rows of any length."""

import random

import pytest

from pipelines.ingest.chunk import chunk
from pipelines.ingest.elements import Element, Kind
from pipelines.ingest.extract import extract
from pipelines.ingest.formats.sheets.grid import MAX_COLUMNS
from schemas.errors.files import Bomb


def only(data: bytes, kind: str = "csv") -> Element:
    (found,) = extract(data, kind, f"a.{kind}").elements
    return found


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "\x1f", "^"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_separator_is_found(separator: str, end: str) -> None:
    rows = [("Name", "City", "Note"), ("Ann", "Oslo", "a-b: c"), ("Bob", "Bergen", "d")]
    text = end.join(separator.join(row) for row in rows)
    assert only(text.encode()).rows == tuple(rows) or separator == "\x1f"
    assert "Bergen" in only(text.encode()).text


def test_decimal_commas_are_no_separators() -> None:
    found = only(b"Jahr;Umsatz;Kosten\n2023;143,1;-814,38\n2024;215,32;-11,08\n")
    assert found.rows[1] == ("2023", "143,1", "-814,38")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("shift-jis", "名前,年齢,都市\r\n山田太郎,20,東京都千代田区\r\n佐藤花子,30,大阪市北区\r\n"),
        ("cp1252", "Straße,Größe,Ort\nMüllerweg,12,Köln\nÄußere Allee,7,Düsseldorf\n"),
        ("utf-16", "Name,Ort\nJürgen,Köln\n"),
        ("utf-8-sig", "Name,Ort\nJürgen,Köln\n"),
        ("cp1251", "Имя,Город,Страна\nАнна Иванова,Москва,Россия\nИван Петров,Казань,Россия\n"),
        ("gb18030", "姓名,城市,国家\n张伟先生,北京市海淀区,中国\n王芳女士,上海市浦东新区,中国\n"),
    ],
)
def test_any_encoding_is_read(encoding: str, text: str) -> None:
    rows = tuple(tuple(line.split(",")) for line in text.splitlines())
    assert only(text.encode(encoding)).rows == rows


def test_quotes_hold_separators_and_line_ends() -> None:
    found = only(b'Name,Note\n"Ann, the first","two\nlines ""quoted"""\nBob,x\n')
    assert found.rows == (("Name", "Note"), ("Ann, the first", 'two lines "quoted"'), ("Bob", "x"))
    (piece,) = chunk(extract(b'Name,Note\nAnn,"a\nb"\nBob,x\n', "csv", "a.csv"))
    assert (piece.row_from, piece.row_to) == (2, 3)


def test_a_quote_that_nobody_closes_swallows_nothing() -> None:
    rows = "".join(f"{i},word {i}\n" for i in range(500))
    found = only(f'id,text\n0,"open\n{rows}'.encode())
    assert "499 | word 499" in found.text


def test_rows_of_any_length_keep_their_values() -> None:
    found = only(b"a,b,c\n1\n1,2,3,4,5\n\n,,9\n")
    assert found.text.split("\n") == ["a | b | c |  | ", "1 |  |  |  | ", "1 | 2 | 3 | 4 | 5", "", " |  | 9 |  | "]


def test_without_a_header_no_row_is_taken_for_one() -> None:
    found = only(b"1,2024-03-01,5.5\n2,2024-03-02,6.5\n")
    assert found.rows == ()
    assert found.first_row == 1


def test_a_first_line_may_say_the_separator() -> None:
    found = only(b"sep=|\nName|City\nAnn|Oslo, Norway\n")
    assert found.rows == (("Name", "City"), ("Ann", "Oslo, Norway"))
    assert found.first_row == 2


def test_a_title_above_the_table_is_its_heading() -> None:
    title, found = extract(b"Stock 2024,,\nItem,Count,Place\nNut,5,A1\n", "csv", "a.csv").elements
    assert (title.kind, title.text) == (Kind.TITLE, "Stock 2024")
    assert found.first_row == 2


def test_tsv_and_text_that_is_no_table_are_read() -> None:
    assert only(b"Name\tCity\nAnn\tOslo, N\n", "tsv").rows[1] == ("Ann", "Oslo, N")
    found = extract(
        b"Just a sentence that says something.\nAnd one more of them that goes on for a while.\n", "csv", "a.csv"
    )
    assert "one more of them" in " ".join(element.text for element in found.elements)


def test_very_wide_files_are_bounded() -> None:
    count = 50_000
    data = ",".join(f"n{i}" for i in range(count)) + "\n" + ",".join(f"v{i}" for i in range(count)) + "\n"
    chunks = chunk(extract(data.encode(), "csv", "a.csv"))
    text = "\n".join(piece.text for piece in chunks)
    assert len(text) < 20 * len(data)
    assert "n49999: v49999" in text
    ragged = "a," * count + "\n" + "1,2\n" * 1000
    assert sum(len(e.text) for e in extract(ragged.encode(), "csv", "a.csv").elements) < 20 * len(ragged)


def test_a_table_too_wide_to_be_one_is_refused() -> None:
    for count in (MAX_COLUMNS + 1, 1_000_000):
        with pytest.raises(Bomb, match="A row"):
            extract(b"1," * count + b"\n" + b"1,2\n", "csv", "a.csv")
    assert extract(b"\n".join([b"1," * MAX_COLUMNS] * 2), "csv", "a.csv").elements


def test_noise_is_read_or_refused() -> None:
    rng = random.Random(5)
    for _ in range(20):
        text = "".join(rng.choice('ab1,;\t|"\n\r\x00é ') for _ in range(rng.randrange(1, 400)))
        extract(text.encode(), "csv", "a.csv")
