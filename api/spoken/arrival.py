"""When a client's sound comes: what is late, and what does not come at all."""

import time

GAP_S = 0.4
"""Missing sound that still counts as a late network; more is heard as silence."""

GAP_JITTERS = 8.0
MAX_GAP_S = 1.2
"""Where frames come unevenly, sound may be missing for longer: so many times its usual unevenness, at most this."""


MAX_FRAME_S = 0.1


class Arrival:
    """Follows the pace of incoming frames. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._due_at: float | None = None
        self._jitter_s = 0.0

    @property
    def jitter_ms(self) -> int:
        """Return how unevenly frames come, as RFC 3550 reckons it."""
        return round(self._jitter_s * 1000)

    def came(self, duration_s: float) -> None:
        """Note a frame of `duration_s`, which is due that long after the one before."""
        now = time.monotonic()
        if self._due_at is not None:
            # A burst after a stall says nothing about the next frame that a stall does not say already.
            late_s = min(abs(now - self._due_at), MAX_GAP_S)
            self._jitter_s += (late_s - self._jitter_s) / 16
        # What is longer is no frame but a recording, which need not be waited for as long as it sounds.
        self._due_at = now + min(duration_s, MAX_FRAME_S)

    def missing_s(self) -> float:
        """Return how much sound is to be heard as silence now because it did not come; it counts as come then."""
        if self._due_at is None:
            return 0.0
        allowed_s = min(GAP_S + GAP_JITTERS * self._jitter_s, MAX_GAP_S)
        missing_s = time.monotonic() - self._due_at - allowed_s
        if missing_s <= 0:
            return 0.0
        self._due_at += missing_s
        return missing_s
