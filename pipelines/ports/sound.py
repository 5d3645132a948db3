"""Sound, who recognises it and who makes it.

Audio is mono everywhere inside AURA: 16 kHz float32 towards recognition, int16 at the speaker's own
rate towards the listener.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

STT_RATE_HZ = 16_000
"""Sample rate of audio that is to be recognised."""


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
