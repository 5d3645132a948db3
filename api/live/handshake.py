"""The opening handshake of a WebSocket on the socket of a WSGI server (gunicorn's threads or Werkzeug)."""

import socket
import ssl
from collections.abc import Sequence

from flask import Request
from websockets.datastructures import Headers
from websockets.http11 import Request as Opening
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from schemas.errors.requests import InvalidRequest

HEADERS = frozenset(
    {
        "host",
        "upgrade",
        "connection",
        "origin",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-protocol",
    }
)
"""What the handshake is about; `Sec-WebSocket-Extensions` is left out, so that none is agreed on."""


def connection(asking: Request) -> socket.socket | None:
    """Return the request's own socket; None where the server does not give it, or it is encrypted.

    TLS ends before this server: one thread could not read an encrypted socket while another writes.
    """
    found = asking.environ.get("gunicorn.socket") or asking.environ.get("werkzeug.socket")
    return found if isinstance(found, socket.socket) and not isinstance(found, ssl.SSLSocket) else None


def accept(asking: Request, max_message_bytes: int, subprotocols: Sequence[str]) -> ServerProtocol:
    """Return the protocol of a connection whose opening request is valid, its answer ready to be sent.

    Raises InvalidRequest; nothing is written yet then, so that the refusal can be a proper HTTP answer.
    """

    def choose(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return next((name for name in offered if name in subprotocols), None)

    protocol = ServerProtocol(select_subprotocol=choose, max_size=max_message_bytes)
    headers = [(name, value) for name, value in asking.headers.items() if name.lower() in HEADERS]
    # The server has read the request already; the protocol takes it as bytes only.
    protocol.receive_data(Opening("/", Headers(headers), asking.method).serialize())
    openings = [event for event in protocol.events_received() if isinstance(event, Opening)]
    if not openings:
        raise InvalidRequest("The opening request is not valid.")
    answer = protocol.accept(openings[0])
    if answer.status_code != 101:
        raise InvalidRequest((answer.body or b"").decode().strip())
    protocol.send_response(answer)
    return protocol
