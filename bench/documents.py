"""How a folder of real files ends: processed, or failed with a stable code; and which worker it cost.

    python -m bench.documents FOLDER

The embedding model is faked (bench.ingest), so that the readers are what is measured.
"""

import argparse
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

from bench.figures import load, table
from bench.ingest import FakeEmbeddings
from deploy.ephemeral import ephemeral_stack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeEmbeddings)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "AURA_EMBEDDER": "custom",
        "AURA_EMBEDDING_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1",
        "AURA_EMBEDDING_MODEL": "fake-384",
    }
    rows = []
    with ephemeral_stack(settings) as stack:
        workers = {process.pid for process in stack.workers()}
        for path in sorted(path for path in args.folder.iterdir() if path.is_file()):
            began = time.monotonic()
            answer = stack.upload(path.name, path.read_bytes(), wait_s=300)
            body = answer.json()
            found = body.get("document", {})
            ended = f"{found.get('chunks')} chunks" if answer.status_code == 200 else f"{body.get('code')}"
            rows.append([path.name, str(answer.status_code), ended, f"{time.monotonic() - began:.1f}"])
        lost = workers - {process.pid for process in stack.workers()}
    print(table(["file", "status", "ended", "s"], rows))
    print(f"workers lost: {len(lost)}; load {load()}")


if __name__ == "__main__":
    main()
