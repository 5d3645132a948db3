"""A streamed answer is cut where its sentences end, however its tokens are split."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn.generating.sentences import SentenceSplitter

ANSWER = (
    "Dr. Smith pays $4.50, e.g. at noon. [1] It opens at 09:30 on Sundays. [2][3] See example.com/x for more! "
    "1. First item\n2. Second one.\nDone? Yes, approx. 5 kg."
)
SENTENCES = [
    "Dr. Smith pays $4.50, e.g. at noon. [1]",
    "It opens at 09:30 on Sundays. [2][3]",
    "See example.com/x for more!",
    "1. First item",
    "2. Second one.",
    "Done?",
    "Yes, approx. 5 kg.",
]


def split(pieces: list[str], clause_first: bool = False) -> list[str]:
    splitter = SentenceSplitter(clause_first)
    found = [sentence for piece in pieces for sentence in splitter.feed(piece)]
    return found + splitter.flush()


@given(st.lists(st.integers(1, len(ANSWER) - 1), max_size=40))
def test_any_tokens_give_the_same_sentences(cuts: list[int]) -> None:
    edges = [0, *sorted(set(cuts)), len(ANSWER)]
    assert split([ANSWER[a:b] for a, b in itertools.pairwise(edges)]) == SENTENCES


@given(st.text(max_size=300))
def test_nothing_is_lost_or_added(text: str) -> None:
    assert re.sub(r"\s", "", "".join(split([text]))) == re.sub(r"\s", "", text)


def test_a_sentence_is_given_as_soon_as_the_next_begins() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("The shop is open.") == []
    assert splitter.feed(" I") == ["The shop is open."]


@pytest.mark.parametrize(
    ("answer", "first"),
    [
        ("According to the house rules, guests leave by eleven on Sundays. So.", "According to the house rules,"),
        ("The shop opens at nine; on Sundays it stays closed all day. So.", "The shop opens at nine;"),
        ("The battery lasts six hours [1], and it charges overnight. So.", "The battery lasts six hours [1],"),
        (
            "The battery lasts six hours, [1][2] and then it charges overnight. So.",
            "The battery lasts six hours, [1][2]",
        ),
        ("The battery lasts six hours [1] but it charges in two. So.", "The battery lasts six hours [1]"),
        ("It was a long day – we left the house early. So.", "It was a long day"),
        ("It was a long day—we left the house early. So.", "It was a long day—"),
        ("You can bring it back because the warranty covers two years. So.", "You can bring it back"),
        ("Tell them what you saw and they will send a new one. So.", "Tell them what you saw"),
        (
            'He said "never again, my friend" to me, and then we left home. So.',
            'He said "never again, my friend" to me,',
        ),
    ],
)
def test_the_first_clause_of_a_long_first_sentence_is_given_first(answer: str, first: str) -> None:
    found = split([answer], clause_first=True)
    assert found[0] == first
    assert found[-1] == "So."
    assert len(found) == 3
    assert split([answer])[0] == answer.removesuffix(" So.")


@pytest.mark.parametrize(
    "answer",
    [
        "It costs exactly 1,290 euros for all of you. So.",
        "We are open on the days 1, 2 and 3 of May only. So.",
        "It happened on Monday the 3 May, 2021 in the old town. So.",
        "The head office is in Paris, France near the big river. So.",
        "All of you may bring e.g., cats and small dogs too. So.",
        "She asked him \u201cwill it rain, or will it snow today\u201d again. So.",
        "All of the bikes (the red, the green and the blue ones) work. So.",
        "Run the command `ls a, b and then c` in a shell. So.",
        "It works just fine, thank you. And then we all went home. So.",
        "Yes, it is open on every day of the week. So.",
        "Tom and Jerry eat the bread and butter at the table. So.",
        "It stays closed for a while longer than we had hoped. So.",
        "We will come to the house even if it snows all day. So.",
        "Short, is it not.",
    ],
)
def test_nothing_is_cut_where_it_would_be_heard_as_a_fault(answer: str) -> None:
    assert split([answer], clause_first=True) == split([answer])


def test_only_the_first_sentence_is_cut() -> None:
    later = "The shop opens at nine, and on Sundays it stays closed all day, but nobody has ever come then."
    assert split([f"Yes. {later} So."], clause_first=True) == ["Yes.", later, "So."]


def test_the_first_clause_is_given_before_its_sentence_ends() -> None:
    splitter = SentenceSplitter(clause_first=True)
    assert splitter.feed("The shop opens at nine, and on Sunday") == []
    assert splitter.feed("s ") == ["The shop opens at nine,"]


WORDS = st.lists(
    st.sampled_from(
        'Dr. the shop opens, at nine; [1] and it because – 3,5 5, e.g., Paris, France. So! (a b) " \n you'.split(" ")
    ),
    max_size=40,
).map(" ".join)


@given(WORDS, st.lists(st.integers(1, 200), max_size=20))
def test_any_tokens_give_the_same_first_clause(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted({cut for cut in cuts if cut < len(text)}), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(edges)]
    found = split(pieces, clause_first=True)
    assert found == split([text], clause_first=True)
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)


@pytest.mark.timeout(150)
@pytest.mark.parametrize("piece", ["a b c d, ", "x", " ", ", [1]", "— ", "a b c d, x\u2014"])
def test_a_hostile_stream_takes_no_time(piece: str) -> None:
    splitter = SentenceSplitter(clause_first=True)
    for _ in range(2_000):
        splitter.feed(piece)
    splitter.feed(piece * 10_000)
    splitter.flush()
