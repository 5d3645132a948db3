"""A WebSocket client of a few microseconds a frame: a hundred callers must not weigh what they measure.

Frames are masked, as RFC 6455 asks, with a key of zeros, which leaves them as they are.
"""

import asyncio
import base64
import os
import struct
from collections.abc import Callable
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = bytes(4)


class Wire(asyncio.Protocol):
    """One connection: whole messages go to `take` as text or bytes, its end to `ended`. Frames come unfragmented."""

    def __init__(self, take: Callable[[str | bytes], None], request: bytes) -> None:
        self._take, self._request = take, request
        self._data = bytearray()
        self._open = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = self.ended or f"cut: {exc}"
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(self._data.decode(errors="replace")[:500] or self.ended))

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._open:
            head, found, rest = bytes(self._data).partition(b"\r\n\r\n")
            if not found or not head.startswith(b"HTTP/1.1 101"):
                return
            self._open, self._data = True, bytearray(rest)
            self.opened.set_result(None)
        while (frame := self._frame()) is not None:
            self._react(*frame)

    def _frame(self) -> tuple[int, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        size, at = data[1], 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10], "big"), 10
        if len(data) < at + size:
            return None
        body, opcode = bytes(data[at : at + size]), data[0] & 15
        del data[: at + size]
        return opcode, body

    def _react(self, opcode: int, body: bytes) -> None:
        if opcode == TEXT:
            self._take(body.decode())
        elif opcode == BINARY:
            self._take(body)
        elif opcode == PING:
            self._send(PONG, body)
        elif opcode == CLOSE:
            self.ended = f"{int.from_bytes(body[:2], 'big')} {body[2:].decode(errors='replace')}"
            self._send(CLOSE, body[:2])
            self._transport.close()

    def send(self, message: str | bytes) -> None:
        """Send a text or binary message; nothing where the connection has ended."""
        if self.ended is None:
            self._send(TEXT, message.encode()) if isinstance(message, str) else self._send(BINARY, message)

    def _send(self, opcode: int, body: bytes) -> None:
        size = len(body)
        length = struct.pack(">BBH", 128 | opcode, 254, size) if size > 125 else bytes((128 | opcode, 128 | size))
        self._transport.write(length + MASK + body)


async def connect(url: str, take: Callable[[str | bytes], None]) -> Wire:
    """Return an open connection to `ws://…`; messages are at most 64 KiB. Raises ConnectionError."""
    at = urlsplit(url)
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    _, wire = await asyncio.get_running_loop().create_connection(
        lambda: Wire(take, request.encode()), at.hostname, at.port
    )
    await wire.opened
    return wire
