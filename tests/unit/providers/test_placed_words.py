"""Words find their seconds in a recording whose silences were left out."""

from typing import Any

import numpy as np
import pytest

from pipelines.ports.sound import Segment, Word
from pipelines.providers.local.windows import Piece, aligned, sentences_of

RATE = 16_000
PIECE = Piece(np.zeros(3 * RATE, np.float32), ((5 * RATE, 6 * RATE), (10 * RATE, 12 * RATE)))
"""A second that began at 5 s, and two that began at 10 s."""


@pytest.mark.parametrize(
    ("word", "placed"),
    [
        ((0.2, 0.6), (5.2, 5.6)),
        ((1.5, 2.0), (10.5, 11.0)),
        ((0.9, 1.6), (10.0, 10.6)),  # Most of it is in the second span.
        ((0.5, 1.1), (5.5, 6.0)),
        ((2.9, 9.0), (11.9, 12.0)),
        ((7.0, 8.0), (12.0, 12.0)),
    ],
)
def test_a_word_lies_within_the_span_that_holds_most_of_it(
    word: tuple[float, float], placed: tuple[float, float]
) -> None:
    found = PIECE.placed_word(Word("nine", *word, 0.5))
    assert (found.start_s, found.end_s) == pytest.approx(placed)
    assert (found.text, found.confidence) == ("nine", 0.5)


def found(*words: tuple[str, float, float]) -> list[dict[str, Any]]:
    return [{"word": text, "start": start, "end": end, "probability": 0.9} for text, start, end in words]


def test_punctuation_stays_with_its_word() -> None:
    words = aligned(found((" He", 0, 0.2), (" said", 0.2, 0.5), (" “", 0.5, 0.5), ("Nine", 0.5, 0.9), (".", 0.9, 1.0)))
    assert [word.text for word in words] == ["He", "said", "“Nine."]
    assert words[-1] == Word("“Nine.", 0.5, 0.9, 0.9)


def test_words_make_sentences() -> None:
    words = aligned(found((" Yes.", 0, 0.4), (" It", 1, 1.2), (" opens", 1.2, 1.6), (" at", 1.6, 1.7)))
    assert sentences_of(words) == (Segment(0, 0.4, "Yes."), Segment(1, 1.7, "It opens at"))
    assert sentences_of(()) == ()
