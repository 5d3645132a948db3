"""An answer on its way, within time limits: read by a thread of its own, so that silence can be measured.

A time-out of the connection bounds every single read, not the wait for the first word: a server may keep a
connection alive and say nothing for ever.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, cast

from pipelines.ports import ChatModel, Delta, Prompt, Usage
from schemas.errors import Cancelled, ProviderUnavailable

LOOK_EVERY_S = 0.05
"""How often a silent answer is looked at: whether it was cancelled, whether another should be asked."""


@dataclass(frozen=True)
class Limits:
    """Seconds an answer may take: until its first token, between two of them, and as a whole."""

    first_token_s: float
    silence_s: float
    whole_s: float


class Speaking:
    """One answer of one model, being read. `first_token_ms` is None until it has begun to speak."""

    def __init__(self, model: ChatModel, prompt: Prompt, limits: Limits) -> None:
        self.model, self.first_token_ms = model, cast(float | None, None)
        self._limits, self._began = limits, time.monotonic()
        self._heard_at = self._began
        self._heard: queue.SimpleQueue[Delta | BaseException | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        # A provider's answer can be closed, though the port promises only an iterator.
        self._deltas = cast(Any, model.answer(prompt))
        threading.Thread(target=self._read, name="answer", daemon=True).start()

    def next(self, wait_s: float = LOOK_EVERY_S) -> Delta | None:
        """Return the next piece, None where none came within `wait_s`.

        After the `Usage` there is none. Raises what the model raised, and ProviderUnavailable where it takes longer
        than its limits allow.
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
            self._deltas.close()

    def _read(self) -> None:
        try:
            with closing(self._deltas):
                for delta in self._deltas:
                    if self._stopped.is_set():
                        return
                    if delta:
                        self._heard.put(delta)
                    if isinstance(delta, Usage):
                        return
            self._heard.put(Usage(self.model.name, self.model.model))
        # Whatever it is, whoever waits raises it: a thread that dies in silence would be taken for a silent provider.
        except BaseException as error:  # noqa: BLE001
            self._heard.put(error)

    def _left_s(self) -> float:
        now, limits = time.monotonic(), self._limits
        if self.first_token_ms is None:
            return min(limits.first_token_s, limits.whole_s) - (now - self._began)
        return min(limits.silence_s - (now - self._heard_at), limits.whole_s - (now - self._began))

    def _too_late(self) -> ProviderUnavailable:
        waited = time.monotonic() - self._began
        if self.first_token_ms is None:
            return ProviderUnavailable(f"{self.model.name} did not begin to answer within {waited:.1f} s.")
        return ProviderUnavailable(f"{self.model.name} did not come to an end; it was given up after {waited:.1f} s.")


def pieces(speaking: Speaking, cancelled: Callable[[], bool]) -> Iterator[Delta]:
    """Yield what is spoken up to and with the `Usage`. Raises Cancelled, and what `Speaking.next` raises."""
    while True:
        if cancelled():
            raise Cancelled
        piece = speaking.next()
        if piece is None:
            continue
        yield piece
        if isinstance(piece, Usage):
            return
