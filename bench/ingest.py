"""How long a document takes until it is searchable, and how evenly its progress moves.

    python -m bench.ingest FILE [--faked]

`--faked` puts an embedding server of fixed answers in place of the model, so that what is left is
AURA's own. Beside it, in the same run: pypdfium2 alone reading the text of the same PDF.
"""

import argparse
import base64
import itertools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from bench.figures import load
from deploy.ephemeral import ephemeral_stack, wait_until

WIDTH = 384


class FakeEmbeddings(BaseHTTPRequestHandler):
    """Speaks OpenAI's embeddings endpoint; the same text has the same unit vector."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        data = []
        for index, text in enumerate(texts):
            vector = np.random.default_rng(abs(hash(text))).normal(size=WIDTH).astype("<f4")
            vector /= np.linalg.norm(vector)
            packed = base64.b64encode(vector.tobytes()).decode()
            data.append(
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": packed if asked.get("encoding_format") == "base64" else vector.tolist(),
                }
            )
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        body = json.dumps({"object": "list", "data": data, "model": asked["model"], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing a request."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--faked", action="store_true")
    args = parser.parse_args()
    settings = {}
    if args.faked:
        server = ThreadingHTTPServer(("127.0.0.1", 0), FakeEmbeddings)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = {
            "AURA_EMBEDDER": "custom",
            "AURA_EMBEDDING_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1",
            "AURA_EMBEDDING_MODEL": "fake-384",
        }
    alone = pdfium_alone(args.file)
    with ephemeral_stack(settings) as stack:
        before, began = load(), time.monotonic()
        job = stack.upload(args.file.name, args.file.read_bytes()).json()["job_id"]
        seen: list[tuple[float, tuple[object, ...]]] = []

        def done() -> bool:
            view = stack.document(job)
            state = (view["status"], view["stage"], view["done"], view["total"])
            if not seen or seen[-1][1] != state:
                seen.append((time.monotonic() - began, state))
            return view["status"] in ("processed", "failed")

        wait_until(done, 900, "the document ends")
        view = stack.document(job)
        memory = stack.memory_mib()
    total = seen[-1][0]
    gaps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(seen)]
    print(f"{args.file.name}: {view['status']} {view['detail'] or ''} {view['chunks']} chunks, {total:.1f} s")
    print(f"progress moved {len(gaps)} times, longest stand-still {max(gaps):.1f} s; memory {memory:.0f} MiB")
    for stage in dict.fromkeys(state[1] for _, state in seen if state[1]):
        moments = [at for at, state in seen if state[1] == stage]
        print(f"  {stage}: {min(moments):.1f} … {max(moments):.1f} s")
    if alone:
        print(f"pypdfium2 alone: {alone:.1f} s, ratio {total / alone:.1f}")
    print(f"load {before} → {load()}")


def pdfium_alone(path: Path) -> float | None:
    """Return the seconds pypdfium2 takes for the plain text of all pages; None for other formats."""
    if path.suffix != ".pdf":
        return None
    import pypdfium2

    began = time.monotonic()
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            page.get_textpage().get_text_bounded()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
