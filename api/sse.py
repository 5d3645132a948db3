"""Events over HTTP (text/event-stream): each with its id, so that a client that lost the line goes on there."""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Request, Response, request

from api.following import Following
from api.mailbox import Closed
from api.relay import Relay
from pipelines.stores.events import Published
from schemas.events import Event

HEARTBEAT_S = 15.0
GLANCE_S = 5.0
"""How often it is looked whether a silent client is still there."""

STALL_S = 20
"""How long a client may leave what was sent unread before its connection is cut."""

RETRY_MS = 1000


def resume_place(asking: Request) -> str | None:
    """Return after which event the client wants to go on: `Last-Event-ID`, else `?after=`, else None."""
    return asking.headers.get("Last-Event-ID") or asking.args.get("after") or None


def respond(
    relay: Relay,
    following: Following,
    *,
    until: Callable[[Published], bool],
    wanted: Callable[[Published], bool] = lambda _: True,
    settled: Callable[[], Event | None] = lambda: None,
    heartbeat_s: float = HEARTBEAT_S,
) -> Response:
    """Return a response that streams the `wanted` events up to and with the one that `until` names.

    `settled` is asked once the kept events are through and at every heartbeat: it returns the last
    event as the database knows it, or None, so that a stream ends even where Redis lost that event.
    The stream ends early where the client is gone, too slow, or the server stops; the client then
    comes back with its last id. The following is left in each case. Raises TooBusy.
    """
    try:
        give_back = relay.seats.take()
    except BaseException:
        following.leave()
        raise
    lines = _lines(following, until, wanted, settled, heartbeat_s, request.environ)
    response = Response(lines, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    # Not in the generator's `finally`: one that was never started has none.
    response.call_on_close(following.leave)
    response.call_on_close(give_back)
    _cut_where_stalled(request.environ)
    return response


def _lines(
    following: Following,
    until: Callable[[Published], bool],
    wanted: Callable[[Published], bool],
    settled: Callable[[], Event | None],
    heartbeat_s: float,
    environ: Mapping[str, Any],
) -> Iterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    # The first look at the truth comes as soon as the kept events are through.
    wait_s, heartbeat_at = 0.0, time.monotonic()
    while True:
        try:
            event = following.next(wait_s)
        except Closed:
            return
        if event is not None:
            if wanted(event):
                yield _block(event.name, event.text, event.id)
            if until(event):
                return
        elif time.monotonic() >= heartbeat_at:
            if (last := settled()) is not None:
                yield _block(last.name, json.dumps(last.as_json(), default=str))
                return
            yield ": waiting\n\n"
            heartbeat_at = time.monotonic() + heartbeat_s
            wait_s = min(GLANCE_S, heartbeat_s)
        elif _is_gone(environ):
            return


def _block(name: str, data: str, event_id: str = "") -> str:
    place = f"id: {event_id}\n" if event_id else ""
    return f"{place}event: {name}\ndata: {data}\n\n"


def _socket(environ: Mapping[str, Any]) -> socket.socket | None:
    found = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    return found if isinstance(found, socket.socket) else None


def _is_gone(environ: Mapping[str, Any]) -> bool:
    """Return whether the client has closed its connection; a write would only tell at the second try."""
    connection = _socket(environ)
    if connection is None:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _cut_where_stalled(environ: Mapping[str, Any]) -> None:
    """Let a write that does not get through in time fail: it would hold its thread for ever."""
    if (connection := _socket(environ)) is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALL_S, 0))
