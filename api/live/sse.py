"""Events over HTTP (text/event-stream): each with its id, so that a client that lost the line goes on there."""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, g, request

from api.live.following import Following
from api.live.handshake import connection
from api.live.mailbox import Closed, Mailbox, Reason
from api.live.process import relay, seats
from pipelines.stores.events import START, Published
from schemas.errors.callers import Revoked
from schemas.errors.providers import TooSlow
from schemas.errors.tree import AuraError
from schemas.events import Event, Subject

HEARTBEAT_S = 15.0
GLANCE_S = 2.0
"""How often it is looked whether a silent client is still there."""

STALL_S = 20
"""How long a client may leave what was sent unread before its connection is cut."""

RETRY_MS = 1000
MAX_WRITE_BYTES = 64 * 1024
"""Events that are sent in one go, about: a write for each would be most of the work where they come fast."""

MISSED = "The place is kept no more: events that followed it are missing. Look at what you follow anew."
LAST_WORDS: dict[Reason, type[AuraError]] = {Reason.REVOKED: Revoked, Reason.OVERFLOW: TooSlow}
"""What a client is told that is sent away; at a server's stop it comes back by itself."""


def stream(
    subject: Subject,
    *,
    keep: Callable[[Published], bool] = lambda _: True,
    told: Callable[[Mapping[str, Any]], Mapping[str, Any] | None] | None = None,
    until: Callable[[Published], bool] = lambda _: False,
    settled: Callable[[], Event | None] = lambda: None,
    after: str | None = START,
    heartbeat_s: float = HEARTBEAT_S,
    tells_place: bool = False,
) -> Response:
    """Return a response that streams the subject's events which `keep` names, up to and with the
    first of them that `until` names. Each is sent as `told` makes it, and not where that returns None.

    It begins after the id in `Last-Event-ID` or `?after=`, else after `after`, where None means with
    what happens from now on: the kept events come first, and before them an event `reset` where some
    that followed the place are kept no more. `settled` is asked when they are through, and at every
    heartbeat: it returns the last event as the database knows it, or None, so that a stream ends even
    where Redis lost that event. With `tells_place` the client learns how far it is also where `keep`
    lets little through. The stream ends early where the client is gone, too slow, or the server stops;
    a client comes back with its last id. Raises TooBusy, InvalidRequest and StoreUnavailable.
    """
    asked = request.headers.get("Last-Event-ID") or request.args.get("after") or after
    mailbox = Mailbox()
    give_back = seats().take(mailbox, g.caller.credential if "caller" in g else None)
    places: list[str] = []
    try:
        following = relay().follow(subject, asked, mailbox, lambda place, _: places.append(place))
    except AuraError:
        give_back()
        raise
    client = connection(request)
    if client is not None:
        # A write that nobody reads would hold its thread for ever.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALL_S, 0))
    reading = _Reading(following, keep, told, until, settled, heartbeat_s, client, places[0] if tells_place else "")
    response = Response(reading.lines(), content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    # Not in the generator's `finally`: one that was never started has none.
    response.call_on_close(following.leave)
    response.call_on_close(give_back)
    return response


@dataclass
class _Reading:
    """One response. `place` is how far it has come, where the client is to be told; else empty."""

    following: Following
    keep: Callable[[Published], bool]
    told: Callable[[Mapping[str, Any]], Mapping[str, Any] | None] | None
    until: Callable[[Published], bool]
    settled: Callable[[], Event | None]
    heartbeat_s: float
    client: socket.socket | None
    place: str

    def lines(self) -> Iterator[str]:
        """Yield what is to be sent, several events at once where they come fast."""
        yield f"retry: {RETRY_MS}\n{self._mark()}\n"
        if not self.following.resumed:
            yield _block("reset", json.dumps({"type": "reset", "detail": MISSED}))
        # The first look at the truth comes as soon as the kept events are through.
        wait_s, heartbeat_at = 0.0, time.monotonic()
        while True:
            try:
                found = self.following.next_few(wait_s, MAX_WRITE_BYTES)
                text, ended = self._render(found)
            except Closed as closed:
                if (error := LAST_WORDS.get(closed.reason)) is not None:
                    yield _error(error)
                return
            except AuraError as error:
                yield _error(error)
                return
            if text:
                yield text
            if ended:
                return
            if not found:
                wait_s = min(GLANCE_S, self.heartbeat_s)
            # Events that are not for this client are no sign of life to it.
            if not text and wait_s and time.monotonic() >= heartbeat_at:
                if (last := self.settled()) is not None:
                    about = last.as_json() if self.told is None else self.told(last.as_json())
                    yield _block(last.name, json.dumps(about, default=str))
                    return
                yield f": waiting\n{self._mark()}\n"
                heartbeat_at = time.monotonic() + self.heartbeat_s
            elif not found and _is_gone(self.client):
                return

    def _render(self, found: Sequence[Published]) -> tuple[str, bool]:
        """Return the blocks of these events, and whether the last event is among them."""
        blocks = []
        for event in found:
            if self.keep(event):
                if (text := self._text(event)) is not None:
                    blocks.append(_block(event.name, text, event.id))
                if self.until(event):
                    return "".join(blocks), True
            self.place = self.place and event.id
        return "".join(blocks), False

    def _text(self, event: Published) -> str | None:
        if self.told is None:
            return event.text
        about = self.told(event.data)
        return None if about is None else json.dumps(about)

    def _mark(self) -> str:
        # A block without data moves a client's `Last-Event-ID` and is no event to it.
        return f"id: {self.place}\n" if self.place else ""


def _block(name: str, data: str, event_id: str = "") -> str:
    place = f"id: {event_id}\n" if event_id else ""
    return f"{place}event: {name}\ndata: {data}\n\n"


def _error(error: AuraError | type[AuraError]) -> str:
    detail = error.detail if isinstance(error, AuraError) else error.sentence()
    return _block("error", json.dumps({"code": error.code, "detail": detail}))


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
