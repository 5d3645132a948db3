"""Whether a process that holds work is alive, as others see it, at once and however it died.

Each holder has an advisory lock of a number of its own, on a connection that it uses for nothing else. The system
closes the connection with the process, and Postgres frees the lock then. What a holder has that is not alive is due
(`take_due_turns`). A process that hangs, or a machine that is gone, is found by its leases, which run out.
"""

import os
import random
import select
import threading
from contextlib import suppress

import psycopg
import structlog

from schemas.settings import get_settings

LOCK_CLASS = 1_096_110_657
"""Of the locks of holders: "AURA" as bytes. `live_holders` in the migrations knows it too."""

log = structlog.get_logger()


class Holder:
    """This process among all that hold work."""

    def __init__(self, url: str) -> None:
        # As SQLAlchemy reads it; see `open_engine`.
        self._url, self._pid = url.replace("postgresql+psycopg://", "postgresql://", 1), os.getpid()
        self._lock = threading.Lock()
        self._number = 0
        self._connection: psycopg.Connection[tuple[bool]] | None = None

    @property
    def number(self) -> int | None:
        """Return the number to put on what this process holds; None while nobody could see that it is alive."""
        with self._lock:
            return self._number if self._connection is not None else None

    def settle(self) -> None:
        """See to it that others see that this process is alive; to be called now and then, and costs nothing."""
        with self._lock:
            if self._connection is not None and not _is_cut(self._connection):
                return
            self._close()
            try:
                self._begin()
            except psycopg.Error as error:
                self._close()
                log.warning("not seen to be alive: the database does not answer", kind=type(error).__name__)

    def close(self) -> None:
        with self._lock:
            self._close()

    def _begin(self) -> None:
        self._connection = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=5,
            application_name=f"aura-holder-{os.getpid()}",
            keepalives_idle=10,
        )
        # What was begun under the number before is still ours.
        number = self._number or random.randrange(1, 2**31)
        while not self._locks(self._connection, number):
            number = random.randrange(1, 2**31)
        self._number = number

    def _locks(self, connection: "psycopg.Connection[tuple[bool]]", number: int) -> bool:
        asked = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, number))
        return asked.fetchone() == (True,)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        # After a fork the connection is its parent's: to end it here would end it there.
        if connection is not None and self._pid == os.getpid():
            with suppress(psycopg.Error):
                connection.close()


def holder() -> Holder:
    """Return this process's holder."""
    global _holder  # noqa: PLW0603 (one a process)
    with _making:
        if _holder is None or _holder._pid != os.getpid():
            _holder = Holder(get_settings().database_url)
        return _holder


_making = threading.Lock()
_holder: Holder | None = None


def _is_cut(connection: "psycopg.Connection[tuple[bool]]") -> bool:
    """Return whether the server has closed the connection: nothing else is ever sent over it."""
    watched = select.poll()
    if connection.closed:
        return True
    watched.register(connection.fileno(), select.POLLIN)
    return bool(watched.poll(0))
