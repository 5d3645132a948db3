"""What a web process has one of: its relay of live events, and the seats of those who follow them."""

from functools import lru_cache

from api.live.relay import Relay
from api.live.seats import Seats
from pipelines.stores.identity import standing
from pipelines.stores.redis import get_redis
from schemas.settings import get_settings


@lru_cache
def relay() -> Relay:
    """Return this process's relay."""
    return Relay(get_redis())


@lru_cache
def seats() -> Seats:
    """Return the places for open sockets and streams."""
    return Seats(get_settings().max_sockets, standing.fallen)
