"""A reply on its way, within time limits: read by a thread of its own, so that silence can be measured.

A time-out of the connection bounds every single read, not the wait for the first word: a server may keep a
connection alive and say nothing for ever.
"""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from schemas.errors.providers import ProviderUnavailable

LOOK_EVERY_S = 0.05
"""How often a silent reply is looked at: whether it was cancelled, whether another should be asked."""

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """Seconds a reply may take: until its first piece, between two of them, and as a whole."""

    first_token_s: float
    silence_s: float
    whole_s: float


class Ended(Exception):
    """There are no more pieces."""


class Reading(Generic[T]):
    """One reply of one provider, being read. `first_token_ms` is None until it has begun.

    `pieces` may be closed at any moment by another thread than the one that reads it, where it can be.
    """

    def __init__(self, name: str, pieces: Iterator[T], limits: Limits) -> None:
        self.name, self.first_token_ms = name, cast(float | None, None)
        self._limits, self._began = limits, time.monotonic()
        self._heard_at = self._began
        self._heard: queue.SimpleQueue[T | BaseException] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._pieces = cast(Any, pieces)
        threading.Thread(target=self._reading, name=f"reads {name}", daemon=True).start()

    def next(self, wait_s: float = LOOK_EVERY_S) -> T | None:
        """Return the next piece, None where none came within `wait_s`.

        Raises what the provider raised, ProviderUnavailable where it takes longer than its limits allow, and Ended.
        """
        try:
            found = self._heard.get(timeout=max(0.0, min(wait_s, self._left_s())))
        except queue.Empty:
            if self._left_s() <= 0:
                self.close()
                raise self._too_late() from None
            return None
        if isinstance(found, BaseException):
            raise found
        self._heard_at = time.monotonic()
        if self.first_token_ms is None:
            self.first_token_ms = (self._heard_at - self._began) * 1e3
        return found

    def close(self) -> None:
        """End the call at the provider, also while it is silent."""
        self._stopped.set()
        # A plain generator cannot be closed by another thread; it ends with its next piece.
        with suppress(ValueError):
            self._pieces.close()

    def _reading(self) -> None:
        try:
            with closing(self._pieces):
                self._read()
        # Whatever it is, whoever waits raises it: a thread that dies in silence would be taken for a silent provider.
        except BaseException as error:  # noqa: BLE001
            self._heard.put(error)

    def _read(self) -> None:
        """Hand on what comes, then that it has ended. Empty pieces are signs of nothing."""
        for piece in self._pieces:
            if self._stopped.is_set():
                return
            if piece:
                self._heard.put(piece)
        self._heard.put(Ended())

    def _left_s(self) -> float:
        now, limits = time.monotonic(), self._limits
        if self.first_token_ms is None:
            return min(limits.first_token_s, limits.whole_s) - (now - self._began)
        return min(limits.silence_s - (now - self._heard_at), limits.whole_s - (now - self._began))

    def _too_late(self) -> ProviderUnavailable:
        waited = time.monotonic() - self._began
        if self.first_token_ms is None:
            return ProviderUnavailable(f"{self.name} did not begin to answer within {waited:.1f} s.")
        return ProviderUnavailable(f"{self.name} did not come to an end; it was given up after {waited:.1f} s.")
