"""The sound of one answer: brought into order, measured, and resumable in mid-sentence."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.stores.events import START, place
from schemas.errors import InvalidRequest

MAX_HELD = 256
"""Parts that wait for an earlier one; beyond this the earlier one is given up."""

_TOKEN = re.compile(r"([0-9-]+)(?::([0-9-]+)(?::([0-9a-f-]{36}):([0-9]{1,6})\.([0-9]{1,6}))?)?")


@dataclass(frozen=True)
class Place:
    """How far a client has come in a conversation's events. Its text is the `id` of every message.

    All events up to `safe` are done. Of those up to `seen` all but sound are done, and the sound of
    `turn_id` is done before part `part` of sentence `seq`: sentences are spoken by several workers,
    so what is later in the answer may be earlier in the stream.
    """

    safe: str = START
    seen: str = START
    turn_id: str = ""
    seq: int = 0
    part: int = 0

    def __str__(self) -> str:
        if self.turn_id:
            return f"{self.safe}:{self.seen}:{self.turn_id}:{self.seq}.{self.part}"
        return self.safe if self.safe == self.seen else f"{self.safe}:{self.seen}"

    @classmethod
    def read(cls, text: str) -> "Place":
        """Return the place that was written as `text`; the id of any event is one. Raises InvalidRequest."""
        found = _TOKEN.fullmatch(text)
        if found is None:
            raise InvalidRequest("`after` is not the id of a message.")
        safe, seen, turn_id, seq, part = found.groups()
        place(safe), place(seen or safe)
        return cls(safe, seen or safe, turn_id or "", int(seq or 0), int(part or 0))


@dataclass(frozen=True)
class Held:
    """A part that waits; `before` is the id of the event before it in the stream."""

    before: str
    data: dict[str, Any]


class Playback:
    """Takes the parts of an answer in any order and gives them out in the order of speech, each once.

    `sent_ms` is the sound given out so far; it is heard until `heard_at` (monotonic seconds), by our
    reckoning or by what the client has told.
    """

    def __init__(self, turn_id: str, seq: int = 0, part: int = 0) -> None:
        self.turn_id, self.seq, self.part = turn_id, seq, part
        self.sent_ms = 0.0
        self.played_ms = 0.0
        self.heard_at = 0.0
        self.completed = False
        self._held: dict[tuple[int, int], Held] = {}

    @property
    def begun(self) -> bool:
        """Return whether any sound has been given out, now or before a cut."""
        return self.sent_ms > 0 or (self.seq, self.part) > (0, 0)

    @property
    def safe(self) -> str | None:
        """Return the id before the oldest part that waits; None where none does."""
        return min((held.before for held in self._held.values()), key=place, default=None)

    def add(self, data: dict[str, Any], before: str) -> Iterator[dict[str, Any]]:
        """Take a `turn.audio` event and yield the parts that are due now, this one or more."""
        seq, part = int(data["seq"]), int(data["part"])
        if (seq, part) >= (self.seq, self.part):
            self._held.setdefault((seq, part), Held(before, data))
        elif seq == self.seq and data["last"]:
            # A sentence that was spoken again, in fewer parts, after a worker died.
            self.seq, self.part = seq + 1, 0
        if len(self._held) > MAX_HELD:
            self.seq, self.part = min(self._held)
        yield from self._due()

    def finish(self) -> Iterator[dict[str, Any]]:
        """Yield what still waits: the answer is complete, so what it waits for does not come."""
        while self._held:
            self.seq, self.part = min(self._held)
            yield from self._due()

    def played(self, played_ms: float) -> None:
        """Believe the client how much it has played."""
        self.played_ms = min(max(0.0, played_ms), self.sent_ms)
        self.heard_at = time.monotonic() + (self.sent_ms - self.played_ms) / 1000

    def _due(self) -> Iterator[dict[str, Any]]:
        while (held := self._held.pop((self.seq, self.part), None)) is not None:
            self.seq, self.part = (self.seq + 1, 0) if held.data["last"] else (self.seq, self.part + 1)
            yield held.data
        # What is left behind the place belongs to a sentence that was given up or spoken anew.
        self._held = {at: held for at, held in self._held.items() if at > (self.seq, self.part)}

    def sends(self, pcm: bytes, sample_rate_hz: int) -> None:
        """Count sound that goes out now: the client plays it when all before is played."""
        duration_s = len(pcm) / 2 / sample_rate_hz
        self.sent_ms += duration_s * 1000
        self.heard_at = max(self.heard_at, time.monotonic()) + duration_s
