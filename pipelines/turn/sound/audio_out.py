"""Speech as a listener wants it: PCM16, µ-law, MP3 or Opus at the rate asked for, encoded while it is still spoken.

How much sound must be fed before the first of it comes out: PCM16 and µ-law 2 ms, none at the source's own rate; Opus
45 ms; MP3 50 to 75 ms, 150 at 8,000 Hz. A second of sound costs 2 to 3 ms of a core as PCM16 or µ-law, none at the
source's own rate, 12 as Opus, 10 to 33 as MP3.
"""

import io
from abc import abstractmethod
from fractions import Fraction
from typing import Any, Literal, TypeAlias, get_args

import av
import numpy as np
from numpy.typing import NDArray

from pipelines.turn.sound.resample import Resampler
from schemas.errors.requests import InvalidRequest

Encoding: TypeAlias = Literal["pcm16", "mulaw", "mp3", "opus"]
Pcm: TypeAlias = NDArray[np.int16]

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
RATES_HZ = (8_000, 48_000)
SOURCE_RATES_HZ = (4_000, 192_000)

_OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
_MP3_RATES_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_OPUS_FRAME_S = 0.02
_STEP = 4_096
"""Samples that are resampled at once: what is fed may be long, what is held beside it stays short."""


class Encoder:
    """Encodes one answer: all that comes out, joined, is one stream, with no seam wherever the pieces were cut.

    `sample_rate_hz` is the rate of what comes out: the rate asked for, or for MP3 and Opus the next higher one
    that the format has. `hold_s` is how much of the sound fed may still be inside while more is awaited.
    """

    encoding: Encoding
    content_type: str
    hold_s: float

    def __init__(self, source_rate_hz: int, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._rest = b""
        self._source_rate_hz = 0
        self._resampler: Resampler | None = None
        self._listen_to(source_rate_hz)

    def feed(self, pcm: bytes, source_rate_hz: int | None = None) -> bytes:
        """Take mono PCM16 little-endian, cut at any byte, and return what is encoded by now, possibly nothing.

        The rate may change between two pieces, as it does where another provider goes on with the answer. Raises
        InvalidRequest for a rate that no sound has.
        """
        changed = b""
        if source_rate_hz is not None and source_rate_hz != self._source_rate_hz:
            changed = self._encoded(self._resampled_rest())
            self._listen_to(source_rate_hz)
        data = self._rest + pcm
        whole = len(data) // 2 * 2
        self._rest = data[whole:]
        samples = np.frombuffer(data, "<i2", count=whole // 2)
        pieces = (samples[at : at + _STEP] for at in range(0, len(samples), _STEP))
        return changed + b"".join(self._encoded(self._resampled(piece)) for piece in pieces)

    def settle(self) -> bytes:
        """Return what is held of the sound fed so far, followed by at most `hold_s` of silence.

        For a pause of unknown length: otherwise the end of a word would wait for the next sentence.
        """
        self._rest = b""
        return self.feed(bytes(2 * int(self.hold_s * self._source_rate_hz + 1)))

    def flush(self) -> bytes:
        """Return all that is left and end the stream; half a sample at the end is dropped. Nothing may follow."""
        return self._encoded(self._resampled_rest()) + self._end()

    @abstractmethod
    def _encoded(self, samples: Pcm) -> bytes:
        """Take samples at `sample_rate_hz` and return what is encoded by now."""

    def _end(self) -> bytes:
        return b""

    def _listen_to(self, source_rate_hz: int) -> None:
        if not SOURCE_RATES_HZ[0] <= source_rate_hz <= SOURCE_RATES_HZ[1]:
            raise InvalidRequest(f"Sound at {source_rate_hz} Hz cannot be encoded.")
        self._source_rate_hz, self._rest, self._resampler = source_rate_hz, b"", None
        if source_rate_hz != self.sample_rate_hz:
            self._resampler = Resampler(source_rate_hz, self.sample_rate_hz)

    def _resampled(self, samples: Pcm) -> Pcm:
        return samples if self._resampler is None else _whole(self._resampler.feed(samples.astype(np.float32)))

    def _resampled_rest(self) -> Pcm:
        return np.zeros(0, np.int16) if self._resampler is None else _whole(self._resampler.flush())


def _whole(samples: NDArray[np.float32]) -> Pcm:
    """Return samples as numbers of 16 bits; a resampler's filter overshoots at full level."""
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


class Pcm16(Encoder):
    """Mono PCM16, little-endian. At the source's rate it is the source, byte for byte."""

    encoding: Encoding = "pcm16"
    content_type = "audio/pcm"
    hold_s = 0.01

    def _encoded(self, samples: Pcm) -> bytes:
        return samples.astype("<i2", copy=False).tobytes()


class _Coded(Encoder):
    """Encoded by FFmpeg, frame by frame."""

    def _open(self, codec: str, sample_format: str, bit_rate: int, **options: str) -> None:
        context: Any = av.CodecContext.create(codec, "w")
        context.sample_rate, context.layout, context.format = self.sample_rate_hz, "mono", sample_format
        context.time_base = Fraction(1, self.sample_rate_hz)
        if bit_rate:
            context.bit_rate = bit_rate
        context.options = options
        context.open()
        self._begin(context)

    def _begin(self, context: Any) -> None:
        self._context, self._frame = context, int(context.frame_size or 0)
        self._waiting, self._at = np.zeros(0, np.int16), 0

    def _encoded(self, samples: Pcm) -> bytes:
        waiting = np.concatenate([self._waiting, samples])
        frame = self._frame or len(waiting)
        whole = len(waiting) // frame * frame if frame else 0
        self._waiting = waiting[whole:]
        return b"".join(self._packets(waiting[at : at + frame]) for at in range(0, whole, frame or 1))

    def _end(self) -> bytes:
        left = self._packets(self._waiting) if len(self._waiting) else b""
        self._waiting = self._waiting[:0]
        return left + self._packets(None)

    def _packets(self, samples: Pcm | None) -> bytes:
        return b"".join(self._written(packet) for packet in self._context.encode(self._of(samples)))

    def _written(self, packet: Any) -> bytes:
        return bytes(packet)

    def _of(self, samples: Pcm | None) -> av.AudioFrame | None:
        if samples is None:
            return None
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], self._context.format.name, "mono")
        frame.sample_rate, frame.time_base, frame.pts = self.sample_rate_hz, Fraction(1, self.sample_rate_hz), self._at
        self._at += len(samples)
        return frame


