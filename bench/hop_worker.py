"""A worker with AURA's own settings and one task that only says when it started."""

import time

from kombu import Exchange, Queue

from pipelines.stores.redis import get_redis
from workers.app import app

KEY = "aura:bench:hops"
QUEUE = "hop"

app.conf.task_queues = [Queue(QUEUE, Exchange("", type="direct"), routing_key=QUEUE)]


@app.task(name="bench.hop")
def hop(sent_ns: int) -> None:
    """Keep the nanoseconds between sending and starting; both ends are on one machine's clock."""
    get_redis().rpush(KEY, time.monotonic_ns() - sent_ns)
