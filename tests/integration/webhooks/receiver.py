"""Receivers of webhooks, and a canary that nobody may reach: real sockets, speaking HTTP, well or badly."""

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

ALLOWED = "127.0.0.2"
"""Where the tests' receivers listen; the operator of the tests allows this address and no other inside."""


@dataclass(frozen=True)
class Taken:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified_by(self, *secrets: str) -> dict[str, Any]:
        """Return the message, verified by the reference library with each of the secrets. Raises otherwise."""
        found: dict[str, Any] = {}
        for secret in secrets:
            found = Webhook(secret).verify(self.body, self.headers)
        return found

    def is_verified_by(self, secret: str) -> bool:
        try:
            self.verified_by(secret)
        except WebhookVerificationError:
            return False
        return True


Reply = Callable[["Conversation", Taken], None]


@dataclass
class Receiver:
    """A running receiver; `reply` says how the next requests are answered."""

    port: int = 0
    reply: Reply = field(default=lambda conversation, _: conversation.say(200))
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://{ALLOWED}:{self.port}/hook"


class Conversation(socketserver.StreamRequestHandler):
    """One connection, kept for as long as its client keeps it."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        with receiver.lock:
            receiver.connections += 1
        self.going = True
        while self.going and (line := self.rfile.readline()):
            taken = self.read(line)
            with receiver.lock:
                receiver.taken.append(taken)
                receiver.at_once += 1
                receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
            try:
                receiver.reply(self, taken)
            except OSError:
                self.going = False
            finally:
                with receiver.lock:
                    receiver.at_once -= 1

    def read(self, line: bytes) -> Taken:
        headers = {}
        while (header := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError  # Whoever sent this has died of it; no request was made.
        return Taken(line.decode().split(" ")[1], headers, body)

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        fields = {
            "content-length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.wfile.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("latin-1") + body)

    def wait(self) -> None:
        """Stay silent until the test is over."""
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        receiver.ended.wait(600)
        self.going = False

    def reset(self) -> None:
        """Break the connection off with a reset instead of an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise ConnectionResetError

    def flood(self) -> None:
        """Answer well, with a body that never ends, as fast as it is read."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
        while True:
            self.wfile.write(b"x" * 65_536)

    def drip(self) -> None:
        """Answer well, with a body that never ends, a byte now and then."""
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
        while not receiver.ended.wait(0.05):
            self.wfile.write(b"x")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self, receiver: Receiver, address: str) -> None:
        self.receiver = receiver
        super().__init__((address, receiver.port), Conversation)

    def handle_error(self, *_: object) -> None:
        """Print nothing where a client went away."""


@contextmanager
def listening(address: str = ALLOWED, reply: Reply | None = None, port: int = 0) -> Iterator[Receiver]:
    """Yield a receiver that listens until the block ends."""
    receiver = Receiver(port)
    if reply is not None:
        receiver.reply = reply
    server = Server(receiver, address)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(60)


def as_json(**fields: object) -> bytes:
    return json.dumps(fields).encode()
