"""A marker stays where its passage supports the sentence, and is removed where it does not."""

from uuid import UUID

import pytest

from pipelines.ports.passages import Passage
from pipelines.turn.checking.citations import by_sentence, cite
from pipelines.turn.checking.support import stands_in, supports

SHOP = Passage(
    "document_chunks",
    11,
    UUID(int=1),
    "prices.pdf",
    "A bicycle costs 1,900.50 euros. Two wheels are part of it. Ms Okoro sells it from 9:00 on."
    ' The manual says: "never ride it in deep water".',
    ("Shop", "Returns"),
    3,
    3,
)
GERMAN = Passage(
    "document_chunks",
    12,
    UUID(int=2),
    "preise.pdf",
    "Das Fahrrad kostet 900 Euro und hat ein Schloss.",
)


@pytest.mark.parametrize(
    "sentence",
    [
        "A bicycle costs 1900.50 euros.",
        "The bike is 1,900 euros.",
        "It comes with 2 wheels.",
        "Okoro sells it, says the shop.",
        "1. A bicycle costs 1,900.50 euros.",
        'It says "never ride it in deep water", so don\'t.',
        "Returns are made in the shop.",
        "Das Fahrrad kostet 1.900,50 Euro.",
        "自転車は1900.50ユーロです。",
    ],
)
def test_what_the_passage_says_is_supported(sentence: str) -> None:
    assert supports(SHOP, sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "A bicycle costs 2,900.50 euros.",
        "A bicycle costs 19 euros.",
        "It comes with 3 wheels.",
        "The seller, named Smith, has bicycles for Miller.",
        'It says "always ride it in deep water", so do.',
        "Elephants live in Africa and eat grass.",
        "Das Fahrrad kostet 12 Euro.",
        "自転車は200ユーロです。",
    ],
)
def test_what_the_passage_does_not_say_is_not(sentence: str) -> None:
    assert not supports(SHOP, sentence)


def test_an_answer_in_english_may_rest_on_german_text() -> None:
    assert supports(GERMAN, "The bicycle is 900 euros and comes with a lock.")
    assert not supports(GERMAN, "The bicycle is 800 euros and comes with a lock.")


def test_markers_without_support_are_removed_and_the_others_cite_word_for_word() -> None:
    said = "A bicycle costs 1,900.50 euros [1]. It flies to the moon [1]. It has two wheels [1][7]."
    text, found = cite(said, [SHOP, GERMAN])
    assert text == "A bicycle costs 1,900.50 euros [1]. It flies to the moon. It has two wheels [1]."
    assert [one["number"] for one in found] == [1]
    [one] = found
    assert (one["chunk_id"], one["page"], one["heading_path"]) == (11, 3, ["Shop", "Returns"])
    assert one["quote"] in SHOP.text
    assert by_sentence(text, found) == [
        {"text": "A bicycle costs 1,900.50 euros.", "citations": [1], "supported": True},
        {"text": "It flies to the moon.", "citations": [], "supported": False},
        {"text": "It has two wheels.", "citations": [1], "supported": True},
    ]


def test_two_passages_of_one_sentence_are_both_named() -> None:
    said = "The bicycle costs 900 euros [2] or 1,900.50 euros [1]."
    text, found = cite(said, [SHOP, GERMAN])
    assert text == "The bicycle costs 900 euros or 1,900.50 euros."
    assert found == []


def test_an_answer_without_markers_is_left_as_it_is() -> None:
    assert cite("Hello there!", []) == ("Hello there!", [])
    assert by_sentence("Hello there!", []) == [{"text": "Hello there!", "citations": [], "supported": False}]


def test_a_quote_stands_in_its_source_whatever_the_white_space() -> None:
    assert stands_in("costs  900\neuros", "It costs 900 now, in euros.")
    assert not stands_in("costs 901", "It costs 900.")
    assert not stands_in("", "It costs 900.")
