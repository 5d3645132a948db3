"""A server that speaks the wire formats of OpenAI and ElevenLabs, and breaks as servers do.

Only the network's far end is played: the SDKs under test are the real ones.
"""

import base64
import json
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

Reply: TypeAlias = Callable[["Exchange"], None]

SILENT_S = 300.0
"""How long somebody is silent who is to be given up: who waited for the end would be noticed on any machine."""


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class FarEnd:
    """A running fake: where it is, what it was asked, and what it answers next."""

    url: str
    reply: Reply
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    hung_up: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)


class Exchange(BaseHTTPRequestHandler):
    """One request, and the means to answer it piece by piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    far_end: FarEnd
    asked: Asked

    def setup(self) -> None:
        super().setup()
        self.far_end.connections += 1

    def do_POST(self) -> None:
        self._take()

    def do_GET(self) -> None:
        self._take()

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""

    def send_whole(self, status: int, body: bytes, content_type: str = "application/json", **headers: str) -> None:
        self._head(status, content_type, {"Content-Length": str(len(body)), **headers})
        self.wfile.write(body)

    def send_json(self, value: object, status: int = 200, **headers: str) -> None:
        self.send_whole(status, json.dumps(value).encode(), **headers)

    def start(self, content_type: str, chunked: bool = True) -> None:
        """Begin a body of unknown length; not chunked, it ends when the connection does."""
        self._chunked = chunked
        ending = {"Transfer-Encoding": "chunked"} if chunked else {"Connection": "close"}
        self._head(200, content_type, ending)

    def piece(self, data: bytes) -> None:
        """Send a piece; raise ConnectionError and note it where the client has hung up."""
        framed = b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data
        try:
            self.wfile.write(framed)
            self.wfile.flush()
        except ConnectionError:
            self.far_end.hung_up.set()
            raise

    def finish_body(self) -> None:
        if self._chunked:
            self.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """End the connection here."""
        self.close_connection = True

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        self.far_end.asked.append(self.asked)
        try:
            self.far_end.reply(self)
        except ConnectionError:
            self.close_connection = True

    def _head(self, status: int, content_type: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


@contextmanager
def far_end() -> Iterator[FarEnd]:
    """Yield a running fake; it refuses every request until it is given a reply."""
    exchange = type("OneExchange", (Exchange,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), exchange)
    server.daemon_threads = True
    fake = FarEnd(f"http://127.0.0.1:{server.server_port}", failure(500))
    exchange.far_end = fake  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


# OpenAI


def chunk(text: str | None = None, finish: str | None = None, usage: tuple[int, int] | None = None) -> bytes:
    """Return one server-sent event of a streamed chat completion; with `usage` the one that counts."""
    choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}
    found: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_770_000_000,
        "model": "some-model",
        "choices": [] if usage else [choice],
    }
    if usage:
        found["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    return b"data: %s\n\n" % json.dumps(found).encode()


DONE = b"data: [DONE]\n\n"


def events(*pieces: bytes, chunked: bool = True, cut: bool = False) -> Reply:
    """Answer with server-sent events; `cut` ends the connection before the body's end is marked."""

    def reply(exchange: Exchange) -> None:
        exchange.start("text/event-stream", chunked)
        for piece in pieces:
            exchange.piece(piece)
        if not cut:
            exchange.finish_body()
        if cut or not chunked:
            exchange.cut()

    return reply


def answer(*texts: str, usage: tuple[int, int] | None = (12, 7)) -> Reply:
    """Answer a chat request in `texts`, as OpenAI does: role first, then text, finish, usage, [DONE]."""
    counted = [chunk(usage=usage)] if usage else []
    return events(chunk(""), *(chunk(text) for text in texts), chunk(finish="stop"), *counted, DONE)


def then_silence(*pieces: bytes, content_type: str = "text/event-stream") -> Reply:
    """Send `pieces`, then nothing until the test is over."""

    def reply(exchange: Exchange) -> None:
        exchange.start(content_type)
        for piece in pieces:
            exchange.piece(piece)
        exchange.far_end.closing.wait(SILENT_S)
        exchange.cut()

    return reply


def endless(piece: bytes, content_type: str = "text/event-stream") -> Reply:
    """Send `piece` again and again, until the client hangs up."""

    def reply(exchange: Exchange) -> None:
        exchange.start(content_type)
        while not exchange.far_end.closing.is_set():
            exchange.piece(piece)

    return reply


def failure(status: int, message: str = "no", code: str | None = None, **headers: str) -> Reply:
    """Refuse with an error in OpenAI's format."""
    body = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    return lambda exchange: exchange.send_json(body, status, **headers)


def embeddings(vector_of: Callable[[str], Sequence[float]]) -> Reply:
    """Answer an embeddings request in base64 where it asks for that, last text first, as the index allows."""

    def reply(exchange: Exchange) -> None:
        asked = exchange.asked.json
        rows = []
        for index, text in enumerate(asked["input"]):
            vector = vector_of(text)
            packed = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
            value = packed if asked.get("encoding_format") == "base64" else list(vector)
            rows.append({"object": "embedding", "index": index, "embedding": value})
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        exchange.send_json({"object": "list", "data": rows[::-1], "model": asked["model"], "usage": usage})

    return reply


def body(value: object) -> Reply:
    """Answer with JSON."""
    return lambda exchange: exchange.send_json(value)


def page(html: str) -> Reply:
    """Answer 200 with a web page, as a captive portal or a proxy does."""
    return lambda exchange: exchange.send_whole(200, html.encode(), "text/html")


def drip(body: bytes, every_s: float, content_type: str = "application/json") -> Reply:
    """Send a body byte by byte, as slowly as that: each silence is shorter than any time-out."""

    def reply(exchange: Exchange) -> None:
        exchange.start(content_type)
        for byte in body:
            exchange.piece(bytes((byte,)))
            if exchange.far_end.closing.wait(every_s):
                break
        exchange.finish_body()

    return reply


# ElevenLabs, and OpenAI's speech, which comes in the same way


def pcm(*pieces: bytes, cut: bool = False, content_type: str = "audio/pcm") -> Reply:
    """Stream sound in `pieces`."""

    def reply(exchange: Exchange) -> None:
        exchange.start(content_type)
        for piece in pieces:
            exchange.piece(piece)
        if cut:
            exchange.cut()
        else:
            exchange.finish_body()

    return reply


def voices(*pages: Sequence[tuple[str, str]]) -> Reply:
    """List voices (id, name), a page for each request."""

    def reply(exchange: Exchange) -> None:
        number = sum("/v2/voices" in asked.path for asked in exchange.far_end.asked) - 1
        rows = [{"voice_id": key, "name": name, "labels": {"language": "en"}} for key, name in pages[number]]
        more = number + 1 < len(pages)
        token = f"page-{number + 1}" if more else None
        exchange.send_json({"voices": rows, "has_more": more, "total_count": 3, "next_page_token": token})

    return reply
