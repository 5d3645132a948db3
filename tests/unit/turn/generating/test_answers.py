"""The answer without a model quotes its sources, cites them, and says when it does not know."""

from uuid import uuid4

import pytest

from pipelines.ports.models import Prompt, Said
from pipelines.ports.passages import Passage
from pipelines.turn.checking.citations import cite
from pipelines.turn.composing.compose import compose, is_refusal
from pipelines.turn.composing.confidence import confidence
from pipelines.turn.prompting import prompt

HOURS = "The shop is open from Monday to Friday from 9:00 to 18:00. On Sundays the shop is open from 10:00 to 14:00."
PRICES = "Bike | Day | Week\nCity bike | €12 | €60\nE-bike | €29 | €150\nA helmet is free."
FAQ = "Can I bring my dog?\nYes, in a trailer. Trailers cost €5 a day.\n\nDo I need a deposit?\nNo, a card is enough."


def passage(text: str, number: int = 1, **fields: object) -> Passage:
    return Passage("document_chunks", number, uuid4(), f"file-{number}.pdf", text, score=1 / number, **fields)  # type: ignore[arg-type]


def asked(question: str, **fields: object) -> str:
    passages = (passage(HOURS, 1, heading_path=("Opening hours",)), passage(PRICES, 2), passage(FAQ, 3))
    return compose(Prompt(question, passages, "", **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When is the shop open on Sundays?", "On Sundays the shop is open from 10:00 to 14:00. [1]"),
        ("How much does an e-bike cost for a week?", "E-bike — Day: €29; Week: €150. [2]"),
        ("Can I bring my dog?", "Yes, in a trailer. [3]"),
        ("Do I need a deposit?", "No, a card is enough. [3]"),
        ("What does a helmet cost?", "A helmet is free. [2]"),
    ],
)
def test_the_statement_that_answers_is_quoted_with_its_source(question: str, expected: str) -> None:
    assert expected in asked(question)


@pytest.mark.parametrize("question", ["What is the capital of France?", "Who founded the company in 1987?"])
def test_what_the_documents_do_not_say_is_not_answered(question: str) -> None:
    assert is_refusal(asked(question, confident=False))


def test_without_passages_it_does_not_know() -> None:
    assert is_refusal(compose(Prompt("When is it open?", (), "")))


def test_a_greeting_is_answered_politely() -> None:
    assert asked("Hello!") == "Hello! What would you like to know?"


def test_every_word_of_an_answer_stands_in_a_source() -> None:
    answer = asked("When is the shop open?")
    said = answer.replace("[1]", "").replace("[2]", "").replace("[3]", "")
    assert all(word.strip(".") in HOURS + PRICES + FAQ for word in said.split())


def test_citations_quote_the_source_and_drop_unknown_numbers() -> None:
    passages = [passage(HOURS, 1, page_from=4), passage(PRICES, 2)]
    text, citations = cite("On Sundays from 10:00 to 14:00. [1] Nonsense. [7]", passages)
    assert text == "On Sundays from 10:00 to 14:00. [1] Nonsense."
    assert [(found["number"], found["filename"], found["page"]) for found in citations] == [(1, "file-1.pdf", 4)]
    assert citations[0]["quote"] == "On Sundays the shop is open from 10:00 to 14:00."
    assert citations[0]["quote"] in passages[0].text


def test_confidence_needs_meaning_and_wording() -> None:
    near = passage(HOURS, 1, similarity=0.75)
    question = "When is the shop open on Sundays?"
    sure = confidence([near], question)
    assert sure > 0.8
    assert confidence([passage("Nothing of it.", 1, similarity=0.75)], question) < 0.6
    rival = passage("The shop in the park is open on Sundays in summer.", 2, similarity=0.1)
    assert confidence([passage(HOURS, 1, similarity=0.1), rival], question) < sure
    assert confidence([], question) == 0.0


def test_a_prompt_says_who_asks_and_how_thin_the_ground_is() -> None:
    history = [Said("user", "newer"), Said("assistant", "newest")]
    built = prompt.build(question="q", passages=[], agent_name="Ada", history=history, confidence=0.2)
    assert [said.text for said in built.history] == ["newer", "newest"]
    assert not built.confident
    assert "Ada" in built.instructions
