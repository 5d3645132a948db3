"""What a prompt carries of a conversation, and what the older part of it comes to."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn.prompting import memory
from pipelines.turn.prompting.memory import Exchange, folded, recall, split, tokens

START = datetime(2026, 1, 1, tzinfo=UTC)


def talk(*said: tuple[str, str]) -> list[Exchange]:
    return [Exchange(uuid4(), START + timedelta(minutes=n), q, a) for n, (q, a) in enumerate(said)]


TALK = talk(
    ("How long is the warranty?", "Let me see. The warranty lasts five years [1]. Wheels are excluded [2]."),
    ("And refunds?", "Refunds take fourteen days [1]."),
    ("Who is the CEO?", "I don't know from these documents."),
)


def test_what_fits_stays_whole_and_in_order() -> None:
    recalled = recall("", TALK, 1000, 300)
    assert recalled.summary == ""
    assert [(said.role, said.text) for said in recalled.history()][:2] == [
        ("user", TALK[0].question),
        ("assistant", TALK[0].answer),
    ]
    assert len(recalled.history()) == 6


def test_what_does_not_fit_is_in_the_summary() -> None:
    recalled = recall("", TALK, TALK[2].tokens, 300)
    assert recalled.recent == (TALK[2],)
    assert recalled.summary.splitlines() == [
        "Asked: How long is the warranty? → The warranty lasts five years.",
        "Asked: And refunds? → Refunds take fourteen days.",
    ]
    first, second, *_ = recalled.history()
    assert (first.text, second.text) == (memory.BEFORE, recalled.summary)


def test_a_message_that_is_longer_than_the_budget_is_summarised_too() -> None:
    recalled = recall("", talk(("q", "word " * 5000)), 100, 300)
    assert recalled.recent == () and tokens(recalled.summary) <= 300


def test_a_summary_goes_on_from_the_one_before() -> None:
    before = folded("", TALK[:1], 300)
    assert folded(before, TALK[1:], 300) == folded("", TALK, 300)


def test_a_summary_keeps_to_its_budget_and_drops_the_oldest_first() -> None:
    many = talk(
        *((f"Question number {n}?", f"The answer number {n} is rather long, as answers are [1].") for n in range(50))
    )
    summary = folded("", many, 200)
    assert tokens(summary) <= 200
    assert summary.startswith(memory.LEFT_OUT)
    assert "number 49" in summary and "Question number 0?" not in summary


@given(
    st.lists(st.tuples(st.text(max_size=200), st.text(max_size=400)), max_size=30),
    st.integers(0, 2000),
    st.integers(100, 800),
)
def test_nothing_is_lost_or_twice(said: list[tuple[str, str]], budget: int, summary_budget: int) -> None:
    exchanges = talk(*said)
    older, recent = split(exchanges, budget)
    assert [*older, *recent] == exchanges
    assert sum(one.tokens for one in recent) <= budget
    summary = folded("", older, summary_budget)
    # One line is kept in any case; it has at most this many bytes.
    longest = (memory.MAX_QUESTION_CHARS + memory.MAX_ANSWER_CHARS + 100) * 4
    assert tokens(summary) <= max(summary_budget, longest // memory.BYTES_PER_TOKEN)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("One thing. Another is true [2]. More [1].", "Another is true."),
        ("Nothing is cited. At all.", "Nothing is cited."),
        ("", ""),
    ],
)
def test_the_sentence_that_names_its_source_is_the_one_to_keep(answer: str, sentence: str) -> None:
    assert memory.key_sentence(answer) == sentence


def test_what_a_model_is_asked_holds_the_summary_so_far_and_what_is_new() -> None:
    asked = memory.prompt("They greeted.", TALK[:1], 300)
    assert "They greeted." in asked.question and TALK[0].question in asked.question
    assert not asked.grounded and "no instruction" in asked.instructions
