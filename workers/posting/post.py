"""The post of a worker process: one event loop that sends hundreds of webhooks at a time.

A receiver that is slow costs a place and no thread. Places are bounded, and endpoints that are slow, or of
which nothing is known yet, have half of them at most.
"""

import asyncio
import contextlib
import math
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

import structlog

from pipelines import outbound
from pipelines.outbound.addresses import Allowed
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.webhooks import work
from pipelines.stores.webhooks.work import Claimed, Try
from pipelines.webhooks.schedule import SLOW_S
from schemas.errors.tree import AuraError
from workers import announce, send
from workers.posting.tries import broken, tried

log = structlog.get_logger()

PLACES = 256
"""Deliveries that one process holds at once."""

SLOW_PLACES = PLACES // 2
SLOW_EACH = 4
"""Tries at once for a slow endpoint, so that the slow half is shared by many."""

GATHER_S = 0.01
"""For so long results are gathered that are then written in one transaction."""

CLOSE_S = 6.0
DATABASE_THREADS = 4

Value = TypeVar("Value")


class Post:
    """Runs the loop in a thread of its own from the first nudge on, until it is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._round: _Round | None = None

    def nudge(self) -> None:
        """Look for what is due, now."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._round = _Round()
                self._thread = threading.Thread(target=self._round.run, daemon=True, name="post")
                self._thread.start()
            assert self._round is not None
            self._round.nudge()

    def close(self) -> None:
        """Take nothing more, and wait a while for what is on its way."""
        with self._lock:
            if self._thread is not None and self._round is not None:
                self._round.stop()
                self._thread.join(CLOSE_S + 1)


@dataclass
class _Held:
    """A delivery that is held, and since when it is under way: not yet, while it waits for a place of its endpoint."""

    claimed: Claimed
    since: float = math.inf


@dataclass
class _Lane:
    """The places of one endpoint, and how many deliveries have or want one."""

    places: asyncio.Semaphore
    users: int = 0


class _Round:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._threads = ThreadPoolExecutor(DATABASE_THREADS, "post-db")
        self._nudged, self._ended, self._stopping = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._name = uuid4()
        self._held: dict[UUID, _Held] = {}
        self._lanes: dict[UUID, _Lane] = {}
        self._results: list[Try] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._run())

    def nudge(self) -> None:
        with contextlib.suppress(RuntimeError):  # It has just ended; the next nudge begins anew.
            self._loop.call_soon_threadsafe(self._nudged.set)

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._loop.call_soon_threadsafe(self._nudged.set)

    async def _run(self) -> None:
        self._allowed: Allowed = outbound.allowed_here()
        async with outbound.Client(self._allowed) as self._client:
            recorder = asyncio.create_task(self._record_results())
            while not self._stopping.is_set():
                await self._nudged.wait()
                self._nudged.clear()
                if not self._stopping.is_set():
                    await self._guarded(self._take())
            self._ended.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await recorder

    async def _guarded(self, act: Any) -> None:
        """Let nothing that goes wrong end the loop: leases run out, and beat asks again."""
        try:
            await act
        except AuraError as error:
            log.warning("post stopped short", code=error.code, detail=error.detail)
        except Exception:
            log.exception("post broke")

    async def _in_thread(self, act: Callable[[], Value]) -> Value:
        return await self._loop.run_in_executor(self._threads, act)

    async def _take(self) -> None:
        """Lease what is due and there are places for, and set it going."""
        free = PLACES - len(self._held)
        if free <= 0:
            return
        due = await self._in_thread(partial(_take_due, self._name, free, SLOW_PLACES - self._slow()))
        if due:
            await asyncio.gather(*(self._start(tenant_id, ids) for tenant_id, ids in due.items()))

    def _slow(self) -> int:
        """Return how many places are held by endpoints that are slow, or turn out to be so right now."""
        now = self._loop.time()
        return sum(held.claimed.is_slow or now - held.since > SLOW_S for held in self._held.values())

    async def _start(self, tenant_id: UUID, delivery_ids: list[UUID]) -> None:
        for claimed in await self._in_thread(partial(_load, self._name, tenant_id, delivery_ids)):
            if claimed.delivery_id not in self._held:  # Else its lease ran out under us, and it is still on its way.
                self._held[claimed.delivery_id] = _Held(claimed)
                task = asyncio.create_task(self._try(claimed))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _try(self, claimed: Claimed) -> None:
        try:
            async with self._lane(claimed):
                self._held[claimed.delivery_id].since = self._loop.time()
                result = await tried(self._client, self._allowed, claimed)
            self._results.append(result)
        except Exception:
            log.exception("try broke", delivery=str(claimed.delivery_id))
            self._results.append(broken(claimed))
        finally:
            del self._held[claimed.delivery_id]
            self._ended.set()

    @contextlib.asynccontextmanager
    async def _lane(self, claimed: Claimed) -> AsyncIterator[None]:
        """Hold one of the places that the delivery's endpoint has."""
        places = claimed.endpoint.max_in_flight
        lane = self._lanes.setdefault(claimed.endpoint_id, _Lane(asyncio.Semaphore(places)))
        lane.users += 1
        try:
            async with lane.places:
                yield
        finally:
            lane.users -= 1
            if not lane.users:
                del self._lanes[claimed.endpoint_id]

    async def _record_results(self) -> None:
        """Write down how tries end, until the post is closed and the last of them is written."""
        while not self._stopping.is_set() or self._held or self._results:
            await self._ended.wait()
            await asyncio.sleep(GATHER_S)
            self._ended.clear()
            results, self._results = self._results, []
            by_tenant: dict[UUID, list[Try]] = {}
            for each in results:
                by_tenant.setdefault(each.claimed.tenant_id, []).append(each)
            writes = (self._guarded(self._in_thread(partial(_record, *item))) for item in by_tenant.items())
            await asyncio.gather(*writes)
            self._nudged.set()  # Places have become free, here and at the endpoints.


def _take_due(taker: UUID, at_most: int, slow_at_most: int) -> dict[UUID, list[UUID]]:
    with operator_session() as session:
        return work.take_due(session, taker, at_most, slow_at_most, SLOW_EACH)


def _load(taker: UUID, tenant_id: UUID, delivery_ids: list[UUID]) -> list[Claimed]:
    with tenant_session(tenant_id, durable=False) as session:
        return work.load(session, taker, delivery_ids)


def _record(tenant_id: UUID, tries: list[Try]) -> None:
    """Write results down. What a crash of the server loses is delivered once more."""
    with tenant_session(tenant_id, durable=False) as session:
        disabled = work.record(session, tenant_id, tries)
    for each in disabled:
        announce.many([each.event])  # Its deliveries were owed with the results.
        for mail_id in each.mail_ids:
            send.mail(tenant_id, mail_id)
        send.webhooks(tenant_id)
