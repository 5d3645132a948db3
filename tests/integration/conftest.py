"""The front door of a deployment with many tenants."""

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from api import create_app
from pipelines.identity import passwords
from pipelines.stores.redis import get_redis
from schemas.settings import get_settings
from tests.integration.people import PASSWORD, Person
from workers.app import app as worker
from workers.send import QUEUES

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep passwords at a small price, as nearly every test makes users; `real_passwords` has them cost theirs."""
    passwords._nobodys.cache_clear()
    if not request.node.get_closest_marker("real_passwords"):
        monkeypatch.setattr(passwords, "_hasher", QUICK)


@pytest.fixture(scope="module")
def app(servers: tuple[str, str, str]) -> Iterator[Flask]:
    """Yield the application as a deployment of many tenants runs it: without a token nobody is let in.

    Its messages go to the tests' own Valkey, also where Celery was imported before that ran; none is left there.
    """
    worker.conf.broker_url = servers[2]
    worker._pool = worker.amqp._producer_pool = None
    os.environ |= {"AURA_SINGLE_TENANT": "0", "AURA_BASE_DOMAIN": "aura.test"}
    get_settings.cache_clear()
    try:
        yield create_app()
    finally:
        get_redis().delete(*QUEUES)
        for name in ("AURA_SINGLE_TENANT", "AURA_BASE_DOMAIN"):
            del os.environ[name]
        get_settings.cache_clear()


@pytest.fixture
def door(app: Flask) -> Iterator[FlaskClient]:
    """Yield a client that nobody has tried a password with yet."""
    for key in get_redis().scan_iter(match="aura:door:*", count=10_000):
        get_redis().delete(key)
    with app.test_client() as client:
        yield client


@pytest.fixture
def founder(door: FlaskClient) -> Callable[..., Person]:
    """Return a maker of organisations; what it returns is their first admin."""

    def found(**fields: str) -> Person:
        email = f"ada-{uuid4().hex[:10]}@example.org"
        body = {"organization_name": f"Org {uuid4().hex[:8]}", "email": email, "password": PASSWORD, **fields}
        response = door.post("/api/signup", json=body)
        assert response.status_code == 201, response.json
        return Person(door, response.json or {}, body["email"])

    return found


@pytest.fixture
def ada(founder: Callable[..., Person]) -> Person:
    """Return the admin of a new organisation."""
    return founder()


@pytest.fixture
def joined(door: FlaskClient) -> Callable[..., Person]:
    """Return what brings a new user into an admin's organisation."""

    def join(admin: Person, role: str = "user", **flags: bool) -> Person:
        email = f"bob-{uuid4().hex[:10]}@example.org"
        invited = admin.post("/api/tenant/users", json={"email": email, "role": role, **flags})
        assert invited.status_code == 201, invited.json
        body = {"token": (invited.json or {})["invitation_token"], "password": PASSWORD}
        accepted = door.post("/api/invitations/accept", json=body)
        assert accepted.status_code == 201, accepted.json
        return Person(door, accepted.json or {}, email)

    return join


@pytest.fixture
def operator(app: Flask, door: FlaskClient, admin: psycopg.Connection) -> Person:
    """Return an operator, made at the machine as the documentation says."""
    email = f"operator-{uuid4().hex[:8]}@example.org"
    made = app.test_cli_runner().invoke(args=["operator", "add", email], input=f"{PASSWORD}\n")
    assert made.exit_code == 0, made.output
    login = door.post("/api/login", json={"email": email, "password": PASSWORD, "tenant_subdomain": "default"})
    assert login.status_code == 200, login.json
    return Person(door, login.json or {}, email)
