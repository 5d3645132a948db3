"""A server of ElevenLabs' websocket `stream-input`, and the ways in which it fails."""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

Answer = Callable[["Conversation"], None]

RATE_HZ = 22_050


@dataclass
class Conversation:
    """One connection: where it was opened, what was said on it until the end of the text, and the means to answer."""

    socket: ServerConnection
    end: "SocketEnd"
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(message["text"] for message in self.said).strip()

    def sound(self, pcm: bytes, chars: str = "", ms_per_char: int = 10, **more: object) -> None:
        """Send a piece of sound; its characters follow each other from its start."""
        alignment = None
        if chars:
            starts = [at * ms_per_char for at in range(len(chars))]
            durations = [ms_per_char] * len(chars)
            alignment = {"chars": list(chars), "charStartTimesMs": starts, "charDurationsMs": durations}
        message = {"audio": base64.b64encode(pcm).decode(), "isFinal": None, "alignment": alignment, **more}
        self.socket.send(json.dumps(message))

    def final(self) -> None:
        self.socket.send(json.dumps({"audio": None, "isFinal": True, "alignment": None}))


@dataclass
class SocketEnd:
    """A running server: where it is, what came, and what it answers next. A `status` refuses the handshake."""

    url: str = ""
    answer: Answer = lambda conversation: None
    status: tuple[int, str] | None = None
    came: list[Conversation] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


def spoken(*pieces: bytes, chars: Sequence[str] = ()) -> Answer:
    """Answer with sound in pieces, and with the characters of each where they are given."""

    def answer(conversation: Conversation) -> None:
        for at, piece in enumerate(pieces):
            conversation.sound(piece, chars[at] if at < len(chars) else "")
        conversation.final()

    return answer


@contextmanager
def speaking_socket() -> Iterator[SocketEnd]:
    """Yield a running server."""
    end = SocketEnd()

    def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        headers = {name.lower(): value for name, value in socket.request.headers.raw_items()}
        conversation = Conversation(socket, end, socket.request.path, headers)
        end.came.append(conversation)
        for message in socket:
            conversation.said.append(json.loads(message))
            if conversation.said[-1]["text"] == "":
                break
        end.answer(conversation)

    def refuse(socket: ServerConnection, request: Request) -> Response | None:
        if end.status is None:
            return None
        status, code = end.status
        body = json.dumps({"detail": {"status": code, "message": "no"}})
        return socket.respond(HTTPStatus(status), body)

    with serve(handle, "127.0.0.1", 0, process_request=refuse) as server:
        end.url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield end
        finally:
            end.closing.set()
            server.shutdown()
            thread.join()
