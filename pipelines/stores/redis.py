"""Redis: one client a process, for events, utterances, flags and presence. Never the truth."""

from functools import lru_cache

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from schemas.settings import get_settings


def open_redis(url: str) -> "redis.Redis":
    """Return a client that survives a restart of the server: three tries within about a second."""
    return redis.Redis.from_url(
        url,
        socket_timeout=10,
        socket_connect_timeout=5,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        retry_on_error=[redis.ConnectionError, redis.TimeoutError],
    )


@lru_cache
def get_redis() -> "redis.Redis":
    """Return this process's client."""
    return open_redis(get_settings().redis_url)
