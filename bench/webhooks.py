"""How fast webhooks reach a live receiver, and whether one that is slow delays another.

    python -m bench.webhooks --events 10000

A stack of its own delivers by its own worker, as in operation. The receiver is a process of its own; it
answers at once and keeps what it got, which is then counted and verified by the reference library. Beside
it, in the same run: single events to a fast receiver while nothing else happens, and while another
receiver answers each of its events after 15 s.
"""

import argparse
import asyncio
import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from statistics import median
from typing import Any
from uuid import UUID

from standardwebhooks.webhooks import Webhook

from bench.figures import load, row, table
from deploy.ephemeral import Stack, ephemeral_stack, wait_until
from pipelines.stores import webhooks
from pipelines.stores.database import tenant_session
from schemas.events import Event, EventName, Subject
from schemas.settings import get_settings
from schemas.tables.base import DEFAULT_TENANT_ID

SLOW_S = 15.0
SINGLES = 40
BATCH = 500
TENANT = UUID(DEFAULT_TENANT_ID)


class Receiver:
    """A receiver in a process of its own."""

    def __init__(self, answer_after_s: float = 0.0) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=receive, args=(there, answer_after_s), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{self._here.recv()}/hook"

    def asked(self, what: str) -> Any:
        """Return `count`, or `all`: (moment, headers, body) of each request."""
        self._here.send(what)
        return self._here.recv()

    def stop(self) -> None:
        self._process.kill()
        self._process.join()


def receive(asking: Connection, answer_after_s: float) -> None:
    """Answer webhooks, and questions about them, for ever."""
    taken: list[tuple[float, dict[str, str], bytes]] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:-2]
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}
                body = await reader.readexactly(int(headers["content-length"]))
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            taken.append((time.time(), headers, body))
            await asyncio.sleep(answer_after_s)
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    def answer() -> None:
        asking.send(len(taken) if asking.recv() == "count" else taken)

    async def serve() -> None:
        server = await asyncio.start_server(converse, "127.0.0.1", 0, backlog=1024)
        asking.send(server.sockets[0].getsockname()[1])
        asyncio.get_running_loop().add_reader(asking.fileno(), answer)
        await server.serve_forever()

    asyncio.run(serve())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000)
    given = parser.parse_args()
    fast, slow = Receiver(), Receiver(SLOW_S)
    try:
        with ephemeral_stack({"AURA_OUTBOUND_ALLOW": "127.0.0.1/32"}) as stack:
            os.environ |= stack.runtime()
            get_settings.cache_clear()
            throughput(stack, fast, given.events)
            beside_a_slow_one(stack, slow)
    finally:
        fast.stop()
        slow.stop()


def throughput(stack: Stack, receiver: Receiver, events: int) -> None:
    """Deliver many events to one receiver, and count and verify what has come."""
    made = add_endpoint(stack, receiver, "document.*")
    before, began = load(), time.time()
    for first in range(0, events, BATCH):
        happen(EventName.DOCUMENT_PROCESSED, range(first, min(events, first + BATCH)))
    written_s = time.time() - began
    wait_until(lambda: receiver.asked("count") >= events, 600, "all events have arrived")
    taken = receiver.asked("all")
    total_s = taken[-1][0] - began
    verifier = Webhook(made["secret"])
    numbers = {verifier.verify(body, headers)["data"]["number"] for _, headers, body in taken}
    print(f"{events} events: {len(taken)} requests, {len(numbers)} different ones verified by the reference library,")
    print(f"{events - len(numbers)} missing; {total_s:.1f} s, {events / total_s:.0f} a second from the first commit on")
    print(f"(all were written after {written_s:.1f} s). Load {before} → {load()}.\n")
    stack.client.delete(f"/api/webhooks/{made['id']}").raise_for_status()


def beside_a_slow_one(stack: Stack, slow: Receiver) -> None:
    """Measure single events to a fast receiver, alone and beside one whose 200 events take 15 s each."""
    fast, took = Receiver(), dict[str, list[float]]()
    add_endpoint(stack, fast, "document.*")
    add_endpoint(stack, slow, "lead.*")
    single(fast)  # The first one opens the connection and shows that the endpoint is fast.
    took["idle"] = [single(fast) for _ in range(SINGLES)]
    happen(EventName.LEAD_CAPTURED, range(200))
    wait_until(lambda: slow.asked("count") > 0, 30, "the slow receiver has its first event")
    took["beside a slow one"] = [single(fast) for _ in range(SINGLES)]
    fast.stop()
    print(table(["ms from commit to receiver", "p50", "p95", "p99", "max"], [row(*each) for each in took.items()]))
    middle = [median(found) for found in took.values()]
    print(f"\nRatio of the medians {middle[1] / middle[0]:.2f}; the slow one had {slow.asked('count')} requests.")


def single(receiver: Receiver) -> float:
    """Return the milliseconds from an event's commit to its arrival."""
    before, began = receiver.asked("count"), time.time()
    happen(EventName.DOCUMENT_PROCESSED, range(1))
    wait_until(lambda: receiver.asked("count") > before, 30, "the event has arrived")
    return float(receiver.asked("all")[-1][0] - began) * 1000


def add_endpoint(stack: Stack, receiver: Receiver, events: str) -> dict[str, Any]:
    """Return a new endpoint of the receiver, with its secret."""
    response = stack.client.post("/api/webhooks", json={"url": receiver.url, "events": [events]})
    made: dict[str, Any] = response.raise_for_status().json()
    return made


def happen(name: EventName, numbers: range) -> None:
    """Write events in one transaction, and wake the worker, as every part of AURA does."""
    from workers import send  # Reads where the broker is when it is imported.

    events = [Event(name, Subject.tenant(TENANT), {"number": number}) for number in numbers]
    with tenant_session(TENANT) as session:
        owed = webhooks.enqueue(session, TENANT, events)
    assert owed == len(events)
    send.webhooks(TENANT)


if __name__ == "__main__":
    main()
