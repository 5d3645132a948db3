"""An embedding server that fails as it is told: OpenAI's wire format, and whatever real ones break it with."""

import base64
import hashlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

WIDTH = 384
MODEL = "fake-384"
UNSPEAKABLE = "unspeakable"


@dataclass(frozen=True)
class Asked:
    """A request: when it came (monotonic seconds), its texts, and how it was met."""

    at: float
    texts: list[str]
    met: str


@dataclass
class Provider:
    """What the server does next, and what it was asked. `how` is one of MANNERS."""

    url: str
    how: str = "well"
    delay_s: float = 0.0
    retry_after_s: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def settings(self) -> dict[str, str]:
        """Return the settings that lead a stack here."""
        return {
            "AURA_EMBEDDER": "custom",
            "AURA_EMBEDDING_BASE_URL": f"{self.url}/v1",
            "AURA_EMBEDDING_MODEL": MODEL,
        }

    def note(self, texts: list[str], met: str) -> None:
        with self.changed:
            self.asked.append(Asked(time.monotonic(), texts, met))
            self.changed.notify_all()

    def await_asked(self, met: str, times: int = 1, within_s: float = 60) -> list[Asked]:
        """Return the requests that were met so, once there are so many."""

        def there() -> list[Asked]:
            return [one for one in self.asked if one.met == met]

        with self.changed:
            assert self.changed.wait_for(lambda: len(there()) >= times, within_s), f"no {times} requests met {met}"
            return there()

    def await_some(self, times: int, within_s: float = 60) -> None:
        """Return once there were so many requests, however they were met."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.asked) >= times, within_s), f"no {times} requests"

    def be(self, how: str, **facts: float) -> None:
        """Meet requests so from now on, and forget those before."""
        with self.changed:
            self.how, self.asked = how, []
            self.retry_after_s = facts.get("retry_after_s", 0.0)


def vector(text: str) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Return the unit vector of a text, the same for the same text in every process."""
    seed = int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big")
    found = np.random.default_rng(seed).normal(size=WIDTH).astype("<f4")
    return found / np.linalg.norm(found)


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        how = self.provider.how
        if self.provider.delay_s:
            time.sleep(self.provider.delay_s)
        self.provider.note(texts, how)
        MANNERS[how](self, texts, asked.get("encoding_format") == "base64")

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing a request."""


def _vectors(texts: list[str], packed: bool, width: int = WIDTH) -> bytes:
    found = [vector(text)[:width] for text in texts]
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(one.tobytes()).decode() if packed else one.tolist(),
        }
        for index, one in enumerate(found)
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return json.dumps({"object": "list", "data": data, "model": MODEL, "usage": usage}).encode()


def _well(answers: _Answers, texts: list[str], packed: bool) -> None:
    answers.reply(200, _vectors(texts, packed))


def _limited(answers: _Answers, _texts: list[str], _packed: bool) -> None:
    body = {"error": {"message": "Slow down.", "type": "requests", "code": "rate_limit_exceeded"}}
    answers.reply(429, json.dumps(body).encode(), Retry_After=f"{answers.provider.retry_after_s:g}")


def _broken(answers: _Answers, _texts: list[str], _packed: bool) -> None:
    answers.reply(500, b'{"error": {"message": "Internal error."}}')


def _silent(answers: _Answers, _texts: list[str], _packed: bool) -> None:
    answers.provider.hold.wait(30)
    answers.close_connection = True


def _choosy(answers: _Answers, texts: list[str], packed: bool) -> None:
    """Refuse a request for what is in one of its texts."""
    if any(UNSPEAKABLE in text for text in texts):
        answers.reply(400, b'{"error": {"message": "This input is not allowed.", "type": "invalid_request_error"}}')
    else:
        _well(answers, texts, packed)


def _held(answers: _Answers, texts: list[str], packed: bool) -> None:
    """Answer well, but not before the test says so."""
    answers.provider.hold.wait(60)
    _well(answers, texts, packed)
    answers.provider.note(texts, "let go")


def _fewer(answers: _Answers, texts: list[str], packed: bool) -> None:
    answers.reply(200, _vectors(texts[: len(texts) // 2] or [], packed))


def _cut(answers: _Answers, texts: list[str], packed: bool) -> None:
    whole = _vectors(texts, packed)
    answers.reply(200, whole[: len(whole) // 2])


def _hung_up(answers: _Answers, texts: list[str], packed: bool) -> None:
    """Promise more bytes than are sent."""
    whole = _vectors(texts, packed)
    answers.send_response(200)
    answers.send_header("Content-Type", "application/json")
    answers.send_header("Content-Length", str(len(whole)))
    answers.end_headers()
    answers.wfile.write(whole[: len(whole) // 2])
    answers.close_connection = True


def _narrow(answers: _Answers, texts: list[str], packed: bool) -> None:
    answers.reply(200, _vectors(texts, packed, WIDTH // 2))


def _reset(answers: _Answers, _texts: list[str], _packed: bool) -> None:
    answers.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    answers.connection.close()
    answers.close_connection = True


MANNERS: dict[str, Callable[[_Answers, list[str], bool], None]] = {
    "well": _well,
    "limited": _limited,
    "broken": _broken,
    "silent": _silent,
    "held": _held,
    "choosy": _choosy,
    "fewer": _fewer,
    "cut": _cut,
    "hung_up": _hung_up,
    "narrow": _narrow,
    "reset": _reset,
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A client that hung up is no news."""


@contextmanager
def provider() -> Iterator[Provider]:
    """Yield a server of its own."""
    server = _Server(("127.0.0.1", 0), _Answers)
    found = Provider(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = type("Answers", (_Answers,), {"provider": found})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        found.hold.set()
        server.shutdown()
        server.server_close()
