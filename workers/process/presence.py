"""Says in Redis which queues have a live worker, so that readiness and `doctor` need not ask Celery."""

import json
import os
import time
from typing import Any

import redis
from celery import bootsteps

from pipelines.stores.redis import open_redis
from schemas.settings import get_settings

INTERVAL_S = 5.0
TTL_S = 15
PREFIX = "aura:worker"


class Presence(bootsteps.StartStopStep):  # type: ignore[misc]
    """Writes a key for each consumed queue every 5 s, on the consumer's own timer.

    A consumer that has lost its broker stops writing, and is rightly missed 15 s later.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **_: Any) -> None:
        self.timer_entry: Any = None
        # A client of its own: the process's shared one must not be in use while a pool child forks.
        self.client = open_redis(get_settings().redis_url)

    def start(self, consumer: Any) -> None:
        self.started_at = time.time()
        self.write(consumer)
        self.timer_entry = consumer.timer.call_repeatedly(INTERVAL_S, self.write, (consumer,))

    def stop(self, consumer: Any) -> None:
        if self.timer_entry is not None:
            self.timer_entry.cancel()
            self.timer_entry = None

    def write(self, consumer: Any) -> None:
        about = json.dumps({"pid": os.getpid(), "since": self.started_at})
        try:
            for queue in consumer.app.amqp.queues.consume_from:
                self.client.set(f"{PREFIX}:{queue}:{consumer.hostname}", about, ex=TTL_S)
        except redis.RedisError:
            return  # The broker is away; the consumer is reconnecting, and the next beat writes again.


def live_queues(client: "redis.Redis") -> dict[str, list[str]]:
    """Return, for each queue that has a live worker, their host names."""
    found: dict[str, list[str]] = {}
    for key in client.scan_iter(match=f"{PREFIX}:*", count=500):
        queue, hostname = key.decode().removeprefix(f"{PREFIX}:").split(":", 1)
        found.setdefault(queue, []).append(hostname)
    return found
