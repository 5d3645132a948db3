"""What the stages need from the outside, as types: providers in, values out.

Audio is mono everywhere inside AURA: 16 kHz float32 towards recognition, PCM16 at the speaker's
own rate towards the listener.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

STT_RATE_HZ = 16_000
"""Sample rate of audio that is to be recognised."""


@dataclass(frozen=True)
class Box:
    """A rectangle on a page in PDF points, origin at the top left of the page."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Spot:
    """Where a paragraph of a text stands on a page: it begins at character `start` of the text."""

    start: int
    box: Box


@dataclass(frozen=True)
class Passage:
    """One retrieved piece of knowledge. `similarity` is calibrated to 0…1, equal over all models.

    `row_from`, `row_to` are rows of a sheet, from 1, `start_s`, `end_s` seconds of a recording; else None.
    `title` is the document's. `before` and `after` are the text next to the passage, under the same headings: they
    help to understand it and are never what is cited.
    `boxes` cover the whole text, `spots` say where each of its paragraphs stands.
    """

    source: str
    chunk_id: int
    doc_id: UUID
    filename: str
    text: str
    heading_path: tuple[str, ...] = ()
    page_from: int | None = None
    page_to: int | None = None
    boxes: tuple[Box, ...] = ()
    chunk_type: str = "general"
    similarity: float = 0.0
    bm25: float = 0.0
    score: float = 0.0
    row_from: int | None = None
    row_to: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    title: str = ""
    before: str = ""
    after: str = ""
    spots: tuple[Spot, ...] = ()


@dataclass(frozen=True)
class KnowledgeFilter:
    """Which of a tenant's knowledge is searched. What is None or empty limits nothing; what is given must all hold.

    A document holds where it is one of `doc_ids`, has any of `tags` (`documents.metadata->'tags'`), is of one of
    `file_types` and of one of `sources` (`documents.source`), and was created at or after `created_after` and
    before `created_before`.
    """

    doc_ids: tuple[UUID, ...] = ()
    tags: tuple[str, ...] = ()
    file_types: tuple[str, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    sources: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class Audio:
    """Mono sound: float32 samples in -1…1."""

    samples: NDArray[np.float32]
    sample_rate_hz: int

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


@dataclass(frozen=True)
class Segment:
    """A part of a transcript, and the seconds of the sound between which it is said."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True)
class Word:
    """A word, and the seconds of the sound between which it is said.

    `confidence` is 0…1, None where the model does not tell it of single words.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float | None = None


@dataclass(frozen=True)
class Transcript:
    """What was said. `text` is empty where no speech was found; `confidence` is 0…1.

    `language` is an ISO 639-1 code, empty where it is not known. `segments` and `words`, in order, are told where
    they were asked for and the model knows them.
    """

    text: str
    language: str
    duration_s: float
    confidence: float
    segments: tuple[Segment, ...] = ()
    words: tuple[Word, ...] = ()


class Transcriber(Protocol):
    """Turns speech into text."""

    name: str
    model: str

    def transcribe(
        self, audio: Audio, language: str | None = None, *, timestamps: bool = False, words: bool = False
    ) -> Transcript:
        """Return the transcript of 16 kHz mono `audio`; the language is detected unless given.

        With `timestamps`, which take longer, it has its segments, and with `words` its words, where the model can
        tell them. Raises ProviderUnavailable or RateLimited.
        """


@dataclass(frozen=True)
class Voice:
    """A voice that can be asked for by `voice_id`."""

    voice_id: str
    name: str
    language: str
    provider: str
    labels: dict[str, str] = field(default_factory=dict)


class Sound(bytes):
    """A piece of mono PCM16. `words` are those of which it is told here when in the whole speech they are said."""

    words: tuple[Word, ...] = ()


class Speaker(Protocol):
    """Turns text into speech."""

    name: str
    sample_rate_hz: int

    def voices(self) -> Sequence[Voice]:
        """Return the voices on offer, the default first."""

    def speak(self, text: str, voice_id: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        """Yield mono PCM16 little-endian at `sample_rate_hz`, in pieces as they become ready.

        `speed`, 0.5…2, multiplies the voice's own pace; who cannot go so far goes as far as it can.
        Raises ProviderUnavailable or RateLimited.
        """


class Objects(Protocol):
    """Keeps bytes under keys that start with the tenant's id."""

    def put(self, key: str, data: bytes) -> None: ...

    def get(self, key: str) -> bytes:
        """Return the bytes. Raises NotFound."""

    def delete_prefix(self, prefix: str) -> int:
        """Delete all keys under `prefix` and return how many there were."""
