"""One client's way through a subject's events."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

import redis

from api.live.mailbox import Closed, Mailbox
from pipelines.stores import events
from pipelines.stores.events import Published
from schemas.events import Subject


@dataclass(frozen=True)
class KeptEvents:
    """A subject's stream in Redis, as a mailbox reads it."""

    client: "redis.Redis"
    subject: Subject

    def after(self, event_id: str, count: int) -> Sequence[Published]:
        return events.replay(self.client, self.subject, event_id, count)

    def keeps(self, event_id: str) -> bool:
        return events.keeps(self.client, self.subject, event_id)


@dataclass(frozen=True)
class Following:
    """One client's way through a subject's events; leaving it ends the following.

    `resumed` is False where the place that the client asked for is no longer kept, so that events
    may be missing before the first one it gets.
    """

    mailbox: Mailbox
    resumed: bool
    leave: Callable[[], None]

    def __enter__(self) -> "Following":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()

    def next(self, timeout_s: float) -> Published | None:
        """Return the next event, None after `timeout_s`. Raises Closed."""
        found = self.mailbox.take(timeout_s)
        assert found is None or isinstance(found, Published)
        return found

    def next_few(self, timeout_s: float, max_bytes: int) -> list[Published]:
        """Return the next event and what has come behind it; nothing after `timeout_s`. Raises Closed.

        Once they weigh `max_bytes` together no more are added.
        """
        found: list[Published] = []
        size = 0
        try:
            while size < max_bytes and (event := self.next(0 if found else timeout_s)) is not None:
                found.append(event)
                size += len(event.body)
        except Closed:
            # It says so again, when these have been read.
            if not found:
                raise
        return found

    def wait_for(self, wanted: Callable[[Published], bool], timeout_s: float) -> Published | None:
        """Return the first event that is wanted; None where it does not come within `timeout_s`."""
        until = time.monotonic() + timeout_s
        while (left_s := until - time.monotonic()) > 0:
            found = self.next(left_s)
            if found is not None and wanted(found):
                return found
        return None

    def __iter__(self) -> Iterator[Published]:
        """Yield the events as they come, until the mailbox is closed."""
        try:
            while True:
                if (found := self.next(60)) is not None:
                    yield found
        except Closed:
            return
