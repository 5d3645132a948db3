"""A server's end of one WebSocket on a WSGI server's thread: bounded both ways, never blocked by a slow client.

The request's thread reads; a second thread writes what the client's mailbox holds, and alone writes.
The protocol is `websockets`' sans-IO one, without compression: sound does not shrink, and every
compressor would hold 300 kB.
"""

import math
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

import structlog
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from api.live.mailbox import Closed, Mailbox, Reason
from api.live.pace import Pace

PING_INTERVAL_S = 20.0
PONG_TIMEOUT_S = 20.0
STALL_S = 10.0
"""How long a client may leave what was sent unread before its connection is cut."""

GOODBYE_S = 0.5
CLOSE_TIMEOUT_S = 3.0
GLANCE_S = 2.0
"""How often the reading thread looks whether the writing one has closed."""

SEND_BUFFER_BYTES = 131_072
"""What the kernel holds for a slow client: sound in there can no longer be taken back at a barge-in."""

FLUSH_BYTES = 24_576
"""What is gathered at most before it is given to the kernel: some half a second of sound."""

FRAMES_PER_S, FRAMES_BURST = 200, 1000
"""Frames of any kind a client may send; beyond that it is read no faster."""

CODES = {
    Reason.DONE: (CloseCode.NORMAL_CLOSURE, "done"),
    Reason.OVERFLOW: (CloseCode.TRY_AGAIN_LATER, "overflow: read faster, then resume"),
    Reason.GOING_AWAY: (CloseCode.GOING_AWAY, "the server stops; resume"),
    Reason.REVOKED: (CloseCode.POLICY_VIOLATION, "revoked"),
}

log = structlog.get_logger(__name__)


class Ended(Exception):
    """The connection is closed or closing; nothing more is received."""


class NotText(Exception):
    """A text message is not UTF-8."""


