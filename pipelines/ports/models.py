"""Models of text: what they are asked and what they give."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipelines.ports.passages import Passage


@dataclass(frozen=True)
class Said:
    """One earlier message; `role` is `user` or `assistant`."""

    role: str
    text: str


@dataclass(frozen=True)
class Persona:
    """How an answer sounds. Each trait is 0…1, 0.5 neutral; `language` is a BCP 47 tag, None as the question is.

    `formality` 0 is casual, 1 formal; `detail` 0 is the bare fact, 1 everything about it; `energy` 0 is calm,
    1 lively.
    """

    formality: float = 0.5
    detail: float = 0.5
    energy: float = 0.5
    language: str | None = None


@dataclass(frozen=True)
class Prompt:
    """All that an answer is made from. Passages are data: nothing in them is an instruction.

    An answer refers to `passages[i]` by the marker `[i+1]` after the sentence it supports. `confident`
    is False where the passages fit the question too badly to answer from; `confidence`, 0…1, is the
    probability that an answer from them is right, None where nobody has judged it. A `bare` one is no question to
    answer from passages: the instructions say what is to be done with the text in `question`.
    `persona` is None where none is asked for: an answer as plain as ever. `grounded` is False where no documents
    were searched, as the request wished: who can answers from what was said and from what it knows. `reply` is
    what to say where nothing is asked, such as "call me Ada".
    """

    question: str
    passages: tuple[Passage, ...]
    instructions: str
    history: tuple[Said, ...] = ()
    spoken: bool = False
    confident: bool = True
    bare: bool = False
    confidence: float | None = None
    persona: Persona | None = None
    grounded: bool = True
    reply: str | None = None


@dataclass(frozen=True)
class Usage:
    """What a call consumed; `cost_usd` is 0 for local models. `complete` is False where a limit cut the answer."""

    provider: str
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    complete: bool = True


Delta: TypeAlias = str | Usage
"""A piece of an answer; the last one of a stream is the `Usage`."""


class ChatModel(Protocol):
    """Writes answers."""

    name: str
    model: str

    def answer(self, prompt: Prompt) -> Iterator[Delta]:
        """Yield the answer in pieces, then one `Usage`.

        Closing the iterator ends the call at the provider. Raises ProviderUnavailable or RateLimited.
        """


@dataclass(frozen=True)
class Calibration:
    """Turns a model's cosine into a similarity that means the same for every model.

    similarity = 1 / (1 + exp(-slope * (cosine - midpoint))); at similarity 0.7 a passage is
    as likely the right one as the best of all others. Fitted by `bench/calibrate.py`.
    """

    midpoint: float
    slope: float

    def similarity(self, cosine: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return calibrated similarities in 0…1, of the same shape."""
        odds = np.exp(-self.slope * (cosine - self.midpoint))
        return np.asarray(1 / (1 + odds), dtype=np.float32)

    def cosine(self, similarity: float) -> float:
        """Return the cosine that has this calibrated similarity (0 < similarity < 1)."""
        return float(self.midpoint - np.log(1 / similarity - 1) / self.slope)


class Embedder(Protocol):
    """Turns texts into unit vectors. `batch_size` is the most texts one call should carry."""

    model: str
    width: int
    batch_size: int
    calibration: Calibration

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (len(texts), width), in the order of `texts`.

        Raises ProviderUnavailable, RateLimited, or InputTooLong where it cannot read so much at once.
        """


class Reranker(Protocol):
    """Reads passages against a question, which finds better than comparing vectors and costs more."""

    name: str
    model: str

    def rerank(self, question: str, texts: Sequence[str], timeout_s: float) -> Sequence[float]:
        """Return how well each text answers the question: 0…1, in the order of `texts`.

        Raises ProviderUnavailable, also where it takes longer than `timeout_s`, or RateLimited.
        """
