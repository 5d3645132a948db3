"""Tenants with limits of their own, and a door that counts."""

from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest
import redis
from flask import Flask

from api import create_app
from pipelines.stores.redis import get_redis, open_redis
from tests.integration.limits.acting import Door, SetLimits


@pytest.fixture
def client(servers: object) -> "redis.Redis":
    return get_redis()


@pytest.fixture
def nowhere() -> Iterator["redis.Redis"]:
    """Yield a client of a Redis that is not there."""
    with open_redis("redis://127.0.0.1:1/0") as opened:
        yield opened


@pytest.fixture
def limited(admin: psycopg.Connection, new_tenant: Callable[[], UUID]) -> SetLimits:
    """Return a maker of tenants whose row has these columns."""

    def make(**columns: object) -> UUID:
        tenant_id = new_tenant()
        for name, value in columns.items():
            admin.execute(f"UPDATE tenants SET {name} = %s WHERE tenant_id = %s", (value, tenant_id))
        return tenant_id

    return make


@pytest.fixture(scope="session")
def app(servers: object) -> Flask:
    return create_app()


@pytest.fixture
def door(app: Flask, limited: SetLimits) -> Callable[..., Door]:
    """Return a maker of doors to a tenant whose row has these columns."""
    return lambda **columns: Door(app, limited(**columns))
