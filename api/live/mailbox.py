"""What one client is to be told, in order and within bounds.

A mailbox holds two things: what the client's own session says, and the events of the subject it
follows. Events have the stream behind them: a mailbox that cannot hold the live ones lets them go
and reads on from the stream at its reader's pace, so its size stays bounded and nothing is missed.
"""

import time
from collections import deque
from collections.abc import Container, Sequence
from enum import StrEnum
from threading import Condition
from typing import Protocol

from pipelines.stores.events import START, Published, place
from schemas.errors.providers import StoreUnavailable

MAX_LIVE_EVENTS = 256
MAX_LIVE_BYTES = 1024 * 1024
MAX_SAID = 1024
"""Messages of the client's own session; more than these wait only where nobody reads."""

BATCH = 32
"""Events read from the stream at once: 3 MB of the largest audio events."""

RETRY_S = 0.2
"""Pause before the stream is read again that could not be read."""

PATIENCE_S = 20.0
"""How long a reader may leave a full mailbox alone."""


class Reason(StrEnum):
    """Why a mailbox was closed."""

    DONE = "done"
    OVERFLOW = "overflow"
    GOING_AWAY = "going_away"
    REVOKED = "revoked"


class Closed(Exception):
    """The mailbox is closed; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Stream(Protocol):
    """A subject's kept events."""

    def after(self, event_id: str, count: int) -> Sequence[Published]:
        """Return at most `count` events that follow, oldest first. Raises StoreUnavailable."""

    def keeps(self, event_id: str) -> bool:
        """Return whether the event is still kept. Raises StoreUnavailable."""


class Mailbox:
    """Filled by any thread, read by one."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._changed = Condition()
        self._said: deque[object] = deque()
        self._live: deque[Published] = deque()
        self._live_bytes = 0
        self._read: deque[Published] = deque()
        self._stream: Stream | None = None
        self._last = self._lost = START
        self._poked = False
        self._rests_until = 0.0
        self._resting: Container[str] | None = None
        self._closed: Reason | None = None
        self._taken_at = time.monotonic()
        # The live events are whole since the last gap that reading the stream has covered.
        self._gaps = 0
        self._covered = 0

    def follow(self, stream: Stream, after: str, whole: bool = True) -> None:
        """Read the stream from `after` on, then go on with the events that are offered.

        Where it is not `whole`, the reader has been told that events after this place are missing.
        """
        with self._changed:
            self._stream, self._last, self._lost = stream, after, "" if whole else after
            self._gaps, self._covered = 1, 0
            self._changed.notify()

    def tell(self, message: object) -> None:
        """Put a message of the client's own session in; it goes before events that wait."""
        with self._changed:
            if self._closed is None and len(self._said) >= MAX_SAID:
                self._close(Reason.OVERFLOW)
            elif self._closed is None:
                self._said.append(message)
            self._changed.notify()

    def offer(self, event: Published) -> None:
        """Put a live event in. Before a stream is followed it is let go: the stream will bring it."""
        with self._changed:
            if self._closed is not None or self._stream is None:
                return
            if len(self._live) >= MAX_LIVE_EVENTS or self._live_bytes + len(event.body) > MAX_LIVE_BYTES:
                self._forget_live()
                if time.monotonic() - self._taken_at > self._patience_s:
                    self._close(Reason.OVERFLOW)
            else:
                self._live.append(event)
                self._live_bytes += len(event.body)
                if self._may_rest(event):
                    return
            self._changed.notify()

    def rest(self, duration_s: float, names: Container[str] | None = None) -> None:
        """Let the events that come in the next seconds wait, if none waits now: to be woken for each costs much.

        One that is not of these `names` (None: any) ends it. Messages of the client's own session do not wait.
        """
        with self._changed:
            if not self._live and not self._read:
                self._rests_until, self._resting = time.monotonic() + duration_s, names

    def _may_rest(self, event: Published) -> bool:
        """Return whether nobody need be woken for the event; where it ends a rest, that is over."""
        if not self._rests_until:
            return False
        if self._resting is None or event.name in self._resting:
            return True
        self._rests_until = 0.0
        return False

    def rewind(self) -> None:
        """Say that live events may have been missed: the stream is read again from the last one taken."""
        with self._changed:
            if self._stream is not None:
                self._forget_live()
                self._changed.notify()

    def poke(self) -> None:
        """Make the reader return at once."""
        with self._changed:
            self._poked = True
            self._changed.notify()

    def close(self, reason: Reason = Reason.DONE) -> None:
        """End it. What the session said before is still handed out, events are not."""
        with self._changed:
            if self._closed is None:
                self._close(reason)
            self._changed.notify()

    def waiting(self) -> int:
        """Return how many messages and events are held in memory."""
        with self._changed:
            return len(self._said) + len(self._live) + len(self._read)

    def take(self, timeout_s: float, events: bool = True) -> object | None:
        """Return the next message or, where `events` are wanted too, event; None after `timeout_s` or a poke.

        While the stream cannot be read, events wait and messages do not. Raises Closed.
        """
        until = time.monotonic() + timeout_s
        while True:
            with self._changed:
                self._taken_at = time.monotonic()
                if self._taken_at >= self._rests_until:
                    self._rests_until = 0.0
                found = self._next(events)
                if found is not None:
                    return found
                if self._poked:
                    self._poked = False
                    return None
                gap = self._gaps
                if self._covered == gap or not events:
                    if self._taken_at >= until:
                        return None
                    self._changed.wait(min(until, self._rests_until or until) - self._taken_at)
                    continue
            if not self._read_on(gap) and time.monotonic() >= until:
                return None

    def _next(self, events: bool) -> object | None:
        if self._said:
            return self._said.popleft()
        if self._closed is not None:
            raise Closed(self._closed)
        if not events:
            return None
        if self._read:
            event = self._read.popleft()
            self._last = event.id
            return event
        while self._live and not self._rests_until and self._covered == self._gaps:
            event = self._live.popleft()
            self._live_bytes -= len(event.body)
            # The stream and the channel both bring an event that was published meanwhile.
            if place(event.id) > place(self._last):
                self._last = event.id
                return event
        return None

    def _read_on(self, gap: int) -> bool:
        """Read a batch from the stream; where it is the last, the live events go on from here.

        Returns False, after a pause, where the stream cannot be read just now.
        """
        assert self._stream is not None
        try:
            batch = self._stream.after(self._last, BATCH)
            # On the first reading the client chose the place; later a missing place means missed events.
            known = self._covered == 0 or self._last == self._lost
            cut = bool(batch) and not known and not self._stream.keeps(self._last)
        except StoreUnavailable:
            with self._changed:
                self._changed.wait(RETRY_S)
            return False
        with self._changed:
            if cut:
                self._close(Reason.OVERFLOW)
            self._read.extend(batch)
            if len(batch) < BATCH:
                self._covered = gap
        return True

    def _forget_live(self) -> None:
        self._live.clear()
        self._live_bytes = 0
        self._gaps += 1

    def _close(self, reason: Reason) -> None:
        self._closed = reason
        self._live.clear()
        self._read.clear()
