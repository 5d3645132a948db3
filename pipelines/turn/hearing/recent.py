"""The last of a session's sound: kept for the utterance that it may belong to, and measured."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

CLIPPED = 0.999
"""A value from here on has probably been cut off by the microphone or its amplifier."""

SILENT_DB = -120.0


class Recent:
    """Sound by its place in the session, in samples; what is no longer needed is dropped."""

    def __init__(self) -> None:
        self._pieces: deque[Samples] = deque()
        self._start = self._end = 0

    @property
    def start(self) -> int:
        """Return the place of the first sample that is kept."""
        return self._start

    def add(self, samples: Samples) -> None:
        """Keep `samples`, which follow the last; the array must not be changed after."""
        self._pieces.append(samples)
        self._end += len(samples)

    def forget_before(self, place: int) -> None:
        """Drop the pieces that are wholly before `place`."""
        while self._pieces and self._start + len(self._pieces[0]) <= place:
            self._start += len(self._pieces.popleft())

    def cut(self, begin: int, end: int) -> Samples:
        """Return a copy of what is kept between two places, shape (n,)."""
        found, at = [np.zeros(0, np.float32)], self._start
        for piece in self._pieces:
            if at >= end:
                break
            if at + len(piece) > begin:
                found.append(piece[max(begin - at, 0) : end - at])
            at += len(piece)
        return np.concatenate(found)


@dataclass(frozen=True)
class Level:
    """How loud a sound was: its mean power in dB of full scale, its highest value, and how much is cut off there."""

    rms_db: float
    peak: float
    clipped_share: float


class Meter:
    """Measures sound between two readings."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._power, self._peak, self._clipped, self._count = 0.0, 0.0, 0, 0

    def checked(self, samples: Samples) -> Samples:
        """Count `samples` in and return them with finite values in -1…1: one that is not would deafen a detector."""
        samples = np.asarray(samples, np.float32)
        peak = float(np.abs(samples).max(initial=0))
        if not peak <= 1:  # As a NaN does not, either.
            samples = np.clip(np.nan_to_num(samples), -1, 1)
            peak = float(np.abs(samples).max(initial=0))
        if peak >= CLIPPED:
            self._clipped += int((np.abs(samples) >= CLIPPED).sum())
        self._peak = max(self._peak, peak)
        self._power += float(samples.dot(samples))
        self._count += len(samples)
        return samples

    def read(self) -> Level:
        """Return the level of what was counted since the last reading."""
        power = self._power / max(self._count, 1)
        rms_db = 10 * float(np.log10(power)) if power > 0 else SILENT_DB
        level = Level(max(rms_db, SILENT_DB), self._peak, self._clipped / max(self._count, 1))
        self._begin()
        return level
