"""The waterfall of a turn: when each step began, how long it had waited, how long it ran."""

import time
from datetime import datetime

from schemas.tables.dialogue import Turn


class Clock:
    """Measures one step against the turn's start, in milliseconds of wall clock.

    Workers and Postgres share a clock here; across machines it is as good as their time keeping.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn_started = turn.created_at.timestamp()
        self._started = time.time()

    def since_start_ms(self) -> float:
        """Return how long ago the turn was accepted."""
        return round((time.time() - self._turn_started) * 1e3, 1)

    def stage(self, enqueued_at: datetime) -> dict[str, float]:
        """Return when the step began, how long it had waited, and how long it has run."""
        return {
            "start_ms": round((self._started - self._turn_started) * 1e3, 1),
            "queued_ms": round((self._started - enqueued_at.timestamp()) * 1e3, 1),
            "run_ms": round((time.time() - self._started) * 1e3, 1),
        }
