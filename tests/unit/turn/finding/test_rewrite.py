"""A question that leans on the one before is made whole; one that stands alone is not touched."""

import json
from pathlib import Path

import pytest

from pipelines.ports.models import Said
from pipelines.turn.finding import rewrite

BEFORE = (Said("user", "Can I rent a trailer for my dog?"), Said("assistant", "Yes, trailers are for rent. [1]"))
FOUNDER = (
    Said("user", "Who founded the workshop?"),
    Said("assistant", "It was founded by Marta Lindqvist in 1987. [2]"),
)


@pytest.mark.parametrize(
    "question",
    [
        "And how much is it?",
        "How much does it cost?",
        "what about Sundays?",
        "and for children?",
        "Why?",
        "How long?",
        "Since when?",
        "Is that refundable?",
        "Can I return it?",
        "Where can I find them?",
        "How do I get there?",
        "Which one is cheaper?",
        "Do they open on Sundays?",
        "How about a week?",
        "What does this cover?",
        "For how long?",
        "without breakfast?",
        "Who is she?",
        "the second one?",
        "And on weekends?",
        "Are those included?",
    ],
)
def test_a_question_that_leans_is_made_whole_by_the_words_before(question: str) -> None:
    written = rewrite.standalone(question, BEFORE)
    assert written is not None
    assert "trailer" in written
    assert "dog" in written


@pytest.mark.parametrize(
    "question",
    [
        "How much does a helmet cost?",
        "What is photosynthesis?",
        "Is it possible to cancel a booking?",
        "Opening hours?",
        "How long does it take to ship a parcel abroad?",
        "When did the company move its office?",
        "What time is it allowed to check in?",
        "Who led the team this season?",
        "Which bank has its seat in Basel?",
        "Does Anna Berg still run her clinic?",
        "What is the price of a tent and how much does it weigh?",
        "Are there lockers at the station?",
        "price list",
        "What did the treaty that ended the war say?",
        "Is there a fee?",
    ],
)
def test_a_question_that_stands_alone_is_not_touched(question: str) -> None:
    assert rewrite.standalone(question, BEFORE) is None


def test_who_was_named_in_the_answer_is_who_is_meant() -> None:
    written = rewrite.standalone("When was she born?", FOUNDER)
    assert written is not None
    assert "Marta" in written
    assert "Lindqvist" in written


def test_the_question_itself_comes_first_so_that_its_kind_is_seen() -> None:
    written = rewrite.standalone("And how much is it?", BEFORE)
    assert written is not None
    assert written.startswith("How much is it?")


def test_without_a_talk_before_nothing_is_made_up() -> None:
    assert rewrite.standalone("And how much is it?", ()) is None
    assert rewrite.standalone("And how much is it?", (Said("user", "Hi!"), Said("assistant", "Hello!"))) in (
        None,
        "How much is it? (Hi)",
    )


def test_what_a_model_writes_is_taken_only_if_it_can_be_the_question() -> None:
    assert rewrite.accepted(' "How much is the trailer?" ', "And how much is it?") == "How much is the trailer?"
    assert rewrite.accepted("It costs\nfive euros.", "And how much is it?") is None
    assert rewrite.accepted("word " * 100, "And how much is it?") is None
    assert rewrite.accepted("  ", "And how much is it?") is None


def test_of_real_questions_that_stand_alone_hardly_any_is_touched(shared_data: Path) -> None:
    articles = json.loads((shared_data / "retrieval" / "xquad.en.json").read_text())["data"]
    questions = [qa["question"] for article in articles for one in article["paragraphs"] for qa in one["qas"]]
    touched = [question for question in questions if rewrite.leans(question)]
    assert len(touched) <= 0.01 * len(questions), touched
