"""Recordings as servers take them: WAV files below their size limit."""

import io
import wave
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipelines.ports.sound import Audio

_FRAME_S = 0.02


def wav(audio: Audio) -> bytes:
    """Return mono `audio` as a WAV file of PCM16."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.sample_rate_hz)
        # What came as PCM16 goes on as the same samples.
        file.writeframes(np.clip(np.round(audio.samples * 32768), -32768, 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def pieces(audio: Audio, longest_s: float, search_s: float = 30.0) -> Iterator[Audio]:
    """Yield `audio` in pieces of at most `longest_s`, each cut at the quietest 20 ms of its last `search_s`."""
    longest, search = (int(seconds * audio.sample_rate_hz) for seconds in (longest_s, search_s))
    rest = audio.samples
    while len(rest) > longest:
        cut = longest - search + _quietest(rest[longest - search : longest], audio.sample_rate_hz)
        yield Audio(rest[:cut], audio.sample_rate_hz)
        rest = rest[cut:]
    yield Audio(rest, audio.sample_rate_hz)


def _quietest(samples: NDArray[np.float32], sample_rate_hz: int) -> int:
    """Return the middle of the frame with the least energy, in samples from the start."""
    size = int(_FRAME_S * sample_rate_hz)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    return int(np.argmin((frames**2).sum(axis=1))) * size + size // 2
