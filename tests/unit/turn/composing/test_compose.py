"""The composed answer leads with the best statement and brings along what it needs to be understood."""

import re
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ports.models import Prompt
from pipelines.ports.passages import Passage
from pipelines.turn.composing.compose import compose, is_refusal

MINUTES = (
    "A solar roof on the shed would produce 58,000 kilowatt hours a year. The offer is 64,000 euros. "
    "The solar roof pays for itself.\n\n"
    "Decision: Approved with four votes in favour."
)
RIDES = (
    "The Forest Road is 33 kilometres long. It is closed during the deer season, from 15 October to 30 November.\n\n"
    "The Coast Path runs from the harbour to Seal Point."
)
LICENCE = "No. The motor stops helping above 25 kilometres per hour, so our e-bikes count as bicycles."
LIST = "For the border you need:\n- a passport\n- a vaccination card\n- the ticket\n\nThe bus leaves at noon."


def passages() -> tuple[Passage, ...]:
    texts = [
        ("minutes.md", ("Board", "3. Solar roof"), MINUTES),
        ("guide.txt", ("Rides",), RIDES),
        ("faq.html", ("Questions", "Do I need a driving licence?"), LICENCE),
        ("travel.docx", ("Travel",), LIST),
    ]
    return tuple(
        Passage("document_chunks", number, uuid4(), name, text, headings, score=1 - number / 10)
        for number, (name, headings, text) in enumerate(texts)
    )


def asked(question: str, *, spoken: bool = False, confident: bool = True) -> str:
    return compose(Prompt(question, passages(), "", spoken=spoken, confident=confident))


def test_a_sentence_that_points_back_brings_the_one_before() -> None:
    assert asked("When is the deer season?") == (
        "The Forest Road is 33 kilometres long. [2] "
        "It is closed during the deer season, from 15 October to 30 November. [2]"
    )


def test_a_heading_that_is_the_question_is_answered_by_what_stands_under_it() -> None:
    assert asked("Do I need a driving licence?") == f"{LICENCE} [3]"


def test_a_label_that_names_what_is_asked_is_found() -> None:
    decision = "Decision: Approved with four votes in favour. [1]"
    assert asked("What was decided about the solar roof?", spoken=True) == decision


def test_a_list_answers_as_a_whole() -> None:
    assert asked("What do I need for the border?").startswith(
        "For the border you need: a passport; a vaccination card; the ticket. [4]"
    )


def test_reference_marks_of_a_source_do_not_pass_for_citations() -> None:
    source = Passage("document_chunks", 1, uuid4(), "a.txt", "The **tower** is 50 metres high.[12] It is old. [3]")
    assert compose(Prompt("How high is the tower?", (source,), "")) == "The tower is 50 metres high. [1]"


def test_number_words_match_figures() -> None:
    assert not is_refusal(asked("Was it approved with 4 votes in favour?", confident=False))


def test_a_spoken_answer_is_shorter() -> None:
    question = "How much is the offer for the solar roof and what does it produce?"
    assert len(asked(question, spoken=True)) < len(asked(question))
    assert asked(question, spoken=True).count("[") <= 2


def test_a_refusal_names_the_nearest_documents() -> None:
    answer = asked("Which red wine goes with venison on the roof of a castle in Paris?")
    assert is_refusal(answer)
    assert "minutes.md (“3. Solar roof”) and guide.txt (“Rides”)" in answer


def test_below_the_threshold_only_full_wording_is_answered() -> None:
    assert is_refusal(asked("Where does the Coast Path to Paris run?", confident=False))
    assert not is_refusal(asked("Where does the Coast Path run?", confident=False))


@pytest.mark.parametrize("said", ["Hello", "good morning!", "Thank you very much.", "bye"])
def test_small_talk_is_answered_without_citations(said: str) -> None:
    answer = asked(said)
    assert "[" not in answer
    assert not is_refusal(answer)


@given(st.text(max_size=80), st.text(alphabet=st.sampled_from("ab1 .*_`[]|-:\n?#AQé"), max_size=60) | st.text())
def test_every_word_of_an_answer_stands_in_its_source(question: str, text: str) -> None:
    prompt = Prompt(question, (Passage("document_chunks", 1, uuid4(), "a.txt", text, score=1.0),), "")
    answer = compose(prompt)
    assert answer == compose(prompt)
    if answer.endswith(" [1]") and not is_refusal(answer):
        words = re.findall(r"[^\W_]+", answer.replace(" [1]", ""))
        assert set(words) <= set(re.findall(r"[^\W_]+", text))


def test_the_row_of_another_part_number_is_no_part_of_the_answer() -> None:
    header = "part | name | price"
    texts = [f"{header}\nB1-40602 | valve | 12.50\nB1-41379 | valve | 13.10", f"{header}\nB1-41380 | valve | 12.90"]
    rows = tuple(
        Passage("document_chunks", number, uuid4(), "parts.csv", text, ("parts",), score=1 - number / 10)
        for number, text in enumerate(texts)
    )
    said = compose(Prompt("What is the price of the valve B1-40602?", rows, ""))
    assert "12.50" in said and "B1-40602" in said
    assert "41379" not in said and "41380" not in said
