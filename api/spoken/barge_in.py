"""Whether somebody who makes a sound over an answer wants the floor.

A word cannot be told from a cough by its first 200 ms, and whoever interrupts does not want to wait
for longer. So the answer is turned down at the first voiced frame, held where it is once that much
was voiced, and only then is it decided: by the words, or by how long it goes on.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from pipelines.turn.hearing.backchannel import is_backchannel

FRAME_MS = 32.0
"""What is voiced is counted in frames of the voice detector; half a frame less than asked for is enough."""

ECHO_SHARE = 0.75
"""Share of the words, in a row, that an echo has in common with what has just been played."""

UNDECIDED_S = 3.0
"""How long an answer is held at most once it is quiet again: later a transcript is not waited for."""


HOLD_MS, CUT_MS = 160, 250
"""Voiced sound that holds an answer, which can go on, and that cuts one, which cannot."""


@dataclass(frozen=True)
class BargeInOptions:
    """How an answer is interrupted.

    It is held after `barge_in_ms` of voiced sound and given up after `certain_ms`, whatever was said.
    Without `resume` it is given up after `barge_in_ms` already, and nothing resumes it.
    """

    barge_in_ms: int = HOLD_MS
    certain_ms: int = 1000
    resume: bool = True


class Step(StrEnum):
    """What becomes of an answer."""

    DUCK = "duck"
    HOLD = "hold"
    CUT = "cut"
    GO_ON = "go_on"


class BargeIn:
    """Sounds over one answer. Each method returns what is to be done now, None where nothing is."""

    def __init__(self, options: BargeInOptions) -> None:
        self._options = options
        self._step: Step | None = None
        self._voiced_ms = 0.0
        self._voiced_at = 0.0
        self._stopped_at: float | None = None

    @property
    def open(self) -> bool:
        """Return whether an answer waits to be cut or to go on."""
        return self._step in (Step.DUCK, Step.HOLD)

    @property
    def held(self) -> bool:
        """Return whether nothing of the answer is played now."""
        return self._step is Step.HOLD

    def voiced(self, voiced_ms: float, now_s: float) -> Step | None:
        """Take how much of this sound has been voiced so far, and the time."""
        if voiced_ms < self._voiced_ms and not self.open:
            self._step = None  # Another sound than the last, of which it is decided.
        self._voiced_ms, self._voiced_at, self._stopped_at = voiced_ms, now_s, None
        enough = self._options.barge_in_ms - FRAME_MS / 2
        if self._options.resume and voiced_ms >= max(self._options.certain_ms, enough):
            return self._to(Step.CUT)
        if voiced_ms >= enough:
            return self._to(Step.HOLD if self._options.resume else Step.CUT)
        return self._to(Step.DUCK) if self._step is None else None

    def false_alarm(self) -> Step | None:
        """Take the word of the ears that it was nothing."""
        return self._to(Step.GO_ON) if self.open else None

    def stopped(self, now_s: float) -> None:
        """Note that it is quiet again, since `now_s`; -inf where nothing is waited for."""
        self._stopped_at = now_s

    def understood(self, transcript: str | None, duration_s: float, played: str) -> Step:
        """Decide by what was said, None where it was no speech; `played` is what the answer said meanwhile."""
        nothing = transcript is None or is_backchannel(transcript, duration_s) or is_echo(transcript, played)
        return self.decide(nothing)

    def late(self, now_s: float) -> bool:
        """Return whether nobody has said anything for `UNDECIDED_S`."""
        quiet_since_s = self._voiced_at if self._stopped_at is None else self._stopped_at
        return self.open and now_s - quiet_since_s >= UNDECIDED_S

    def decide(self, nothing: bool) -> Step:
        """Decide without words."""
        return self._to(Step.GO_ON if nothing else Step.CUT) or Step.GO_ON

    def _to(self, step: Step) -> Step | None:
        if step is self._step:
            return None
        self._step = step
        return step


def is_echo(transcript: str, played: str) -> bool:
    """Return whether the words are those that were being played, heard again by the microphone."""
    heard, said = _words(transcript), _words(played)
    if len(heard) < 2:
        # One word in common is no proof, and a short one is likely to be.
        return False
    return _longest_run(heard, said) >= max(2, ECHO_SHARE * len(heard))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _longest_run(one: list[str], other: list[str]) -> int:
    """Return the length of the longest row of words that both have."""
    best, before = 0, [0] * (len(other) + 1)
    for word in one:
        row = [0] * (len(other) + 1)
        for at, candidate in enumerate(other, start=1):
            if word == candidate:
                row[at] = before[at - 1] + 1
                best = max(best, row[at])
        before = row
    return best
