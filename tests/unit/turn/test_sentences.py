"""A streamed answer is cut where its sentences end, however its tokens are split."""

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn.sentences import SentenceSplitter

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


def split(pieces: list[str]) -> list[str]:
    splitter = SentenceSplitter()
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
