"""What a client's sound comes as, in pieces of any length, and how it becomes 16 kHz mono."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.turn.sound.opus_stream import OpusStream
from pipelines.turn.sound.resample import Resampler
from pipelines.turn.sound.telephony import VALUES
from schemas.errors.sound import UndecodableAudio

Samples = NDArray[np.float32]

RATES_HZ = (8_000, 48_000)
ENCODINGS = ("pcm16", "mulaw", "alaw", "opus")


class StreamDecoder(Protocol):
    """Turns one client's pieces into sound. Not for several threads at once."""

    @property
    def bytes_per_s(self) -> float | None:
        """Return how many bytes a second of sound has, None where that varies."""

    @property
    def has_begun(self) -> bool:
        """Return whether sound is understood by now: what is cut at any place may be joined as well."""

    def feed(self, piece: bytes) -> Samples:
        """Return the 16 kHz mono samples that are ready, shape (n,), -1…1. Raises UndecodableAudio, AudioTooLong."""

    def flush(self) -> Samples:
        """Return what was held back. What is fed after begins anew."""


def stream_decoder(encoding: str, sample_rate_hz: int, channels: int = 1) -> StreamDecoder:
    """Return what decodes `encoding`, one of `ENCODINGS`; `opus` tells rate and channels itself.

    Raises UndecodableAudio for another encoding, a rate out of `RATES_HZ`, or not 1 or 2 channels.
    """
    if encoding == "opus":
        return OpusStream()
    if encoding not in ENCODINGS:
        raise UndecodableAudio(f"Send one of {', '.join(ENCODINGS)}.")
    return RawStream(encoding, sample_rate_hz, channels)


class RawStream:
    """PCM16 little-endian, µ-law or A-law, mono or interleaved stereo.

    Pieces may be cut at any byte. The result does not depend on where: joined, it is the same
    samples. At most 2 ms are held back.
    """

    def __init__(self, encoding: str, sample_rate_hz: int, channels: int = 1) -> None:
        """Raises UndecodableAudio unless the rate is 8,000…48,000 Hz and there are 1 or 2 channels."""
        if not RATES_HZ[0] <= sample_rate_hz <= RATES_HZ[1] or channels not in {1, 2}:
            raise UndecodableAudio(f"Send {encoding} at 8,000 to 48,000 Hz with one or two channels.")
        self._values = VALUES.get(encoding)
        self._channels = channels
        self._align = channels * (2 if self._values is None else 1)
        self.bytes_per_s: float | None = self._align * sample_rate_hz
        self.has_begun = True
        self._rest = b""
        self._resampler = Resampler(sample_rate_hz)

    def feed(self, piece: bytes) -> Samples:
        """Return the samples that are ready, shape (n,), possibly none."""
        data = self._rest + piece
        whole = len(data) - len(data) % self._align
        self._rest = data[whole:]
        if self._values is None:
            sound = np.frombuffer(data, "<i2", count=whole // 2) * np.float32(1 / 32768)
        else:
            sound = self._values[np.frombuffer(data, np.uint8, count=whole)]
        if self._channels == 2:
            sound = sound.reshape(-1, 2).mean(axis=1)
        return self._resampler.feed(sound)

    def flush(self) -> Samples:
        """Return what was held back. Half a sample at the end is dropped. What is fed after begins anew."""
        self._rest = b""
        return self._resampler.flush()
