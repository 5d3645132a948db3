"""The places for open sockets and event streams of this process, and how they are asked to leave."""

import signal
import threading
from collections.abc import Callable, Collection
from types import FrameType
from uuid import UUID

import structlog

from api.live.mailbox import Mailbox, Reason
from schemas.errors.providers import StoreUnavailable, TooBusy

WATCH_EVERY_S = 2.0
"""How often it is asked whether the credentials of those seated still stand."""

log = structlog.get_logger(__name__)


class Seats:
    """At most `limit` clients at once: each holds a thread for as long as it is there.

    `fallen` returns which credentials no longer stand: their bearers are asked to leave.
    """

    def __init__(self, limit: int, fallen: Callable[[Collection[UUID]], set[UUID]] = lambda _: set()) -> None:
        self._limit, self._fallen = limit, fallen
        self._lock = threading.Lock()
        self._seated: dict[Mailbox, UUID | None] = {}
        self._closing = threading.Event()
        self._watch: threading.Thread | None = None

    def take(self, mailbox: Mailbox, credential: UUID | None = None) -> Callable[[], None]:
        """Seat the client that reads `mailbox` and return what gives the place back. Raises TooBusy."""
        with self._lock:
            if self._closing.is_set() or len(self._seated) >= self._limit:
                raise TooBusy(retry_after_s=5)
            self._seated[mailbox] = None
        self.admit(mailbox, credential)

        def give_back() -> None:
            with self._lock:
                self._seated.pop(mailbox, None)

        return give_back

    def admit(self, mailbox: Mailbox, credential: UUID | None) -> None:
        """Note by which login or key a seated client is here."""
        if credential is None:
            return
        with self._lock:
            if mailbox in self._seated:
                self._seated[mailbox] = credential
            if self._watch is None:
                self._watch = threading.Thread(target=self._watch_always, name="watch-seats", daemon=True)
                self._watch.start()

    def taken(self) -> int:
        """Return how many clients are seated."""
        with self._lock:
            return len(self._seated)

    def clear(self) -> None:
        """Tell all clients that this process stops, and seat no more."""
        with self._lock:
            self._closing.set()
            seated = list(self._seated)
        for mailbox in seated:
            mailbox.close(Reason.GOING_AWAY)

    def _watch_always(self) -> None:
        while not self._closing.wait(WATCH_EVERY_S):
            with self._lock:
                here = {mailbox: credential for mailbox, credential in self._seated.items() if credential is not None}
            try:
                fallen = self._fallen(set(here.values())) if here else set()
            except StoreUnavailable:
                continue  # Nothing can be revoked while the database is away, either.
            except Exception:
                # The outermost of this thread, which must go on.
                log.exception("seats.watch_broke")
                continue
            for mailbox, credential in here.items():
                if credential in fallen:
                    mailbox.close(Reason.REVOKED)


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
