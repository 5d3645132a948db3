"""The sound of one answer: brought into order, measured, held and paced, and resumable in mid-sentence."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.spoken.heard import Heard
from pipelines.stores.events import place

MAX_MISSING = 256
"""Parts that wait for an earlier one; beyond this the earlier one is given up."""

MAX_HELD_BYTES = 8 * 1024 * 1024
"""Sound that waits, as it came from Redis: two minutes. Beyond this no more events are taken from there."""

AHEAD_S = 1.0
"""How much sound a client that asks for pace holds at most before it is given more."""


@dataclass(frozen=True)
class Held:
    """A part that waits; `before` is the id of the event before it in the stream."""

    before: str
    data: Mapping[str, Any]
    size: int


class Playback:
    """Takes the parts of an answer in any order and gives them out in the order of speech, each once.

    What was given out is heard until `heard_at` (monotonic seconds), by our reckoning or by what the
    client has told. While it is held nothing is given out and its position stands still.
    """

    def __init__(
        self, turn_id: str, seq: int = 0, part: int = 0, paced: bool = False, heard: Heard | None = None
    ) -> None:
        self.turn_id, self.seq, self.part = turn_id, seq, part
        self.heard = heard or Heard()
        # Whether it is known what was given out before a cut.
        self.knows_beginning = heard is not None or (seq, part) == (0, 0)
        self.heard_at = 0.0
        self.completed = False
        # When its turn was accepted, and when it was sure that it was asked.
        self.accepted_at: float | None = None
        self.asked_at: float | None = None
        self.filler_ms = 0.0
        self.first_sent_at: float | None = None
        self.first_heard_at: float | None = None
        self._paced = paced
        self._held_since: float | None = None
        self._held: dict[tuple[int, int], Held] = {}
        self._held_bytes = 0
        self._ending: Held | None = None

    @property
    def begun(self) -> bool:
        """Return whether any sound has been given out, now or before a cut."""
        return self.sent_ms > 0 or (self.seq, self.part) > (0, 0)

    @property
    def sent_ms(self) -> float:
        """Return how much sound has been given out."""
        return self.heard.sent_ms

    @property
    def played_ms(self) -> float:
        """Return how much of it has been heard by now."""
        now = self._held_since or time.monotonic()
        return max(0.0, self.sent_ms - max(0.0, self.heard_at - now) * 1000)

    @property
    def is_heard(self) -> bool:
        """Return whether all of it has been given out and heard."""
        return self.completed and self._held_since is None and time.monotonic() >= self.heard_at

    @property
    def full(self) -> bool:
        """Return whether more waits here than should, though what it waits for is no event."""
        return self._held_bytes > MAX_HELD_BYTES and (self.waits or self._held_since is not None)

    @property
    def sounds(self) -> bool:
        """Return whether some of its sound has come."""
        return self.begun or bool(self._held)

    @property
    def waits(self) -> bool:
        """Return whether the next part is here already."""
        return (self.seq, self.part) in self._held

    @property
    def safe(self) -> str | None:
        """Return the id before the oldest event that waits; None where none does."""
        waiting = [*self._held.values(), *([self._ending] if self._ending else [])]
        return min((held.before for held in waiting), key=place, default=None)

    def add(self, data: Mapping[str, Any], before: str, size: int = 0) -> Iterator[Mapping[str, Any]]:
        """Take a `turn.audio` event of `size` bytes and yield the parts that are due now, this one or more."""
        seq, part = int(data["seq"]), int(data["part"])
        if (seq, part) >= (self.seq, self.part):
            if (seq, part) not in self._held:
                self._held[seq, part] = Held(before, data, size)
                self._held_bytes += size
        elif seq == self.seq and data["last"]:
            # A sentence that was spoken again, in fewer parts, after a worker died.
            self.seq, self.part = seq + 1, 0
        if len(self._held) > MAX_MISSING and (self.seq, self.part) not in self._held:
            self.seq, self.part = min(self._held)
        yield from self.due()

    def finish(self, data: Mapping[str, Any], before: str) -> Iterator[Mapping[str, Any]]:
        """Take the event that completes the answer: it is yielded behind all sound, and nothing is waited for."""
        self._ending = Held(before, data, 0)
        yield from self.due()

    def due(self) -> Iterator[Mapping[str, Any]]:
        """Yield what may go out now."""
        while self.due_in_s() <= 0:
            if not self.waits:
                # The answer is complete, so what it waits for does not come.
                self.seq, self.part = min(self._held)
            held = self._pop((self.seq, self.part))
            self.seq, self.part = (self.seq + 1, 0) if held.data["last"] else (self.seq, self.part + 1)
            # What is left behind the place belongs to a sentence that was given up or spoken anew.
            for at in [at for at in self._held if at < (self.seq, self.part)]:
                self._pop(at)
            yield held.data
        if self._ending is not None and not self._held and self._held_since is None:
            ending, self._ending = self._ending, None
            self.completed = True
            yield ending.data

    def due_in_s(self) -> float:
        """Return in how many seconds a part may go out, 0 for now; infinity where that is not a matter of time."""
        comes = self.waits or (bool(self._held) and self._ending is not None)
        if not comes or self._held_since is not None:
            return math.inf
        if not self._paced:
            return 0.0
        return max(0.0, self.heard_at - AHEAD_S - time.monotonic())

    def hold(self) -> None:
        """Give out nothing more and let its position stand still, until it is released."""
        self._held_since = self._held_since or time.monotonic()

    def release(self) -> None:
        """Go on where it was held."""
        if self._held_since is not None:
            self.heard_at += time.monotonic() - self._held_since
            self._held_since = None

    def fills(self, duration_s: float) -> None:
        """Count a filler that goes out now, before the answer: it is heard, but is no part of it."""
        self.filler_ms += duration_s * 1000
        self.heard_at = max(self.heard_at, time.monotonic()) + duration_s

    def played(self, played_ms: float) -> None:
        """Believe the client how much it has played, with the filler before the answer."""
        now = self._held_since or time.monotonic()
        heard_ms = min(max(0.0, played_ms - self.filler_ms), self.sent_ms)
        self.heard_at = now + (self.sent_ms - heard_ms) / 1000
        if heard_ms and self.first_heard_at is None:
            self.first_heard_at = now - heard_ms / 1000

    def sends(self, data: Mapping[str, Any], duration_s: float) -> None:
        """Count sound that goes out now: the client plays it when all before is played."""
        now = time.monotonic()
        if duration_s and self.first_sent_at is None:
            self.first_sent_at = now
        self.heard.sounds(int(data["seq"]), duration_s * 1000, bool(data["last"]), data.get("words") or ())
        self.heard_at = max(self.heard_at, now) + duration_s

    def _pop(self, at: tuple[int, int]) -> Held:
        held = self._held.pop(at)
        self._held_bytes -= held.size
        return held
