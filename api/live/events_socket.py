"""`/ws/events`: an organisation's events over a WebSocket, in JSON messages (docs/events.md)."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from flask import Flask, Response, request
from websockets.frames import CloseCode

from api.door.auth import holder
from api.door.permissions import allows
from api.live.event_filter import Filter
from api.live.event_places import take_place
from api.live.following import Following
from api.live.handshake import accept, connection
from api.live.mailbox import Mailbox
from api.live.messages import parse, read
from api.live.process import relay, seats
from api.live.sockets import START_TIMEOUT_S, SUBPROTOCOL, Hijacked, offered_token
from api.live.sse import HEARTBEAT_S, MISSED
from api.live.websocket import GLANCE_S, Ended, NotText, WebSocket
from pipelines.stores.events import Published
from schemas.errors.callers import Forbidden, Unauthenticated
from schemas.errors.providers import TooBusy
from schemas.errors.requests import InvalidRequest, MalformedJson
from schemas.errors.sound import NotStarted
from schemas.errors.tree import AuraError
from schemas.events import Subject
from schemas.requests.events import FollowMessage
from schemas.tables.identity import Permission

PATH = "/ws/events"
MAX_TEXT_BYTES = 32 * 1024

log = structlog.get_logger(__name__)


def register(app: Flask) -> None:
    """Serve event sockets on `app`."""
    app.add_url_rule(PATH, view_func=events_socket, websocket=True)


@allows(Permission.SELF)
def events_socket() -> Response:
    """Tell one client the organisation's events, for as long as it stays. Raises TooBusy and InvalidRequest."""
    client = connection(request)
    if client is None:
        raise InvalidRequest("This server cannot open WebSockets.")
    protocol = accept(request, MAX_TEXT_BYTES, [SUBPROTOCOL])
    mailbox = Mailbox()
    give_back = seats().take(mailbox)
    try:
        dialect = EventsSocket(mailbox, offered_token())
        socket = WebSocket(client, protocol, mailbox, dialect.render)
        try:
            dialect.run(socket)
        finally:
            socket.finish()
    finally:
        give_back()
    return Hijacked()


class EventsSocket:
    """One client: `start` and now and then a `ping` in, events out."""

    def __init__(self, mailbox: Mailbox, token: str | None) -> None:
        self._mailbox, self._token = mailbox, token
        self._filter: Filter | None = None
        self._following: Following | None = None
        self._leave: Callable[[], None] = lambda: None
        self._place = ""

    def run(self, socket: WebSocket) -> None:
        """Take the client's messages until it leaves or is sent away."""
        self._socket = socket
        opened = self._told_at = time.monotonic()
        try:
            while True:
                message = socket.receive(GLANCE_S)
                if message is not None:
                    self._attempt(message)
                self._tell_place()
                if self._filter is None and time.monotonic() - opened >= START_TIMEOUT_S:
                    socket.close(CloseCode.POLICY_VIOLATION, "no start")
        except NotText:
            self._refuse(MalformedJson("A text message is not valid UTF-8."))
            socket.close(CloseCode.INVALID_DATA, "not UTF-8")
        except Ended:
            pass
        except Exception:
            # The outermost of this thread: the client is told, the log has the rest.
            log.exception("events.broke")
            socket.close(CloseCode.INTERNAL_ERROR, "internal error")
        finally:
            if self._following is not None:
                self._following.leave()
            self._leave()

    def render(self, item: object) -> Iterator[str]:
        """Yield what to send for what the mailbox has handed out; called by the writing thread."""
        if not isinstance(item, Published):
            yield json.dumps(item)
            return
        assert self._filter is not None
        try:
            wanted = self._filter.wants(item)
        except AuraError as error:
            # The client comes back with the last place it knows, which is before this event.
            self._socket.close(CloseCode.TRY_AGAIN_LATER, error.code)
            return
        self._place = item.id
        if wanted:
            yield item.text

    def _attempt(self, message: str | list[bytes]) -> None:
        try:
            if isinstance(message, list):
                raise InvalidRequest("Only JSON is read here.")
            self._take(parse(message))
        except (NotStarted, Unauthenticated, Forbidden, TooBusy) as error:
            self._refuse(error)
            self._socket.close(CloseCode.POLICY_VIOLATION, error.code)
        except AuraError as error:
            self._refuse(error)

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "start":
                self._start(read(FollowMessage, message))
            case _ if self._filter is None:
                raise NotStarted
            case "ping":
                self._mailbox.tell({"type": "pong"})
            case "stop":
                self._socket.close(CloseCode.NORMAL_CLOSURE, "stopped")
            case other:
                raise InvalidRequest(f"There is no message {other[:40]!r}.")

    def _start(self, start: FollowMessage) -> None:
        if self._filter is not None:
            raise InvalidRequest("The stream has started already.")
        asking = holder(start.token or self._token, Permission.SELF)
        chosen = Filter(asking, start.types, start.subject)
        seats().admit(self._mailbox, asking.credential)
        leave = take_place(asking.tenant_id)

        def begin(place: str, resumed: bool) -> None:
            self._filter, self._place = chosen, place
            self._mailbox.tell({"type": "ready", "id": place, "resumed": resumed})
            if not resumed:
                self._mailbox.tell({"type": "reset", "detail": MISSED})

        try:
            self._following = relay().follow(
                Subject.tenant(asking.tenant_id), start.after or None, self._mailbox, begin
            )
        except AuraError:
            leave()
            raise
        self._leave = leave

    def _tell_place(self) -> None:
        """Say now and then how far this is, for a client whose filter lets little through."""
        if self._filter is not None and time.monotonic() - self._told_at >= HEARTBEAT_S:
            self._told_at = time.monotonic()
            self._mailbox.tell({"type": "place", "id": self._place})

    def _refuse(self, error: AuraError) -> None:
        self._mailbox.tell({"type": "error", "code": error.code, "detail": error.detail})
