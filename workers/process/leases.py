"""Keeps the leases of running work alive, from one thread a process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from schemas.errors.providers import StoreUnavailable

log = structlog.get_logger()

_renewals: dict[object, Callable[[], bool]] = {}
_lock = threading.Lock()
_thread: threading.Thread | None = None
_wake = threading.Event()


@contextmanager
def kept(renew: Callable[[], bool], every_s: float) -> Iterator[None]:
    """Call `renew` every `every_s` seconds while the block runs, until it returns False.

    Native code that holds the interpreter longer than the lease loses it; the work is then done
    again elsewhere and this one's result is refused.
    """
    key = object()
    with _lock:
        _renewals[key] = renew
        _start(every_s)
    try:
        yield
    finally:
        with _lock:
            _renewals.pop(key, None)


def _start(every_s: float) -> None:
    global _thread  # noqa: PLW0603 (one thread a process)
    # A pool child starts without its parent's threads, whatever this variable says.
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_run, args=(every_s,), name="leases", daemon=True)
        _thread.start()


def _run(every_s: float) -> None:
    while not _wake.wait(every_s):
        with _lock:
            due = list(_renewals.items())
        for key, renew in due:
            try:
                still_ours = renew()
            except StoreUnavailable:
                continue  # The lease may outlast the outage; if not, the result is refused.
            if not still_ours:
                log.info("lease lost")
                with _lock:
                    _renewals.pop(key, None)
