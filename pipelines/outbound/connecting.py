"""Connections of tenants' requests: the name is resolved once, every address checked, the checked one connected to."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterable, Sequence

import httpcore

from pipelines.outbound.addresses import Address, Allowed, literal
from schemas.errors.addresses import AddressRefused, HostUnknown

CONNECT_S = 5.0
"""Longest wait for one address of a host that has several."""


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects by TCP to addresses that `allowed` takes, and to no other.

    TLS above it still asks for the name, and the name stays in `Host`.
    """

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._net = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers. Raises AddressRefused, HostUnknown, httpcore.ConnectError."""
        last: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await checked(host, port, self._allowed):
            try:
                return await self._net.connect_tcp(str(address), port, CONNECT_S, socket_options=socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    async def sleep(self, seconds: float) -> None:
        await self._net.sleep(seconds)


async def checked(host: str, port: int, allowed: Allowed) -> Sequence[Address]:
    """Return the addresses of a host, all of which may be connected to.

    One address that may not is enough to refuse the host: a mixed answer is an attempt to get inside.
    Raises AddressRefused, HostUnknown.
    """
    given = literal(host)
    found = [given] if given is not None else await _resolved(host, port)
    if not allowed.names(host, port) and not all(allowed.takes(address) for address in found):
        raise AddressRefused
    return found


async def _resolved(host: str, port: int) -> list[Address]:
    """Return the addresses that a name has, each once. Raises HostUnknown."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def settle(found: list[Address]) -> None:
        if not answer.done():
            answer.set_result(found)

    def ask() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            infos = []
        addresses = [literal(str(info[4][0])) for info in infos]
        found = list(dict.fromkeys(address for address in addresses if address is not None))
        with contextlib.suppress(RuntimeError):  # Nobody waits any more, and the loop is closed.
            loop.call_soon_threadsafe(settle, found)

    # A thread of its own: a resolver that hangs can not be called off, and must hold up nobody else.
    threading.Thread(target=ask, daemon=True, name="resolve").start()
    if found := await answer:
        return found
    raise HostUnknown
