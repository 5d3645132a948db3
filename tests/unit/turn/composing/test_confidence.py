"""Confidence rises with what the passages hold of the question, and means the same whatever the model."""

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ports.passages import Passage
from pipelines.turn.composing.confidence import HIGH, LOW, WORDED, band, confidence, facts

TEXT = "Annual leave is 30 days. After five years of service it is 32 days. Unused leave lapses on 31 March."
OTHER = "Hotels are reimbursed up to 130 euros a night. Claim expenses within 60 days."


def passage(text: str, number: int = 1, similarity: float = 0.8) -> Passage:
    return Passage("document_chunks", number, uuid4(), f"p{number}.txt", text, similarity=similarity, score=1 / number)


GROUND = (passage(TEXT, 1), passage(OTHER, 2, 0.3))


def test_what_is_there_is_high_and_what_is_not_is_low() -> None:
    assert confidence(GROUND, "How many days of annual leave are there after five years?") > HIGH
    assert confidence(GROUND, "When does unused leave lapse?") > HIGH
    assert confidence(GROUND, "Who won the world cup in 2018?") < LOW
    assert confidence((passage(TEXT, 1, 0.1), passage(OTHER, 2, 0.1)), "What does the canteen serve?") < LOW


def test_without_passages_or_words_in_common_there_is_none() -> None:
    assert confidence((), "When?") == 0.0
    assert confidence(GROUND, "Zebra?") < LOW


def test_more_similarity_is_more_confidence() -> None:
    question = "How long is annual leave?"
    rising = [confidence((replace(GROUND[0], similarity=value), GROUND[1]), question) for value in (0.31, 0.6, 0.9)]
    assert rising == sorted(rising)
    assert rising[0] < rising[-1]


def test_a_name_or_a_type_that_is_missing_counts_against_it() -> None:
    known = facts(GROUND, "How much is annual leave worth in the Berlin office?")
    assert known["missing_names"] == 1.0
    assert known["untyped"] == 1.0
    assert WORDED["missing_names"] < 0
    assert WORDED["untyped"] < 0


def test_who_has_a_role_is_not_told_by_who_merely_stands_beside_the_place() -> None:
    ground = (passage("Hannah Reed looked at rooms in Brackwater.", 1), passage("Leah Stone is the safety officer.", 2))
    assert facts(ground, "Who is the mayor of Brackwater?")["untyped"] > 0.5
    assert facts(ground, "Who is the safety officer?")["untyped"] == 0.0


def test_in_another_language_meaning_alone_decides() -> None:
    question = "Wie viele Tage Urlaub haben die Leute und was ist mit dem Rest?"
    assert set(facts(GROUND, question)) == {"similarity"}
    high, low = ((passage(TEXT, 1, similarity),) for similarity in (0.95, 0.05))
    assert confidence(high, question) > HIGH
    assert confidence(low, question) < LOW


@pytest.mark.parametrize(("probability", "name"), [(0.81, "high"), (0.8, "medium"), (0.6, "medium"), (0.59, "low")])
def test_bands_have_their_limits(probability: float, name: str) -> None:
    assert band(probability) == name


@given(st.text(max_size=80), st.text(max_size=120), st.floats(0, 1))
def test_confidence_is_a_probability(question: str, text: str, similarity: float) -> None:
    found = confidence((passage(text, 1, similarity), passage(OTHER, 2, similarity)), question)
    assert 0.0 <= found <= 1.0
