"""An embedding server of one answer, in a process of its own: what is measured beside it is not the model.

It speaks OpenAI's wire format. Its only vector is made beforehand, so that a request costs it the reading of
the texts, and the same for whoever asks.
"""

import base64
import functools
import json
import multiprocessing
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, ClassVar

import numpy as np
import psutil

WIDTH = 384
VECTOR = np.full(WIDTH, WIDTH**-0.5, "<f4")
PACKED = base64.b64encode(VECTOR.tobytes()).decode()
MODEL = "fake-384"


class FakeEmbeddings(BaseHTTPRequestHandler):
    """Answers each text with the same unit vector, and counts requests and texts by the server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # Head and body leave in one packet.
    asked: ClassVar = {"requests": 0, "texts": 0}

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        count = len(asked["input"]) if isinstance(asked["input"], list) else 1
        self.asked["requests"] += 1
        self.asked["texts"] += count
        body = answer(count, asked.get("encoding_format") == "base64", asked["model"])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing a request."""


@functools.lru_cache(maxsize=256)
def answer(count: int, packed: bool, model: str) -> bytes:
    """Return the body of a reply of `count` vectors."""
    vector: Any = PACKED if packed else VECTOR.tolist()
    data = [{"object": "embedding", "index": index, "embedding": vector} for index in range(count)]
    usage = {"prompt_tokens": count, "total_tokens": count}
    return json.dumps({"object": "list", "data": data, "model": model, "usage": usage}).encode()


class FakeEmbedder:
    """The server while the block runs, and the settings with which AURA asks it."""

    def __enter__(self) -> "FakeEmbedder":
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there,), daemon=True)
        self._process.start()
        there.close()
        self.url = f"http://127.0.0.1:{self._here.recv()}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of a stack that embeds here."""
        return {
            "AURA_EMBEDDER": "custom",
            "AURA_EMBEDDING_BASE_URL": self.url,
            "AURA_EMBEDDING_MODEL": MODEL,
        }

    def asked(self) -> dict[str, int]:
        """Return how many `requests` and `texts` have come since this was last asked."""
        self._here.send("asked")
        found: dict[str, int] = self._here.recv()
        return found

    def cpu_s(self) -> float:
        """Return the processor seconds that the server has used."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)


def _serve(asking: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeEmbeddings)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    asking.send(server.server_port)
    while True:
        asking.recv()
        asking.send(dict(FakeEmbeddings.asked))
        FakeEmbeddings.asked.update(requests=0, texts=0)
