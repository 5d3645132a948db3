"""How many voice sessions a web process takes: one too many is refused at once, so that the open ones stay fast."""

import os
import random
import threading
import time
from collections.abc import Callable
from functools import lru_cache

import redis

from api.live.mailbox import Mailbox
from api.live.process import seats
from pipelines import providers
from pipelines.stores.events import reaching_redis
from pipelines.stores.redis import get_redis
from schemas.errors.providers import StoreUnavailable, TooBusy
from schemas.settings import Settings, get_settings
from workers.process import metrics
from workers.process.presence import live_queues

PER_CORE = 64
"""Sessions a processor serves whose providers are elsewhere: 0.35 s of it a turn, a turn every 20 s or so, and room."""

PER_CORE_LOCAL = 6
"""The same where listening or speaking runs here: some 1.5 s of processor a turn."""

BACKLOG = 8
"""Voice work that waits, a processor: beyond it whoever is here waits already, and nobody else is let in."""

RETRY_S = (10.0, 20.0)
"""When one who was refused is asked to come back: not all at the same moment."""

LOOK_EVERY_S = 1.0
VOICE_QUEUES = ("transcribe", "generate", "synthesize")


class Admission:
    """At most `limit` voice sessions at once, and none while `backlog()` says that too much waits."""

    def __init__(self, limit: int, backlog: Callable[[], bool]) -> None:
        self.limit = limit
        self._backlog = backlog
        self._lock = threading.Lock()
        self._open = 0

    def enter(self) -> Callable[[], None]:
        """Take a place for a session and return what gives it back, once. Raises TooBusy with a time to come back."""
        behind = self._backlog()
        with self._lock:
            if behind or self._open >= self.limit:
                metrics.refused(TooBusy.code)
                raise TooBusy(FULL if not behind else BEHIND, retry_after_s=random.uniform(*RETRY_S))
            self._open += 1
        metrics.opened()
        given_back = threading.Event()

        def leave() -> None:
            with self._lock:
                if not given_back.is_set():
                    given_back.set()
                    self._open -= 1

        return leave

    def open(self) -> int:
        """Return how many sessions are open."""
        with self._lock:
            return self._open


FULL = "As many voice sessions are open as this machine can serve well. Try again in a moment; text still works."
BEHIND = "This machine is behind with its voice work. Try again in a moment; text still works."


def take_voice_seat(mailbox: Mailbox) -> Callable[[], None]:
    """Seat the client of a voice socket and return what gives its place back. Raises TooBusy."""
    leave = admission().enter()
    try:
        give_back = seats().take(mailbox)
    except TooBusy:
        leave()
        metrics.refused("no_seat")
        raise

    def both() -> None:
        give_back()
        leave()

    return both


@lru_cache
def admission() -> Admission:
    """Return this process's admission."""
    settings = get_settings()
    return Admission(limit(settings, cores()), Backlog(cores()))


def limit(settings: Settings, processors: int) -> int:
    """Return how many voice sessions are taken: what is set, else by the processors and what runs on them."""
    if settings.max_voice_sessions:
        return settings.max_voice_sessions
    heavy = {"transcriber", "speaker"}
    local = any(offer.chosen and offer.local for offer in providers.offers(settings) if offer.kind in heavy)
    return processors * (PER_CORE_LOCAL if local else PER_CORE)


def cores() -> int:
    """Return how many processors this process may use."""
    # Not everywhere: macOS has no affinity.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Backlog:
    """Whether more voice work waits in a queue than `BACKLOG` a processor; asks Redis at most once a second."""

    def __init__(self, processors: int) -> None:
        self._most = BACKLOG * processors
        self._looked_at = -LOOK_EVERY_S
        self._behind = False

    def __call__(self) -> bool:
        if time.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            try:
                long = {name for name, waiting in queued(VOICE_QUEUES).items() if waiting > self._most}
                # Where nobody works, messages are left from before: that is not being busy, and readiness tells of it.
                self._behind = bool(long) and not long.isdisjoint(live_queues(get_redis()))
            except (StoreUnavailable, redis.RedisError):
                self._behind = False  # The session itself will say so.
        return self._behind


def queued(names: tuple[str, ...]) -> dict[str, int]:
    """Return how many messages wait in each queue. Raises StoreUnavailable."""
    with reaching_redis(), get_redis().pipeline(transaction=False) as pipe:
        for name in names:
            pipe.llen(name)
        return dict(zip(names, map(int, pipe.execute()), strict=True))
