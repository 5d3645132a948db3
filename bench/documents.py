"""How a folder of real files ends: processed, or failed with a stable code; and which worker it cost.

    python -m bench.documents [FOLDER]

The embedding model is faked, so that the readers are what is measured.
"""

import argparse
import time
from pathlib import Path

from bench.fake_embeddings import FakeEmbedder
from bench.figures import load, table
from deploy.ephemeral import ephemeral_stack
from deploy.places import REPO


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=REPO / "docs" / "samples")
    args = parser.parse_args()
    rows = []
    with FakeEmbedder() as fake, ephemeral_stack(fake.settings) as stack:
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
