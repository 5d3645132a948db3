"""What no reader sees is gone from the text, and what one sees is as it was."""

import unicodedata

import pytest

from pipelines.ingest.clean import clean, one_line

UNSEEN = "\u00ad\u200b\u200e\u202e\u2066\ufeff\ufffe\x00\x1b\ud800\ufdd0\ufff9\ufffc\U000e0041"


@pytest.mark.parametrize("sign", UNSEEN)
@pytest.mark.parametrize("around", ["plain", "naïve 日本"])
def test_invisible_signs_are_gone(sign: str, around: str) -> None:
    assert clean(f"{around}{sign}{around}") == around + around
    assert one_line(f" {around}{sign} {around} ") == f"{around} {around}"


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ("eﬃcient", "efficient"),
        ("cafe\u0301", "café"),
        ("a\u00a0b\u2009c\u3000d", "a b c\u3000d"),
        ("\uf0b7 item", "• item"),
        ("a\r\nb\rc\u2028d\x0be", "a\nb\nc\nd\ne"),
        ("می\u200cخواهم 👩\u200d🚀", "می\u200cخواهم 👩\u200d🚀"),
        ("“quoted” – it’s 5 €", "“quoted” – it’s 5 €"),
    ],
)
def test_signs_have_one_form(found: str, wanted: str) -> None:
    assert clean(found) == wanted


def test_all_white_space_is_a_single_space_on_one_line() -> None:
    assert one_line("  a \t b\u3000c\u00a0\n\nd\x85e  ") == "a b c d e"
    assert one_line("a  b") == "a b"
    assert one_line("\u3000") == ""


def test_every_character_is_visible_after_cleaning_or_a_line_end_or_joins_others() -> None:
    kept = [chr(code) for code in range(0x3000) if clean(f"x{chr(code)}x") not in ("xx", "x x", "x\nx")]
    odd = {sign for sign in kept if not sign.isprintable() and unicodedata.category(sign) not in ("Cn", "Cf")}
    assert odd <= {"\t"}
