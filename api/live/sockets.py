"""What all our sockets share: how one is opened, whose it is, and what is returned when it is over."""

from typing import Any

from flask import Response, request

START_TIMEOUT_S = 10.0


SUBPROTOCOL = "aura.v1"
TOKEN_PREFIX = "aura.token."


class Hijacked(Response):
    """What is returned where the connection is used up: nothing more may be written to it."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if "gunicorn.socket" in environ:
            raise StopIteration  # gunicorn's threads take this as the end of the connection.
        return super().__call__(environ, start_response)


def offered_token() -> str | None:
    """Return the token that came with the opening request, if any: a browser can set no header of its own."""
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    found = next((name.strip() for name in offered.split(",") if name.strip().startswith(TOKEN_PREFIX)), None)
    return found.removeprefix(TOKEN_PREFIX) if found else request.args.get("token")
