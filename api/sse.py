"""Events over HTTP (text/event-stream): each with its id, so that a client that lost the line goes on there."""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator

from flask import Response, g, request

from api.following import Following
from api.handshake import connection
from api.live import relay, seats
from api.mailbox import Closed, Mailbox, Reason
from pipelines.stores.events import START, Published
from schemas.errors import AuraError, Revoked
from schemas.events import Event, Subject

HEARTBEAT_S = 15.0
GLANCE_S = 2.0
"""How often it is looked whether a silent client is still there."""

STALL_S = 20
"""How long a client may leave what was sent unread before its connection is cut."""

RETRY_MS = 1000


def stream(
    subject: Subject,
    *,
    keep: Callable[[Published], bool] = lambda _: True,
    until: Callable[[Published], bool],
    settled: Callable[[], Event | None] = lambda: None,
    after: str = START,
    heartbeat_s: float = HEARTBEAT_S,
) -> Response:
    """Return a response that streams the subject's events which `keep` names, up to and with the
    first of them that `until` names.

    It begins after the id in `Last-Event-ID` or `?after=`, else after `after`: the kept events come
    first. `settled` is asked when they are through, and at every heartbeat: it returns the last event
    as the database knows it, or None, so that a stream ends even where Redis lost that event. The
    stream ends early where the client is gone, too slow, or the server stops; a client comes back
    with its last id. Raises TooBusy, InvalidRequest and StoreUnavailable.
    """
    place = request.headers.get("Last-Event-ID") or request.args.get("after") or after
    mailbox = Mailbox()
    give_back = seats().take(mailbox, g.caller.credential if "caller" in g else None)
    try:
        following = relay().follow(subject, place, mailbox)
    except AuraError:
        give_back()
        raise
    client = connection(request)
    if client is not None:
        # A write that nobody reads would hold its thread for ever.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALL_S, 0))
    lines = _lines(following, keep, until, settled, heartbeat_s, client)
    response = Response(lines, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    # Not in the generator's `finally`: one that was never started has none.
    response.call_on_close(following.leave)
    response.call_on_close(give_back)
    return response


def _lines(
    following: Following,
    keep: Callable[[Published], bool],
    until: Callable[[Published], bool],
    settled: Callable[[], Event | None],
    heartbeat_s: float,
    client: socket.socket | None,
) -> Iterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    # The first look at the truth comes as soon as the kept events are through.
    wait_s, heartbeat_at = 0.0, time.monotonic()
    while True:
        try:
            event = following.next(wait_s)
        except Closed as closed:
            if closed.reason is Reason.REVOKED:
                yield _block("error", json.dumps({"code": Revoked.code, "detail": Revoked.sentence()}))
            return
        if event is not None:
            if keep(event):
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
        elif _is_gone(client):
            return


def _block(name: str, data: str, event_id: str = "") -> str:
    place = f"id: {event_id}\n" if event_id else ""
    return f"{place}event: {name}\ndata: {data}\n\n"


def _is_gone(client: socket.socket | None) -> bool:
    """Return whether the client has closed its connection; a write would only tell at the second try."""
    if client is None:
        return False
    try:
        return client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
