"""The sound of a recording as a stream, from any second on, never held whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from pipelines import containers
from schemas.errors.sound import UndecodableAudio

MAX_DRIFT_S = 0.1
"""Times that jump further than this leave a gap, which is silence; less is rounding."""

JOINED_S = 1.0
SEEK_FROM_S = 5.0
WARM_UP_S = 1.0
"""Sound decoded ahead of a piece, since codecs build on what came before."""

# Those that know where a second begins. MP3 and AAC have no index, and OGG may be several recordings
# in a row: their packets are passed over from the beginning, undecoded, which is quick.
_SEEKABLE = frozenset({"wav", "flac", "mov", "matroska"})


@dataclass(frozen=True)
class Sound:
    """Mono samples and the second of the recording at which they begin; `values` counts those of all channels."""

    start_s: float
    rate_hz: int
    samples: containers.Samples
    values: int

    @property
    def end_s(self) -> float:
        return self.start_s + len(self.samples) / self.rate_hz


def sounds(data: bytes, start_s: float, end_s: float) -> Iterator[Sound]:
    """Yield the first audio track's sound that reaches into `start_s`…`end_s`. Raises UndecodableAudio."""
    decoded, joined = _Decoded(), _Joined()
    try:
        with containers.opened(data) as (container, stream):
            clock = _Clock(stream)
            if start_s > SEEK_FROM_S and container.format.name.split(",")[0] in _SEEKABLE:
                container.seek(clock.stamp(start_s - WARM_UP_S), stream=stream)
            for packet in containers.packets(container, stream, 2 * len(data)):
                at = clock.tell(packet)
                if clock.now < start_s - WARM_UP_S:
                    continue
                for frame in decoded.frames(packet):
                    yield from joined.add(frame, at)
                    at += frame.samples / frame.sample_rate
                clock.now = max(clock.now, at)
                if at >= end_s:
                    break
    except (av.FFmpegError, ValueError, LookupError, ArithmeticError) as error:
        if not decoded.good:
            raise UndecodableAudio from error
    yield from joined.take()
    if decoded.bad > decoded.good:
        raise UndecodableAudio("The recording is damaged.")


class _Joined:
    """Puts frames together to about a second of sound: taken one by one, they cost more than their decoding."""

    def __init__(self) -> None:
        self._kind: tuple[int, int, bool, str] = (0, 0, False, "")  # rate, channels, planar, format
        self._raw: list[NDArray[Any]] = []
        self._start_s = self._end_s = 0.0

    def add(self, frame: av.AudioFrame, at: float) -> Iterator[Sound]:
        """Add a frame that begins at second `at`; yield the sound before it if it does not go on from there."""
        containers.check(frame)
        kind = (frame.sample_rate, frame.layout.nb_channels, frame.format.is_planar, frame.format.name)
        full = self._end_s - self._start_s >= JOINED_S or abs(at - self._end_s) > MAX_DRIFT_S
        if kind != self._kind or (self._raw and full):
            yield from self.take()
        if not self._raw:
            self._kind, self._start_s, self._end_s = kind, at, at
        self._raw.append(containers.values(frame))
        self._end_s += frame.samples / frame.sample_rate

    def take(self) -> Iterator[Sound]:
        """Yield the sound that was put together, if any."""
        rate_hz, channels, planar, _ = self._kind
        raw, self._raw = self._raw, []
        values = np.concatenate(raw, axis=1) if raw else np.zeros((1, 0))
        if values.size:
            samples = containers.mono(containers.by_channel(values, channels, planar))
            yield Sound(self._start_s, rate_hz, samples, values.size)


class _Decoded:
    """Counts the frames that packets decode to, and the packets that do not decode."""

    good = bad = 0

    def frames(self, packet: "av.Packet[Any]") -> list[Any]:
        try:
            found: list[Any] = packet.decode()
        except av.FFmpegError:
            self.bad += 1
            return []
        self.good += len(found)
        return found


class _Clock:
    """Tells the second at which a packet begins; times that go back, as where recordings were joined, go on."""

    def __init__(self, stream: av.AudioStream) -> None:
        self._second = float(stream.time_base or 0)
        self._first = (stream.start_time or 0) * self._second
        self._joined_s = 0.0
        self.now = 0.0

    def stamp(self, second: float) -> int:
        """Return a second of the recording in the units of its stream."""
        return int((second + self._first) / self._second)

    def tell(self, packet: "av.Packet[Any]") -> float:
        """Return when the packet begins, and set `now` to when it ends."""
        at = self.now
        if packet.pts is not None:
            at = packet.pts * self._second - self._first + self._joined_s
            if at < self.now - MAX_DRIFT_S:
                self._joined_s += self.now - at
                at = self.now
        at = max(0.0, at)
        self.now = at + max(0, packet.duration or 0) * self._second
        return at
