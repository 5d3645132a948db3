"""Servers and clients of the relay's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from api.live.relay import Relay
from pipelines.stores.redis import open_redis
from tests.integration.relay.talking import Web, Workers
from tests.integration.relay.valkey import Valkey


@pytest.fixture(scope="session")
def shared_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    yield server
    server.kill()


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def client(shared_valkey: Valkey) -> Iterator["redis.Redis"]:
    with open_redis(shared_valkey.url) as opened:
        yield opened


@pytest.fixture
def relay(client: "redis.Redis") -> Iterator[Relay]:
    made = Relay(client)
    yield made
    made.close()


@pytest.fixture(scope="module")
def web(shared_valkey: Valkey) -> Iterator[Web]:
    server = Web(shared_valkey.url)
    yield server
    server.stop()


@pytest.fixture
def serve(shared_valkey: Valkey) -> Iterator[Callable[..., Web]]:
    """Start servers with settings of their own."""
    servers: list[Web] = []

    def start(**settings: str) -> Web:
        servers.append(Web(shared_valkey.url, **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def workers(client: "redis.Redis") -> Workers:
    return Workers(client)
