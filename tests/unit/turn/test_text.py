"""Sentences end where a careful reader would end them."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.text import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Dr. Smith paid $3.5 million, e.g. for U.S. bread.", "Really?!", '"No," he said.'],
        ["We met at Hyde Park.", "Larkfield is far.", "He moved to New York.", "Then Prof. Miller came."],
        ["It was closed. [1] [2]", "The next one is open. [3]"],
        ["1. First thing to do.", "2. Second thing."],
        ["Das ist z.B. schön.", "Das ist gut."],
        ["Visit www.example.com.", "Version v1.2.3 is out."],
    ],
)
def test_sentences_of_a_paragraph(expected: list[str]) -> None:
    assert cut(" ".join(expected)) == expected


def test_chinese_and_japanese_stops_end_sentences() -> None:
    assert cut("これは文です。次の文です！「はい。」そう。") == [
        "これは文です。",
        "次の文です！",
        "「はい。」",
        "そう。",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A heading\nThe text under it.", ["A heading", "The text under it."]),
        (
            "A line that is wrapped in the middle of\na sentence.",
            ["A line that is wrapped in the middle of\na sentence."],
        ),
        ("You need:\n- a passport\n- a card", ["You need:", "- a passport", "- a card"]),
        (
            "- a pass that is valid for a whole year;\n- a card",
            ["- a pass that is valid for a whole year;", "- a card"],
        ),
        ("Name | Price\nBike | 12", ["Name | Price", "Bike | 12"]),
        (
            "Present: A, B, C, D, E, F, G, H and J\nApologies: K",
            ["Present: A, B, C, D, E, F, G, H and J", "Apologies: K"],
        ),
        ("no stop\n\nnone here", ["no stop", "none here"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_layout_ends_sentences_too(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@given(st.text(alphabet=st.sampled_from("ab AB.!?。[]1()\n|-: "), max_size=200) | st.text(max_size=200))
def test_every_character_is_in_one_sentence(text: str) -> None:
    spans = sentences(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert re.sub(r"\s", "", "".join(cut(text))) == re.sub(r"\s", "", text)
    assert all(sentence == sentence.strip() for sentence in cut(text))


@pytest.mark.timeout(250)
@pytest.mark.parametrize("piece", ["\n", " \n", "a", "A. ", "。", "a | b\n", "[1] ", "1. ", "Heading\n"])
def test_a_document_of_one_thing_takes_linear_time(piece: str) -> None:
    sentences(piece * 50_000)
