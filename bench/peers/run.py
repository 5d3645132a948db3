"""Runs a peer over files and prints, as JSON, how long it took; by the interpreter of `.venv-peers`.

    python run.py llama_index|haystack --embedder URL --database URL --workers N [--files FILE…]

Without files it reads texts as JSON from its standard input: small documents. Each worker is a process with
everything loaded and its table made before the clock starts; files are handed out one by one.
"""

import argparse
import importlib
import json
import multiprocessing
import os
import queue
import sys
import time
from pathlib import Path

NICE = 10
"""The rank of AURA's workers."""

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["llama_index", "haystack"])
    parser.add_argument("--embedder", required=True)
    parser.add_argument("--database", default="", help="Where it stores; in its own memory where none is given.")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--files", nargs="*", default=[])
    given = parser.parse_args()
    work = list(given.files) or [json.load(sys.stdin)]
    context = multiprocessing.get_context("spawn")
    todo, ready, ended = context.Queue(), context.Queue(), context.Queue()
    asked = (given.peer, given.embedder, given.database, todo, ready, ended)
    workers = [context.Process(target=worker, args=(number, *asked)) for number in range(given.workers)]
    # The first makes the table; the others would race it there.
    for process in workers:
        process.start()
        result(ready, workers)
    began = time.monotonic()
    for one in [*work, *([None] * given.workers)]:
        todo.put(one)
    found = [result(ended, workers) for _ in workers]
    took_s = time.monotonic() - began
    for process in workers:
        process.join()
    print(json.dumps({"seconds": took_s, "chunks": sum(n for n, _ in found), "cpu_s": sum(s for _, s in found)}))


def result(of, workers):
    """Return what comes next of a queue. Ends the program where a worker has died."""
    while True:
        try:
            return of.get(timeout=1)
        except queue.Empty:
            if any(process.exitcode for process in workers):
                for process in workers:
                    process.kill()
                raise SystemExit("A worker has died.") from None


def worker(number, peer, embedder, database, todo, ready, ended) -> None:
    """Take in what is handed out, until nothing is left."""
    os.nice(NICE)
    module = importlib.import_module(f"peer_{peer}")
    ingest = module.prepared(embedder, database)
    ingest(["Something to warm up with."])
    ready.put(number)
    before, count = time.process_time(), 0
    while (one := todo.get()) is not None:
        count += ingest(Path(one) if isinstance(one, str) else one)
    ended.put((count, time.process_time() - before))


if __name__ == "__main__":
    main()
