"""Replies of providers within limits: a body ends, whatever its server would like.

A time-out of the HTTP client bounds each silence; a server that drips a byte a second, or never stops, passes it.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import httpx2

from schemas.errors.providers import ProviderUnavailable

MAX_REPLY_BYTES = 64 << 20
"""Longest reply that is read: 23 minutes of PCM16 at 24 kHz."""

CONNECTIONS: dict[str, Any] = {"max_connections": 1000, "max_keepalive_connections": 100, "keepalive_expiry": 60.0}
"""Kept for the next question of a conversation: the five seconds that are usual are over when it comes."""

Hook = Callable[[Any], None]


def limited(label: str, within_s: float) -> Hook:
    """Return what to call with each response of an `httpx` or `httpx2` client before its body is read (an event hook).

    Reading it raises ProviderUnavailable after MAX_REPLY_BYTES, and `within_s` seconds after its head.
    """

    def hook(response: Any) -> None:
        body = _BodyOfHttpx2 if isinstance(response, httpx2.Response) else _BodyOfHttpx
        response.stream = body(response.stream, label, time.monotonic() + within_s, MAX_REPLY_BYTES)

    return hook


class _Body:
    """A body that is read up to its limits."""

    def __init__(self, stream: Any, label: str, until: float, max_bytes: int) -> None:
        self._stream, self._label, self._until, self._left = stream, label, until, max_bytes

    def __iter__(self) -> Iterator[bytes]:
        pieces: Iterable[bytes] = self._stream
        for piece in pieces:
            self._left -= len(piece)
            if self._left < 0:
                raise ProviderUnavailable(f"{self._label} answers without an end; it was given up.")
            if time.monotonic() > self._until:
                raise ProviderUnavailable(f"{self._label} did not come to an end in time.")
            yield piece

    def close(self) -> None:
        self._stream.close()


class _BodyOfHttpx(_Body, httpx.SyncByteStream):
    """For the SDK of ElevenLabs."""


class _BodyOfHttpx2(_Body, httpx2.SyncByteStream):
    """For the SDK of OpenAI."""
