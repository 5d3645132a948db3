"""The places for open sockets and event streams of this process, and how they are asked to leave."""

import signal
import threading
from collections.abc import Callable
from types import FrameType

from api.mailbox import Mailbox, Reason
from schemas.errors import TooBusy


class Seats:
    """At most `limit` clients at once: each holds a thread for as long as it is there."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._seated: set[Mailbox] = set()
        self._closing = False

    def take(self, mailbox: Mailbox) -> Callable[[], None]:
        """Seat the client that reads `mailbox` and return what gives the place back. Raises TooBusy."""
        with self._lock:
            if self._closing or len(self._seated) >= self._limit:
                raise TooBusy(retry_after_s=5)
            self._seated.add(mailbox)

        def give_back() -> None:
            with self._lock:
                self._seated.discard(mailbox)

        return give_back

    def taken(self) -> int:
        """Return how many clients are seated."""
        with self._lock:
            return len(self._seated)

    def clear(self) -> None:
        """Tell all clients that this process stops, and seat no more."""
        with self._lock:
            self._closing = True
            seated = list(self._seated)
        for mailbox in seated:
            mailbox.close(Reason.GOING_AWAY)


def clear_at_sigterm(seats: Seats) -> None:
    """Clear the seats when the process is asked to stop, then do what it did before.

    Called in the main thread of a server that has set its own answer to SIGTERM (gunicorn:
    `post_worker_init`); that one waits for open requests, which sockets would never end.
    """
    before = signal.getsignal(signal.SIGTERM)

    def answer(number: int, frame: FrameType | None) -> None:
        # A thread of its own: the signal may have interrupted one that holds the seats' lock.
        threading.Thread(target=seats.clear, name="clear-seats", daemon=True).start()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, answer)
