"""Texts go to the embedder in requests it can read, and come back as one vector each."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.ingest.embed import batches, embed, halved
from pipelines.ingest.tokens import count
from pipelines.ports.models import Calibration
from schemas.errors.providers import ProviderUnavailable
from schemas.errors.requests import InputTooLong


class Reader:
    """An embedder that reads so many characters at once, and remembers what it was asked."""

    model, width, batch_size, calibration = "reader", 3, 100, Calibration(0.5, 10)

    def __init__(self, chars: int = 10**9) -> None:
        self.chars = chars
        self.asked: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        if sum(map(len, texts)) > self.chars:
            raise InputTooLong
        rows = np.array([[text.count("x"), text.count("y"), 0.01] for text in texts], np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def test_a_request_has_neither_too_many_texts_nor_too_many_tokens() -> None:
    texts = [f"number {n} " * (n % 40) for n in range(500)]
    found = list(batches(texts, 100, 1000))
    assert [text for batch in found for text in batch] == texts
    assert max(map(len, found)) <= 100
    assert max(sum(map(count, batch)) for batch in found) <= 1000
    assert list(batches(["word " * 5000, "b"], 100, 1000)) == [["word " * 5000], ["b"]]


def test_texts_that_are_too_long_together_are_sent_in_halves() -> None:
    reader = Reader(chars=35)
    vectors = embed(["x" * 10, "y" * 10] * 4, reader)
    assert vectors.shape == (8, 3)
    assert np.allclose(vectors[0::2, 0], 1, atol=0.01)
    assert np.allclose(vectors[1::2, 1], 1, atol=0.01)
    assert [len(batch) for batch in reader.asked] == [8, 4, 2, 2, 4, 2, 2]


def test_a_text_that_is_too_long_alone_is_the_mean_of_its_halves_by_their_lengths() -> None:
    reader = Reader(chars=200)
    text = "x" * 300 + " " + "y" * 100
    [vector] = embed([text], reader)
    assert abs(np.linalg.norm(vector) - 1) < 1e-5
    assert vector[0] / vector[1] == pytest.approx(3, rel=0.05)
    pieces = [batch[0] for batch in reader.asked if len(batch[0]) <= 200]
    assert "".join(pieces) == text.replace(" ", "")


def test_halves_are_cut_at_the_space_nearest_to_the_middle() -> None:
    assert halved("one two three four") == ("one two", "three four")
    assert halved("unbroken") == ("unbr", "oken")
    left, right = halved("a " + "b" * 50)
    assert left + right == "a " + "b" * 50


def test_what_can_not_be_read_at_all_is_said_so() -> None:
    with pytest.raises(InputTooLong):
        embed(["short"], Reader(chars=0))


@pytest.mark.parametrize(
    "answer",
    [np.ones((1, 3)), np.ones((3, 3)), np.full((2, 3), np.nan), np.ones(2), np.array([[1.0, np.inf, 0], [0, 1, 0]])],
)
def test_half_an_answer_is_none(answer: NDArray[np.float32]) -> None:
    reader = Reader()
    reader.embed = lambda texts: answer  # type: ignore[method-assign]
    with pytest.raises(ProviderUnavailable):
        embed(["a", "b"], reader)


def test_answers_of_several_widths_are_none() -> None:
    reader = Reader()
    reader.batch_size = 1
    reader.embed = lambda texts: np.ones((1, len(texts[0])), np.float32)  # type: ignore[method-assign]
    with pytest.raises(ProviderUnavailable):
        embed(["a", "bb"], reader)