class Mulaw(_Coded):
    """G.711 µ-law, one byte a sample, as telephones take it at 8,000 Hz."""

    encoding: Encoding = "mulaw"
    content_type = "audio/basic"
    hold_s = 0.01

    def __init__(self, source_rate_hz: int, sample_rate_hz: int) -> None:
        super().__init__(source_rate_hz, sample_rate_hz)
        self._open("pcm_mulaw", "s16", 0)


class Mp3(_Coded):
    """MP3 at 64 kbit/s, frames joined without a head. Decoded, it begins with some 50 ms of silence, as MP3 does."""

    encoding: Encoding = "mp3"
    content_type = "audio/mpeg"

    def __init__(self, source_rate_hz: int, sample_rate_hz: int) -> None:
        super().__init__(source_rate_hz, next(rate for rate in _MP3_RATES_HZ if rate >= sample_rate_hz))
        # Without the reservoir a frame does not reach back into those before it, nor wait for those after it.
        self._open("libmp3lame", "s16p", 64_000, reservoir="0", compression_level="5")
        self.hold_s = 0.01 + 3 * self._frame / self.sample_rate_hz


class Opus(_Coded):
    """Opus at 32 kbit/s in Ogg, a page for every 20 ms; the head comes with the first sound."""

    encoding: Encoding = "opus"
    content_type = "audio/ogg"
    hold_s = 0.01 + 3 * _OPUS_FRAME_S

    def __init__(self, source_rate_hz: int, sample_rate_hz: int) -> None:
        super().__init__(source_rate_hz, next(rate for rate in _OPUS_RATES_HZ if rate >= sample_rate_hz))
        self._file = _Taken()
        # A page of its own for each packet: a listener need not wait for a page of a second.
        page = {"page_duration": str(int(_OPUS_FRAME_S * 1e6)), "flush_packets": "1"}
        self._ogg = av.open(self._file, "w", format="ogg", options=page)
        options = {"application": "lowdelay", "frame_duration": "20", "compression_level": "5"}
        stream: Any = self._ogg.add_stream("libopus", rate=self.sample_rate_hz, layout="mono", options=options)
        stream.bit_rate = 32_000
        self._ogg.start_encoding()
        self._begin(stream.codec_context)
        self._packet_stream = stream

    def _written(self, packet: Any) -> bytes:
        packet.stream = self._packet_stream
        self._ogg.mux(packet)
        return self._file.take()

    def _end(self) -> bytes:
        left = super()._end()
        self._ogg.close()
        return left + self._file.take()


class _Taken(io.RawIOBase):
    """A file from which what was written is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


_MAKERS: dict[str, type[Encoder]] = {kind.encoding: kind for kind in (Pcm16, Mulaw, Mp3, Opus)}


def encoder(encoding: str, source_rate_hz: int, sample_rate_hz: int) -> Encoder:
    """Return an encoder of mono PCM16 at `source_rate_hz`. Raises InvalidRequest for what is not offered."""
    kind = _MAKERS.get(encoding)
    if kind is None:
        raise InvalidRequest(f"The encoding must be one of {', '.join(ENCODINGS)}.")
    if not RATES_HZ[0] <= sample_rate_hz <= RATES_HZ[1]:
        raise InvalidRequest(f"The rate of the sound must be {RATES_HZ[0]} to {RATES_HZ[1]} Hz.")
    return kind(source_rate_hz, sample_rate_hz)
