"""The local embedder, for real."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.providers.local.minilm import MiniLM

SHORT = "Where is the nearest railway station?"
FILLER = "The committee met again on the following day and went through the remaining points of the agenda. " * 40
TAIL = "The password of the vault is written on the back of the green lighthouse painting."


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [SHORT, FILLER, "x", "", "Bicycles are repaired on Mondays.", FILLER + TAIL, "日本語の文書です。", SHORT]


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(one @ other)


def test_vectors_are_units_whatever_the_text(minilm: MiniLM, texts: Sequence[str]) -> None:
    vectors = minilm.embed(texts)
    assert vectors.shape == (len(texts), 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_order_is_kept_and_a_vector_does_not_depend_on_its_neighbours(minilm: MiniLM, texts: Sequence[str]) -> None:
    together = minilm.embed(texts)
    alone = np.concatenate([minilm.embed([text]) for text in texts])
    backwards = minilm.embed(texts[::-1])[::-1]
    assert np.allclose(together, alone, atol=1e-5)
    assert np.allclose(together, backwards, atol=1e-5)
    assert np.allclose(together[0], together[-1], atol=1e-6)


def test_the_tail_of_a_long_text_is_not_lost(minilm: MiniLM) -> None:
    without, with_tail, question = minilm.embed([FILLER[:2400], FILLER[:2400] + TAIL, "What is the vault's password?"])
    assert cosine(without, with_tail) < 0.98
    assert cosine(question, with_tail) > cosine(question, without) + 0.1


def test_no_text_gives_no_vector(minilm: MiniLM) -> None:
    assert minilm.embed([]).shape == (0, 384)


def test_meaning_decides_what_is_near(minilm: MiniLM) -> None:
    question, right, wrong, off_topic = minilm.embed(
        [
            "How many days of holiday do employees get?",
            "Every member of staff is entitled to thirty days of paid leave a year.",
            "Employees wear a badge at all times inside the building.",
            "The recipe calls for two eggs and a cup of flour.",
        ]
    )
    assert cosine(question, right) > cosine(question, wrong) > cosine(question, off_topic)


def test_calibration_tells_an_answer_from_another_subject(minilm: MiniLM) -> None:
    question, right, off_topic = minilm.embed(
        [
            "What does the repair of a flat tyre cost?",
            "Repairing a flat tyre costs 15 euros.",
            "Our office is closed on public holidays.",
        ]
    )
    similar, unlike = minilm.calibration.similarity(np.array([question @ right, question @ off_topic]))
    assert similar > 0.8
    assert unlike < 0.6
