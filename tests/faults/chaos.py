"""What goes wrong with a stack's processes, on purpose."""

import contextlib
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psutil
import psycopg
import redis

from deploy.ephemeral import Stack, queue_of

STUCK_S = 120.0

T = TypeVar("T")

SERVERS = {"postgres": "bin/postgres", "valkey": "bin/valkey-server"}


@dataclass
class Killer:
    """Kills a random worker process, pool children included, every `every_s` seconds while the block runs."""

    stack: Stack
    seed: str
    every_s: float = 2.0
    killed: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def at_work(self) -> Iterator["Killer"]:
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join(30)

    def _run(self) -> None:
        rng = random.Random(self.seed)
        at = time.monotonic()
        while not self._over.wait(max(0.0, (at := at + self.every_s) - time.monotonic())):
            with contextlib.suppress(psutil.Error, IndexError, ValueError):
                victim = rng.choice(self.stack.workers())
                queue, is_child = queue_of(victim.cmdline()), "-Q" in psutil.Process(victim.ppid()).cmdline()
                victim.kill()
                self.killed.append(f"{queue} (child)" if is_child else queue)


def kill(stack: Stack, queue: str) -> None:
    """Kill a worker of the queue: of a pool's processes its last child."""
    stack.workers(queue)[-1].kill()


def server(stack: Stack, name: str) -> psutil.Process:
    """Return the process of a server that the launcher started."""
    for process in stack.launcher_process().children():
        with contextlib.suppress(psutil.Error):
            if SERVERS[name] in " ".join(process.cmdline()):
                return process
    raise AssertionError(f"{name} does not run")


def empty_redis(stack: Stack) -> None:
    """Forget everything that is in Redis: messages, events, counters."""
    redis.Redis.from_url(stack.runtime()["AURA_REDIS_URL"]).flushall()


def kill_valkey(stack: Stack) -> None:
    server(stack, "valkey").kill()


def restart_postgres(stack: Stack) -> None:
    """End Postgres in order; the supervisor starts it again."""
    server(stack, "postgres").send_signal(signal.SIGINT)


def kill_postgres(stack: Stack) -> None:
    """Kill the postmaster, as if the machine's memory had run out: what was not on the disk is lost."""
    server(stack, "postgres").kill()


def when_back(ask: Callable[[psycopg.Connection[Any]], T], stack: Stack, within_s: float = 60) -> T:
    """Return what `ask` returns of the database, asked again while Postgres is away."""
    until = time.monotonic() + within_s
    while True:
        try:
            with stack.database() as connection:
                return ask(connection)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            threading.Event().wait(0.2)


def one_after_another(
    faults: Sequence[Callable[[Stack], None]], stack: Stack, progress: Callable[[], float]
) -> list[str]:
    """Cause the faults at even distances of the `progress` (0 to 1) and return their names once all are caused.

    Raises TimeoutError where nothing moves for STUCK_S.
    """
    caused = []
    seen, moved_at = 0.0, time.monotonic()
    for number, fault in enumerate(faults, 1):
        while (done := progress()) < number / (len(faults) + 1) and done < 1:
            if done != seen:
                seen, moved_at = done, time.monotonic()
            if time.monotonic() - moved_at > STUCK_S:
                raise TimeoutError(f"stuck at {done:.0%}")
            threading.Event().wait(0.1)
        fault(stack)
        caused.append(f"{fault.__name__} at {done:.0%}")
    return caused


@contextlib.contextmanager
def frozen(stack: Stack, *queues: str) -> Iterator[None]:
    """Stop the workers of these queues where they stand, until the block ends."""
    processes = [process for queue in queues for process in stack.workers(queue)]
    _signal(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(processes, signal.SIGCONT)


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def holder(connection: psycopg.Connection[Any], doc_id: str, stage: str) -> int | None:
    """Return the process that works on this stage of the document just now."""
    row = connection.execute(
        "SELECT worker FROM document_stages WHERE doc_id = %s AND stage = %s AND status = 'running'"
        " AND lease_until > now()",
        (doc_id, stage),
    ).fetchone()
    return int(row[0].rpartition(":")[2]) if row else None


def caught(connection: psycopg.Connection[Any], doc_id: str, stage: str, within_s: float = 30) -> int | None:
    """Return the process that works on this stage as soon as one does; None where the stage is over already."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if (found := holder(connection, doc_id, stage)) is not None:
            return found
        done = connection.execute(
            "SELECT 1 FROM document_stages WHERE doc_id = %s AND stage = %s AND status = 'processed'", (doc_id, stage)
        ).fetchone()
        if done:
            return None
    raise TimeoutError(f"{stage} of {doc_id} was not begun")
