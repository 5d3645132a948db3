"""An S3 bucket that refuses as it is told: moto's server, and before it a switch."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

NAME = "aura-faults"
REFUSAL = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"

Environ = dict[str, Any]


@dataclass
class Bucket:
    """While `refuses` is true of a request's method and path it is answered 503, or hung up on."""

    url: str = ""
    refuses: Callable[[str, str], bool] = lambda method, path: False
    hangs_up: bool = False
    refused: list[tuple[str, str]] = field(default_factory=list)

    def settings(self) -> dict[str, str]:
        """Return the settings that lead a stack here."""
        return {
            "AURA_OBJECTS_URL": f"s3://{NAME}/kept",
            "AURA_OBJECTS_ENDPOINT": self.url,
            "AWS_ACCESS_KEY_ID": "for-tests",
            "AWS_SECRET_ACCESS_KEY": "for-tests",
            "AWS_REGION": "us-east-1",
        }

    @contextmanager
    def refusing(self, *methods: str, within: str = "", hanging_up: bool = False) -> Iterator[None]:
        """Refuse these methods (or all), for keys that contain `within`, until the block ends."""
        self.refused, self.hangs_up = [], hanging_up
        self.refuses = lambda method, path: (not methods or method in methods) and within in path
        try:
            yield
        finally:
            self.refuses = lambda method, path: False

    def listing(self) -> str:
        """Return the listing of all that is kept."""
        return httpx.get(f"{self.url}/{NAME}?list-type=2").text


@contextmanager
def bucket() -> Iterator[Bucket]:
    """Yield an empty bucket on a server of its own."""
    found = Bucket()
    behind = DomainDispatcherApplication(create_backend_app)

    def application(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if not found.refuses(method, path):
            return behind(environ, start)  # type: ignore[no-any-return]
        found.refused.append((method, path))
        if found.hangs_up:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError
        start("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(REFUSAL)))])
        return [REFUSAL]

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    httpx.put(f"{found.url}/{NAME}").raise_for_status()
    try:
        yield found
    finally:
        server.shutdown()


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Print nothing a request."""
