"""A whole web process, and clients that follow an organisation's events as the page on events describes it."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
from websockets.sync.client import connect

from schemas.events import Event, EventName, Subject
from tests.integration.relay.talking import WITHIN_S, Web


class Deployment(Web):
    """The whole application as a deployment of many tenants runs it."""

    app = "api:create_app()"
    look = "/health"

    def get(self, path: str, token: str, **params: str) -> httpx.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.get(url, params=params, headers=bearer(token), timeout=WITHIN_S, trust_env=False)

    def follow(self, token: str, **params: str) -> "SseClient":
        return SseClient(self.port, token, params)

    def socket(self, token: str, **start: str) -> "SocketClient":
        return SocketClient(self.port, token, start)


class SseClient:
    """Follows by server-sent events; `last` is the id to come back with, as a browser's EventSource keeps it."""

    def __init__(self, port: int, token: str, params: dict[str, str], path: str = "/api/events") -> None:
        self._url, self._token, self._params = f"http://127.0.0.1:{port}{path}", token, params
        self.last = ""

    def __enter__(self) -> "SseClient":
        self._http = httpx.Client(timeout=WITHIN_S, trust_env=False)
        headers = bearer(self._token) | ({"Last-Event-ID": self.last} if self.last else {})
        request = self._http.build_request("GET", self._url, params=self._params, headers=headers)
        self._answer = self._http.send(request, stream=True)
        assert self._answer.status_code == 200, self._answer.read()
        self._blocks = self._read()
        # The first block is there once it follows: what is published from now on comes.
        assert next(self._blocks)["retry"] == "1000"
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Lose the connection, with whatever was on its way."""
        self._http.close()

    def block(self) -> dict[str, str]:
        """Return the next block; a comment is named `comment`."""
        return next(self._blocks)

    def next(self) -> dict[str, Any]:
        """Return the next event."""
        while "data" not in (block := self.block()):
            pass
        return {"event": block["event"], **json.loads(block["data"])}

    def rest(self) -> list[dict[str, str]]:
        """Return what comes until the server ends the stream."""
        return list(self._blocks)

    def _read(self) -> Iterator[dict[str, str]]:
        block: dict[str, str] = {}
        for line in self._answer.iter_lines():
            if not line and block:
                self.last = block.get("id", self.last)
                yield block
                block = {}
            elif line:
                name, _, value = line.partition(":")
                block[name or "comment"] = value.removeprefix(" ")


class SocketClient:
    """Follows by WebSocket, and comes back as the other does."""

    def __init__(self, port: int, token: str, start: dict[str, str]) -> None:
        self._url, self._token, self._start = f"ws://127.0.0.1:{port}/ws/events", token, start
        self.last = ""

    def __enter__(self) -> "SocketClient":
        self.socket = connect(self._url, max_size=None, open_timeout=WITHIN_S).__enter__()
        after = {"after": self.last} if self.last else {}
        self.send(type="start", token=self._token, **{**self._start, **after})
        self.ready = self.message()
        assert self.ready["type"] == "ready", self.ready
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def cut(self) -> None:
        self.socket.socket.shutdown(socket.SHUT_RDWR)

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.socket.recv(WITHIN_S))
        self.last = found.get("id", self.last)
        return found

    def next(self) -> dict[str, Any]:
        while "at" not in (found := self.message()):
            pass
        return found


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def document(tenant_id: UUID | str, name: EventName = EventName.DOCUMENT_PROCESSED, **data: object) -> Event:
    """Return an event of a new document."""
    doc_id = uuid4()
    return Event(name, Subject.document(UUID(str(tenant_id)), doc_id), {"doc_id": str(doc_id), **data})


def turn(tenant_id: UUID | str, conversation_id: UUID, name: EventName, **data: object) -> Event:
    """Return an event of a new turn of the conversation."""
    about = {"turn_id": str(uuid4()), "conversation_id": str(conversation_id), **data}
    return Event(name, Subject.conversation(UUID(str(tenant_id)), conversation_id), about)


def whole(tenant_id: UUID | str, name: EventName, **data: object) -> Event:
    """Return an event of the organisation itself."""
    return Event(name, Subject.tenant(UUID(str(tenant_id))), data)
