"""The places for open sockets and event streams of this process."""

import threading
from collections.abc import Callable

from schemas.errors import TooBusy


class Seats:
    """At most `limit` clients at once: each holds a thread for as long as it is there."""

    def __init__(self, limit: int) -> None:
        self._free = threading.BoundedSemaphore(limit)

    def take(self) -> Callable[[], None]:
        """Take a place and return what gives it back, once. Raises TooBusy."""
        if not self._free.acquire(blocking=False):
            raise TooBusy(retry_after_s=5)
        held = [True]

        def give_back() -> None:
            if held and held.pop():
                self._free.release()

        return give_back
