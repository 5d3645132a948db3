"""Text is text in whatever bytes it came, and lines make paragraphs."""

import pytest

from pipelines.ingest.clean import clean, one_line, tidy
from pipelines.ingest.elements import Kind
from pipelines.ingest.formats.decoding import decode
from pipelines.ingest.formats.text import text_elements
from schemas.errors.files import Damaged

GERMAN = "Die Gebühren für die Überprüfung der größeren Anlagen werden jährlich am 3. März fällig."
RUSSIAN = "Это документ на русском языке. Отпуск составляет двадцать дней в году. Заявление подаётся начальнику."
JAPANESE = "これは日本語の文章です。会社の規定により、休暇は年に二十日です。"


@pytest.mark.parametrize(
    ("said", "encoding"),
    [
        (GERMAN, "cp1252"),
        ("ä ö", "cp1252"),
        ("L’été à l’école — 5 €", "cp1252"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        ("이것은 한국어 문서입니다. 휴가는 이십일입니다.", "euc_kr"),
        ("这是一个中文文档。根据公司规定，每年有假期。", "gb18030"),
        ("Urlop wynosi dwadzieścia dni w roku, zażółć.", "cp1250"),
        ("Αυτό είναι ένα έγγραφο στα ελληνικά.", "cp1253"),
        ("plain words", "utf-16-be"),
        ("plain words", "utf-32-le"),
    ],
)
def test_the_encoding_is_found(said: str, encoding: str) -> None:
    assert decode(said.encode(encoding)) == said


def test_a_few_wrong_bytes_do_not_change_the_encoding() -> None:
    assert decode(GERMAN.encode() * 20 + b"\xff") == GERMAN * 20 + "\ufffd"


def test_utf8_that_was_encoded_twice_is_put_right() -> None:
    twice = "1986–1990 “Watford”".encode().decode("latin-1").encode()
    assert decode(twice) == "1986–1990 “Watford”"


def test_bytes_that_are_no_text_are_damage() -> None:
    with pytest.raises(Damaged):
        decode(bytes(range(256)) * 40)


def test_text_is_composed_and_free_of_what_is_not_seen() -> None:
    assert clean("e\u0301 \ufb01n \u202egnp\u202c \u200bx\ufeff\x00\x07 \U000e0041!") == "é fin gnp x !"
    assert clean("one\r\ntwo\u2028three\u00a0four") == "one\ntwo\nthree four"
    assert clean("نمی\u200cخواهم") == "نمی\u200cخواهم"
    assert tidy("  a \t b \n\n\n\n c ") == "a b\n\nc"
    assert one_line(" a\n b ") == "a b"


def found(text: str) -> list[tuple[Kind, str]]:
    return [(element.kind, element.text) for element in text_elements(text)]


def test_wrapped_lines_are_joined_and_records_are_not() -> None:
    wrapped = (
        "Employees may travel by train in second class, and flights are booked\nby the office, except in emergencies."
    )
    assert found(wrapped) == [(Kind.TEXT, wrapped.replace("\n", " "))]
    records = "Name: Bob Marlowe\nAddress: 12 Main Street\nTown: Bern"
    assert [text for _, text in found(records)] == records.split("\n")


def test_blank_lines_items_and_headings_stand_alone() -> None:
    text = "TRAVEL POLICY\n\nOne.\n\n2.1 Refunds\n\n- first\n- second that\n  goes on\n\nHours\n=====\nNine to five."
    assert found(text) == [
        (Kind.TITLE, "TRAVEL POLICY"), (Kind.TEXT, "One."), (Kind.TITLE, "2.1 Refunds"), (Kind.LIST_ITEM, "• first"),
        (Kind.LIST_ITEM, "• second that goes on"), (Kind.TITLE, "Hours"), (Kind.TEXT, "Nine to five."),
    ]  # fmt: skip
