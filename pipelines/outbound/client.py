"""HTTP requests to addresses that were checked, over connections that are kept."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import httpcore
import httpx

from pipelines.outbound.addresses import Allowed
from pipelines.outbound.connecting import CheckedBackend
from pipelines.outbound.urls import Target
from schemas.errors.addresses import RemoteTimeout, Unreachable

KEPT_S = 60.0
KEPT_CONNECTIONS = 64
AGENT = "AURA"


@dataclass(frozen=True)
class Answer:
    """What came back. `cut` says that the body was longer than was asked for; names of headers are in small letters."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: bool = False

    def header(self, name: str) -> str | None:
        """Return the first header of this name."""
        return next((value for key, value in self.headers if key == name), None)


class Client:
    """Sends requests and keeps connections for the next. It belongs to one event loop.

    Connections are httpcore's; its pool is not used, whose work for a request grows with the square of its connections.
    """

    def __init__(self, allowed: Allowed) -> None:
        self._backend = CheckedBackend(allowed)
        self._idle: dict[str, list[httpcore.AsyncHTTPConnection]] = {}
        self._swept_at = time.monotonic()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in [each for kept in self._idle.values() for each in kept]:
            await connection.aclose()

    async def send(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        timeout_s: float,
        max_bytes: int,
    ) -> Answer:
        """Return the answer, its body cut at `max_bytes`; redirects are answers like others.

        `timeout_s` is for everything from the look-up of the name to the body's end.
        Raises AddressRefused, HostUnknown, RemoteTimeout, Unreachable; the latter two tell the `status` where it came.
        """
        seen: dict[str, int] = {}
        request = _request(method, target, headers, content)
        try:
            async with asyncio.timeout(timeout_s):
                try:
                    return await self._send(request, max_bytes, seen, kept=True)
                except _KeptIsDead:
                    return await self._send(request, max_bytes, seen, kept=False)
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise RemoteTimeout(f"No complete answer within {timeout_s:g} s.", status=seen.get("status")) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            raise Unreachable(_reason(error), status=seen.get("status")) from error

    async def _send(self, request: httpcore.Request, max_bytes: int, seen: dict[str, int], *, kept: bool) -> Answer:
        """Send over a kept connection, where it may and there is one, else over a new one. Raises _KeptIsDead."""
        origin = request.url.origin
        place = str(origin)
        connection = await self._kept(place) if kept else None
        was_kept = connection is not None
        connection = connection or await self._new(origin)
        try:
            response = await connection.handle_async_request(request)
            seen["status"] = response.status
            try:
                body, cut = await _read(response, max_bytes)
            finally:
                await response.aclose()
            found = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers)
            return Answer(response.status, found, body, cut)
        except (httpcore.NetworkError, httpcore.RemoteProtocolError, httpcore.ConnectionNotAvailable) as error:
            if was_kept and not seen:
                raise _KeptIsDead from error
            raise
        finally:
            idle = self._idle.setdefault(place, [])
            if connection.is_idle() and len(idle) < KEPT_CONNECTIONS:
                idle.append(connection)
            else:
                await connection.aclose()

    async def _kept(self, place: str) -> httpcore.AsyncHTTPConnection | None:
        """Return a connection that was kept and, as far as can be seen, still stands."""
        idle = self._idle.get(place, [])
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    async def _new(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        """Return a connection that is made when it is first used; close those that nobody asked for any more."""
        if time.monotonic() - self._swept_at > KEPT_S:
            self._swept_at = time.monotonic()
            for place, idle in list(self._idle.items()):
                fresh = [each for each in idle if not each.has_expired()]
                ended = [each for each in idle if each not in fresh]
                self._idle[place] = fresh
                if not fresh:
                    del self._idle[place]
                for each in ended:
                    await each.aclose()
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=_trust(), keepalive_expiry=KEPT_S, network_backend=self._backend
        )


class _KeptIsDead(Exception):
    """The other side had ended a kept connection; nothing of an answer has come."""


def _request(method: str, target: Target, headers: Mapping[str, str], content: bytes | None) -> httpcore.Request:
    """Return the request. Without compression the size that is read is the size there is."""
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    plain = {"User-Agent": AGENT, "Accept": "*/*", **headers, "Accept-Encoding": "identity", "Host": target.authority}
    if content is not None:
        plain["Content-Length"] = str(len(content))
    raw = [(name.encode("ascii"), value.encode("utf-8")) for name, value in plain.items()]
    return httpcore.Request(method, url, headers=raw, content=content)


async def _read(response: httpcore.Response, max_bytes: int) -> tuple[bytes, bool]:
    """Return the body as far as it was asked for, and whether there was more."""
    pieces, size = list[bytes](), 0
    async for piece in response.aiter_stream():
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            break
    return b"".join(pieces)[:max_bytes], size > max_bytes


def _reason(error: Exception) -> str:
    """Return a sentence about what went wrong on the way; it names no address of ours."""
    if isinstance(error, httpcore.ConnectError):
        return "No connection could be made." if "certificate" not in str(error).lower() else f"TLS: {error}"
    if isinstance(error, httpcore.ProtocolError):
        return "The connection ended without a complete HTTP answer."
    return "The connection broke off."


@lru_cache
def _trust() -> ssl.SSLContext:
    """Return the certificates that are trusted: SSL_CERT_FILE where it is set, else Mozilla's list."""
    return httpx.create_ssl_context()
