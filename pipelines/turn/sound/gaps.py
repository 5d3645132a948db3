"""One gapless sound out of frames that carry their time, come late, twice, in another order, or not at all."""

from bisect import insort

import numpy as np
from numpy.typing import NDArray

from pipelines.ports.sound import STT_RATE_HZ

Samples = NDArray[np.float32]

MS = STT_RATE_HZ // 1000

TOLERANCE_MS = 10.0
"""A frame this little early or late is in its place: clients' clocks are no exacter."""

WAIT_MS = 60.0
"""Sound that is held while the frame before it is missing."""

LONGEST_MS = 2_000.0
"""Of a longer gap no more is filled: whoever was cut off that long has ended."""

COMFORT_DB = -72.0
"""Loudness of what fills a gap: digital silence would seem the quietest of all backgrounds, and what follows loud."""


class InOrder:
    """Puts 16 kHz frames in order by their times (ms, finite, of any origin).

    Holds at most `WAIT_MS` of sound and one frame.
    """

    def __init__(self) -> None:
        self._due: float | None = None
        self._held: list[tuple[float, int, Samples]] = []
        self._count = 0

    def take(self, at_ms: float, frame: Samples) -> Samples:
        """Return what can be heard now, shape (n,), possibly none: gaps are filled, what is too late is left out."""
        ready: list[Samples] = []
        if self._due is not None and at_ms < self._due - LONGEST_MS:  # The client's clock has begun anew.
            ready.append(self.flush())
        if self._due is None:
            self._due = at_ms
        self._count += 1
        insort(self._held, (at_ms, self._count, frame))
        while self._held and (self._in_place() or self._waited()):
            ready.append(self._next())
        return np.concatenate(ready) if ready else np.zeros(0, np.float32)

    def flush(self) -> Samples:
        """Return what is held, its gaps filled; what is taken after may begin at any time."""
        ready = [self._next() for _ in range(len(self._held))]
        self._due = None
        return np.concatenate(ready) if ready else np.zeros(0, np.float32)

    def _in_place(self) -> bool:
        assert self._due is not None
        return self._held[0][0] <= self._due + TOLERANCE_MS

    def _waited(self) -> bool:
        return sum(len(frame) for _, _, frame in self._held) > WAIT_MS * MS

    def _next(self) -> Samples:
        at_ms, _, frame = self._held.pop(0)
        assert self._due is not None
        before = placed(self._due, at_ms, frame)
        self._due = max(self._due, at_ms + len(frame) / MS)
        return before


def placed(due_ms: float, at_ms: float, frame: Samples) -> Samples:
    """Return what is heard from `due_ms` on where a frame of `at_ms` comes next: a gap filled, a repetition cut."""
    missing_ms = at_ms - due_ms
    if missing_ms > TOLERANCE_MS:
        return np.concatenate((comfort(round(min(missing_ms, LONGEST_MS) * MS)), frame))
    if missing_ms < -TOLERANCE_MS:
        return frame[round(-missing_ms * MS) :]
    return frame


def comfort(count: int) -> Samples:
    """Return `count` samples of faint noise, always the same."""
    noise = np.random.default_rng(1).standard_normal(count, np.float32)
    return np.asarray(noise * np.float32(10 ** (COMFORT_DB / 20)), np.float32)
