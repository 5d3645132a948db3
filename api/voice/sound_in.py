"""A client's sound on its way in: decoded as it is encoded, and read no faster than it is spoken."""

import math
from collections.abc import Sequence

from api.live.pace import Pace
from api.spoken.talk import Samples
from api.voice.messages import is_file
from pipelines.ports.sound import STT_RATE_HZ
from pipelines.turn.sound.audio import decode
from pipelines.turn.sound.audio_in import StreamDecoder, stream_decoder
from schemas.errors.sound import UndecodableAudio

AHEAD_S = 60.0
"""Sound that may come faster than it is spoken, such as a recording; also the longest file."""

AHEAD_PER_S = 1.1
"""Seconds of sound a second beyond that: clocks differ."""


MANY = 16_384
"""Bytes of an encoding that come in no minute part of a second: what is spoken is never as much."""


class SoundIn:
    """Decodes one client's frames and files into 16 kHz mono, and reckons how long it has to rest."""

    def __init__(self, encoding: str, sample_rate_hz: int, channels: int) -> None:
        """Raises UndecodableAudio for what is not offered."""
        self._about = (encoding, sample_rate_hz, channels)
        self._decoder: StreamDecoder = stream_decoder(*self._about)
        self._pace = Pace(AHEAD_PER_S, AHEAD_S)
        self._sends_files = False
        self.rest_s = 0.0

    def enough(self, duration_s: float) -> int:
        """Return how many bytes hold at most so much sound; more than any where that is not known."""
        bytes_per_s = self._decoder.bytes_per_s
        return MANY if bytes_per_s is None else max(1, math.ceil(duration_s * bytes_per_s))

    def together(self, frames: Sequence[bytes], max_bytes: int) -> Sequence[bytes]:
        """Return frames that came at once as what is to be decoded at once: one piece of at most `max_bytes`, or each.

        While nothing of a stream could be decoded a broken frame must not take the next one with it.
        """
        if len(frames) == 1 or not self._decoder.has_begun or sum(map(len, frames)) > max_bytes:
            return frames
        return [b"".join(frames)]

    def frame(self, data: bytes) -> Samples:
        """Return what a frame brings; `rest_s` says how long the client is ahead. Raises UndecodableAudio.

        After an error a new stream may begin.
        """
        try:
            samples = self._decoder.feed(data)
        except UndecodableAudio:
            self._decoder = stream_decoder(*self._about)
            raise
        bytes_per_s = self._decoder.bytes_per_s
        self.rest_s = self._pace.take(len(data) / bytes_per_s if bytes_per_s else len(samples) / STT_RATE_HZ)
        return samples

    def chunk(self, data: bytes) -> Samples:
        """Return the sound of a whole file or, where the client has sent none yet, of a frame.

        Raises UndecodableAudio and AudioTooLong.
        """
        if is_file(data):
            self._sends_files = True
            decoded = decode(data, AHEAD_S)
            self.rest_s = self._pace.take(decoded.duration_s)
            return decoded.samples
        if self._sends_files:
            raise UndecodableAudio("This chunk is no file as the earlier ones were. Send each as a whole file.")
        return self.frame(data)