class WebSocket:
    """One open connection. `render` turns what the mailbox hands out into messages to send.

    `waits` says in how many seconds it has something to send though the mailbox is empty, and whether it takes
    events at all by now; then it is called with None.
    """

    def __init__(
        self,
        connection: socket.socket,
        protocol: ServerProtocol,
        mailbox: Mailbox,
        render: Callable[[object], Iterable[str | bytes]],
        ping_interval_s: float = PING_INTERVAL_S,
        pong_timeout_s: float = PONG_TIMEOUT_S,
        waits: Callable[[], tuple[float, bool]] = lambda: (math.inf, True),
    ) -> None:
        self._socket, self._protocol, self._mailbox = connection, protocol, mailbox
        self._render, self._waits = render, waits
        self._ping_interval_s, self._pong_timeout_s = ping_interval_s, pong_timeout_s
        self._lock = threading.Lock()
        self._outgoing: list[bytes] = []
        self._messages: deque[str | bytes] = deque()
        self._flows, self._enough = False, 1
        self._fragments = bytearray()
        self._is_text = False
        self._pace = Pace(FRAMES_PER_S, FRAMES_BURST)
        self._closing: tuple[int, str] | None = None
        self._pinged_at = self._ponged_at = time.monotonic()
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(connection, select.POLLIN)
        self._writable.register(connection, select.POLLOUT)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._collect()
        self._writer = threading.Thread(target=self._write_always, name="websocket-writer", daemon=True)
        self._writer.start()

    def receive(self, timeout_s: float, rest_s: float = 0.0, enough: int = 1) -> str | list[bytes] | None:
        """Return the next text, or all binary messages up to the next one; None after `timeout_s`.

        While binary messages flow, what comes is left where it is until it is `enough` bytes or `rest_s` have passed:
        to be woken for each costs more than to read it. Raises Ended and NotText.
        """
        until = time.monotonic() + timeout_s
        while True:
            if self._closing or self._protocol.state is not State.OPEN:
                raise Ended
            if self._messages:
                return self._next()
            left_s = until - time.monotonic()
            if left_s <= 0:
                return None
            rests = self._flows and rest_s > 0
            self._wake_at(enough if rests else 1)
            # Looking up now and then, since the writer may have closed.
            if self._readable.poll(min(left_s, rest_s if rests else GLANCE_S) * 1000) or rests:
                self._flows = False
                self._read()

    def _next(self) -> str | list[bytes]:
        first = self._messages.popleft()
        if isinstance(first, str):
            return first
        found = [first]
        while self._messages and isinstance(self._messages[0], bytes):
            found.append(self._messages.popleft())  # type: ignore[arg-type]
        return found

    def _wake_at(self, enough: int) -> None:
        """Have the kernel call the socket readable from so many bytes on, or at its end."""
        if enough != self._enough:
            self._enough = enough
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, enough)

    def rest(self, duration_s: float) -> None:
        """Read nothing for a while, so that a client that sends too much has to wait."""
        time.sleep(min(duration_s, GLANCE_S))
        # An answer to a ping stands behind what waits to be read: its absence is no sign of death.
        self._ponged_at = time.monotonic()

    def close(self, code: int, reason: str) -> None:
        """Send what the session has said so far, then close with `code`."""
        self._closing = self._closing or (code, reason)
        self._mailbox.close()

    def finish(self) -> None:
        """End the connection from the reading thread: what is to be sent, then the client's answer."""
        self._mailbox.close()
        # Whoever has said goodbye waits for nothing more.
        self._writer.join(GOODBYE_S if self._protocol.close_rcvd else STALL_S)
        if self._writer.is_alive():
            self._cut()
            self._writer.join()
        deadline = time.monotonic() + CLOSE_TIMEOUT_S
        with suppress(OSError):  # The client may be gone already.
            self._wake_at(1)
            self._flush()
            while self._protocol.state is not State.CLOSED and (left_s := deadline - time.monotonic()) > 0:
                if self._readable.poll(left_s * 1000):
                    self._read()
                    self._flush()
        self._cut()

    def _read(self) -> None:
        try:
            data = self._socket.recv(65_536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        with self._lock:
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            frames = [frame for frame in self._protocol.events_received() if isinstance(frame, Frame)]
            self._collect()
            answers = bool(self._outgoing)
        if answers:
            self._mailbox.poke()
        for frame in frames:
            self._take(frame)
        if rest_s := self._pace.take(len(frames)):
            self.rest(rest_s)

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._ponged_at = time.monotonic()
        elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if frame.opcode is not Opcode.CONT:
                self._is_text = frame.opcode is Opcode.TEXT
            self._fragments += frame.data
            if frame.fin:
                self._flows |= not self._is_text
                whole, self._fragments = bytes(self._fragments), bytearray()
                try:
                    self._messages.append(whole.decode() if self._is_text else whole)
                except UnicodeDecodeError as error:
                    raise NotText from error

    def _write_always(self) -> None:
        try:
            self._flush()
            while True:
                due_in_s, takes_events = self._waits()
                # What is there by now goes out at once with what was rendered.
                item = self._mailbox.take(0.0 if self._outgoing else min(self._watch(), due_in_s), takes_events)
                if item is None and self._outgoing:
                    self._flush()
                    continue
                for message in self._render(item) if item is not None or due_in_s < math.inf else ():
                    self._send_message(message)
                    # What is told meanwhile, such as that the answer is cut, must not wait behind much more of it.
                    if sum(map(len, self._outgoing)) >= FLUSH_BYTES:
                        self._flush()
        except Closed as closed:
            self._say_goodbye(closed.reason)
        except InvalidState:
            pass  # The client closed first; the reading thread answers it.
        except OSError as error:
            log.info("websocket.cut", reason=str(error))
            self._cut()
        except Exception:
            # The outermost of this thread: the client is told, the log has the rest.
            log.exception("websocket.writer_broke")
            self._closing = (CloseCode.INTERNAL_ERROR, "internal error")
            self._say_goodbye(Reason.DONE)

    def _watch(self) -> float:
        """Ping the client, give up one that does not answer; return when to look again, in seconds.

        A pong does not wake this thread, so pings are `pong_timeout_s` apart at least.
        """
        now = time.monotonic()
        waits_for_pong = self._pinged_at > self._ponged_at
        left_s = self._pinged_at + (self._pong_timeout_s if waits_for_pong else self._ping_interval_s) - now
        if left_s > 0:
            return left_s
        if waits_for_pong:
            self.close(CloseCode.POLICY_VIOLATION, "no pong")
        else:
            self._pinged_at = now
            self._send(lambda: self._protocol.send_ping(b""))
            self._flush()
        return 0.0

    def _say_goodbye(self, reason: Reason) -> None:
        code, text = self._closing or CODES[reason]
        try:
            self._send(lambda: self._protocol.send_close(code, text))
            self._flush()
        except InvalidState:
            pass
        except OSError:
            self._cut()

    def _send_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._send(lambda: self._protocol.send_binary(message))
        else:
            self._send(lambda: self._protocol.send_text(message.encode()))

    def _send(self, act: Callable[[], None]) -> None:
        with self._lock:
            act()
            self._collect()

    def _collect(self) -> None:
        self._outgoing += self._protocol.data_to_send()

    def _flush(self) -> None:
        with self._lock:
            chunks, self._outgoing = self._outgoing, []
        for chunk in chunks:
            if not chunk:
                self._socket.shutdown(socket.SHUT_WR)
            left = memoryview(chunk)
            while left:
                try:
                    left = left[self._socket.send(left, socket.MSG_DONTWAIT) :]
                except BlockingIOError:
                    if not self._writable.poll(STALL_S * 1000):
                        raise TimeoutError("stalled: the client does not read") from None

    def _cut(self) -> None:
        with suppress(OSError):  # The client may have cut it first.
            self._socket.shutdown(socket.SHUT_RDWR)
