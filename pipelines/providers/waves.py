"""A WAV file as it comes in: its sound is given out from the first samples on.

A general demuxer reads 64 KiB of it first, which is more than a second of speech.
"""

import struct
from collections.abc import Iterator

import av
import numpy as np

from schemas.errors.providers import ProviderUnavailable

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_FORMATS = {(_PCM, 16): ("s16", "<i2"), (_PCM, 32): ("s32", "<i4"), (_FLOAT, 32): ("flt", "<f4")}
_LAYOUTS = {1: "mono", 2: "stereo"}
_RATES_HZ = range(8_000, 192_001)
MAX_HEAD_BYTES = 65_536
"""What may stand before the samples."""

UNKNOWN_BYTES = 0x7FFF_0000
"""A size from here on is one that was not known."""


class Waves:
    """Reads one WAV file, whatever sizes its head names: a server that streams does not know them."""

    def __init__(self, label: str, rate_hz: int) -> None:
        self._label, self._rate_hz = label, rate_hz
        self._head: bytes | None = b""
        self._rest = b""
        self._format, self._type, self._channels, self._from_hz = "s16", np.dtype("<i2"), 1, rate_hz
        self._left = 0
        self._resampler: av.AudioResampler | None = None

    def read(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield mono PCM16 at the rate asked for. Raises ProviderUnavailable where it is no WAV file that we read."""
        for piece in pieces:
            data = piece if self._head is None else self._after_head(piece)
            if data:
                yield self._sound(data)
        if self._head is not None:
            raise self._unreadable()
        if 0 < self._left < UNKNOWN_BYTES:
            raise ProviderUnavailable(f"{self._label} broke off in the middle of its sound.")
        yield self._sound(b"", last=True)

    def _after_head(self, piece: bytes) -> bytes:
        """Return the samples of what has come, once the head is whole."""
        head = self._head = (self._head or b"") + piece
        at, known = 12, False
        while len(head) >= at + 8:
            name, size = head[at : at + 4], struct.unpack("<I", head[at + 4 : at + 8])[0]
            if name == b"data":
                if not known:
                    raise self._unreadable()
                self._head = None
                # A size that was not known when the head was written is 0 or as large as can be.
                self._left = size if 0 < size < UNKNOWN_BYTES else 1 << 62
                return head[at + 8 :]
            if len(head) < at + 8 + size and at + 8 + size <= MAX_HEAD_BYTES:
                break
            if name == b"fmt ":
                self._learn(head[at + 8 : at + 8 + size])
                known = True
            at += 8 + size + size % 2
        if len(head) > MAX_HEAD_BYTES or at > MAX_HEAD_BYTES:
            raise self._unreadable()
        return b""

    def _learn(self, form: bytes) -> None:
        if len(form) < 16:
            raise self._unreadable()
        kind, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", form[:16])
        if kind == _EXTENSIBLE and len(form) >= 26:
            kind = struct.unpack("<H", form[24:26])[0]
        if (kind, bits) not in _FORMATS or channels not in _LAYOUTS or rate_hz not in _RATES_HZ:
            raise self._unreadable()
        self._format, layout = _FORMATS[kind, bits][0], _LAYOUTS[channels]
        self._type, self._channels, self._from_hz = np.dtype(_FORMATS[kind, bits][1]), channels, rate_hz
        if (self._format, layout, rate_hz) != ("s16", "mono", self._rate_hz):
            # Unlike soxr's, it holds back no more than a millisecond or two.
            self._resampler = av.AudioResampler("s16", "mono", self._rate_hz)

    def _sound(self, data: bytes, last: bool = False) -> bytes:
        data, self._left = data[: self._left], max(0, self._left - len(data))
        data = self._rest + data
        whole = len(data) // (self._type.itemsize * self._channels) * self._type.itemsize * self._channels
        data, self._rest = data[:whole], data[whole:]
        if self._resampler is None:
            return data
        made = []
        if whole:
            samples = np.frombuffer(data, self._type)
            if self._format == "flt":
                samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
            frame = av.AudioFrame.from_ndarray(samples[None, :], format=self._format, layout=_LAYOUTS[self._channels])
            frame.sample_rate = self._from_hz
            made += self._resampler.resample(frame)
        if last:
            made += self._resampler.resample(None)
        return b"".join(frame.to_ndarray().tobytes() for frame in made)

    def _unreadable(self) -> ProviderUnavailable:
        return ProviderUnavailable(f"{self._label} answered sound that cannot be decoded.")
