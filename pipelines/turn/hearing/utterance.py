"""What may be, or is, an utterance, while it is heard."""

from dataclasses import dataclass

from pipelines.ports.sound import STT_RATE_HZ
from pipelines.turn.hearing.heard import Sound, SpeechPaused

MS = STT_RATE_HZ // 1000
"""Samples in a millisecond."""

ONSET = 64 * MS
"""How far before the first frame taken for voice the voice may have begun."""

GAP = 16 * MS
"""Quiet that does not part the last sounds of a voice."""


@dataclass
class Utterance:
    """Places are samples since the session began."""

    begin: int
    """Its first sound."""
    kept_from: int
    end: int
    """The end of its last sound."""
    judged: int
    """The end of its last voiced frame."""
    needed: float
    """Silence that ends it."""
    voiced: int = 0
    frames: int = 0
    certainty: float = 0.0
    level_db: float = 0.0
    speaking: bool = False
    paused: SpeechPaused | None = None
    finality: float = 0.0
    """Whether its pitch has come to an end at the pause: 1, or not: -1."""
    again: int | None = None
    """Where a frame begins that may be the first after a pause."""
    unjudged: bool = False
    """Whether there was a sound since the detector's last frame."""

    def sound(self) -> Sound:
        """Return what it was as a sound."""
        frames = max(self.frames, 1)
        duration_ms = (self.end - self.begin) / MS
        return Sound(duration_ms, self.voiced / MS, self.certainty / frames, self.level_db / frames)
