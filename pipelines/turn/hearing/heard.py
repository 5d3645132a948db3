"""What is told about the sound of a voice session, and by which options."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pipelines.ports.sound import Audio


@dataclass(frozen=True)
class EndpointingOptions:
    """How an utterance is told from silence and noise.

    A frame is voiced at a probability of `threshold`, and within an utterance still at `hysteresis`
    less, but not below half of `threshold`. An utterance begins when `min_speech_ms` of it were
    voiced with no pause of `max_gap_ms`; it pauses after `speculate_after_ms` (None: is not told),
    and ends after `silence_ms`, or when it is `max_utterance_s` long. It is kept with `pre_roll_ms`
    of sound before its first sound and `post_roll_ms` after its last.

    Where `adaptive`, the silence that ends it is between `min_silence_ms` (None: half of `silence_ms`)
    and `max_silence_ms` (None: twice), by what was said so far and how the speaker pauses. In mode
    `push_to_talk` no silence ends it, only a commit, and it is kept up to there.
    """

    silence_ms: int = 600
    pre_roll_ms: int = 300
    post_roll_ms: int = 200
    min_speech_ms: int = 200
    max_gap_ms: int = 300
    max_utterance_s: float = 30.0
    threshold: float = 0.5
    hysteresis: float = 0.15
    speculate_after_ms: int | None = 200
    adaptive: bool = True
    min_silence_ms: int | None = None
    max_silence_ms: int | None = None
    mode: Literal["server_vad", "push_to_talk"] = "server_vad"

    @property
    def release(self) -> float:
        """Return the probability at which a frame still belongs to an utterance."""
        return max(self.threshold - self.hysteresis, self.threshold / 2)

    @property
    def bounds_ms(self) -> tuple[float, float]:
        """Return the shortest and the longest silence that may end an utterance."""
        if not self.adaptive:
            return self.silence_ms, self.silence_ms
        shortest = self.silence_ms / 2 if self.min_silence_ms is None else self.min_silence_ms
        longest = self.silence_ms * 2.0 if self.max_silence_ms is None else self.max_silence_ms
        return min(shortest, self.silence_ms), max(longest, self.silence_ms)


class EndReason(StrEnum):
    """Why an utterance ended."""

    SILENCE = "silence"
    TOO_LONG = "too_long"
    COMMITTED = "committed"


@dataclass(frozen=True)
class Sound:
    """What an utterance was as a sound: from first to last, how much of it voiced, how surely a voice, how loud."""

    duration_ms: float
    voiced_ms: float
    certainty: float
    level_db: float

    @property
    def voiced_share(self) -> float:
        """Return how much of it was voiced, 0…1."""
        return min(self.voiced_ms / max(self.duration_ms, 1), 1.0)


@dataclass(frozen=True)
class Voiced:
    """A frame was voiced, `voiced_ms` of this utterance so far; from `at_s` on somebody may be speaking."""

    at_s: float
    voiced_ms: float
    level_db: float


@dataclass(frozen=True)
class FalseAlarm:
    """What was voiced since `at_s` was too short to be speech."""

    at_s: float
    voiced_ms: float


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody speaks, since `at_s` seconds after the session's first sample."""

    at_s: float


@dataclass(frozen=True)
class SpeechPaused:
    """The voice may have ended `at_s` seconds after the session's first sample; this is what it said."""

    at_s: float
    utterance: Audio


@dataclass(frozen=True)
class SpeechResumed:
    """The voice had only paused; it went on at `at_s`."""

    at_s: float


@dataclass(frozen=True)
class SpeechStopped:
    """An utterance has ended, its last sound `at_s` seconds after the session's first sample.

    Where nothing was said since a SpeechPaused, `utterance` is that event's own object.
    """

    at_s: float
    utterance: Audio
    reason: EndReason
    sound: Sound = Sound(0.0, 0.0, 0.0, 0.0)


Heard = Voiced | FalseAlarm | SpeechStarted | SpeechPaused | SpeechResumed | SpeechStopped
