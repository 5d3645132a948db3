"""What is indexed of a text, and what a question asks for, are written alike."""

import time

import pytest

from pipelines.searchable import searchable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Order AB-1234/5 today.", "Order AB 1234 5 AB12345 today."),
        ("12/30 or 2024-01-31", "12 30 1230 or 2024 01 31 20240131"),
        ("and/or, well-known", "and or, well-known"),
        ("3.5.1 at 10:30 for 12.50", "3.5.1 at 10:30 for 12.50"),
        ("mail john.doe-1@example.org", "mail john.doe-1@example.org"),
        ("see https://example.org/a-1", "see https://example.org/a-1"),
        ("Grüße an Łukasz, señor Ångström", "Grusse an Lukasz, senor Angstrom"),
        ("cafe\u0301 ﬁne １２", "cafe fine 12"),
        ("東京都", " 東京 京都 "),
        ("猫", " 猫 "),
        ("が", " が "),
        ("йога Ελλάδα", "йога Ελλάδα"),
        ("plain words stay", "plain words stay"),
        ("", ""),
    ],
)
def test_a_text_is_written_as_the_parser_reads_it_best(text: str, expected: str) -> None:
    assert searchable(text) == expected


def test_parts_and_other_spellings_of_a_code_share_words_with_it() -> None:
    whole = set(searchable("AB-1234/5").split())
    for asked in ("AB-1234", "1234", "ab12345".upper(), "AB-1234-5", "1234/5"):
        assert set(searchable(asked).split()) & whole


def test_written_twice_it_says_the_same_words() -> None:
    for text in ("AB-1234/5 and/or Grüße", "ISO/IEC-27001: part"):
        once = searchable(text)
        assert searchable(once) == once


@pytest.mark.parametrize("text", ["a-" * 50_000, "1-" * 50_000, "x" * 100_000, "-/" * 50_000, "東" * 100_000])
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    searchable(text)
    assert time.process_time() - began < 1
