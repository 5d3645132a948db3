"""How long a queued hop takes: from sending a task to its first line, in a worker of its own process.

    python -m bench.hop [--hops 2000] [--pool threads|prefork] [--events]

`--events` sends the task events that Flower turns on while it watches.

Beside it, in the same run, the floor: the same bytes through LPUSH and BRPOP between two processes.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import load, row, table
from deploy.places import places
from deploy.postgres import remove
from deploy.services import services
from schemas.settings import Settings, get_settings

PAUSE_S = 0.005


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hops", type=int, default=2000)
    parser.add_argument("--pool", choices=["threads", "prefork"], default="threads")
    parser.add_argument("--events", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        data_dir = Path(folder)
        with services(data_dir, Settings(data_dir=data_dir, _env_file=None)) as (_, app_url, redis_url):
            os.environ.update(AURA_DATA_DIR=folder, AURA_DATABASE_URL=app_url, AURA_REDIS_URL=redis_url)
            get_settings.cache_clear()
            before = load()
            hops = celery_hops(args.hops, args.pool, args.events)
            floor = bare_hops(args.hops, redis_url)
        remove(places(data_dir))
    print(table(["ms", "p50", "p95", "p99", "max"], [row("celery hop", hops), row("LPUSH → BRPOP", floor)]))
    print(f"{args.hops} hops, {args.pool} pool{', events' * args.events}, load {before} → {load()}")


def celery_hops(count: int, pool: str, events: bool) -> list[float]:
    """Return the milliseconds of `count` hops sent one by one to an idle worker."""
    from bench.hop_worker import KEY, QUEUE, hop  # Reads the settings, which name servers that run by now.
    from pipelines.stores.redis import get_redis

    command = [sys.executable, "-m", "celery", "-A", "bench.hop_worker", "worker", "-Q", QUEUE, "-P", pool, "-c", "2"]
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "error"] + ["-E"] * events
    worker = subprocess.Popen([*command, *quiet])
    client = get_redis()
    try:
        for wanted, number in ((50, 50), (50 + count, count)):
            for _ in range(number):
                hop.apply_async((time.monotonic_ns(),), queue=QUEUE)
                time.sleep(PAUSE_S)
            while int(client.llen(KEY)) < wanted:
                if worker.poll() is not None:
                    raise SystemExit("the worker ended; nothing was measured")
                time.sleep(PAUSE_S)
        return [int(value) / 1e6 for value in client.lrange(KEY, 50, -1)]
    finally:
        worker.terminate()
        worker.wait(20)


def bare_hops(count: int, redis_url: str) -> list[float]:
    """Return the milliseconds of `count` hops through a plain list."""
    from pipelines.stores.redis import open_redis

    client = open_redis(redis_url)
    reader = multiprocessing.get_context("spawn").Process(target=_read, args=(redis_url, count))
    reader.start()
    while not client.get("aura:bench:reading"):
        time.sleep(PAUSE_S)
    for _ in range(count):
        client.lpush("aura:bench:bare", time.monotonic_ns())
        time.sleep(PAUSE_S)
    reader.join()
    return [int(value) / 1e6 for value in client.lrange("aura:bench:bare:hops", 0, -1)]


def _read(redis_url: str, count: int) -> None:
    from pipelines.stores.redis import open_redis

    client = open_redis(redis_url)
    client.set("aura:bench:reading", 1)
    hops = []
    for _ in range(count):
        found = client.brpop(["aura:bench:bare"])
        hops.append(time.monotonic_ns() - int(found[1]))
    client.rpush("aura:bench:bare:hops", *hops)


if __name__ == "__main__":
    main()
