"""A webhook receiver that takes everything and remembers what it was told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """Events by their id, so that one delivered twice counts once."""

    place: str
    told: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{self.place}/told"

    def of(self, name: str) -> list[dict[str, Any]]:
        """Return the data of all events of this name."""
        return [event["data"] for event in list(self.told.values()) if event["type"] == name]


class _Listens(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.receiver.told[event["id"]] = event
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing a request."""


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Yield a receiver on this machine; its `place` must be in AURA_OUTBOUND_ALLOW."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Listens)
    server.daemon_threads = True
    found = Receiver(f"127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = type("Listens", (_Listens,), {"receiver": found})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
