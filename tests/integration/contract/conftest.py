"""Who calls the operations, while no worker runs."""

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask

from api.dialogue import speech, turns
from api.door import waiting
from api.identity import accounts
from api.knowledge import knowledge
from api.live import sse
from api.organisation import provider_keys
from pipelines.stores.redis import get_redis
from tests.integration.contract.organisations import OPERATORS
from tests.integration.contract.visits import Visitor


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs here: who waits for one gives up soon, and streams say often that they wait."""
    monkeypatch.setattr(turns, "ANSWER_TIMEOUT_S", 0.01)
    monkeypatch.setattr(turns.finished_turn, "__defaults__", (0.01,))
    monkeypatch.setattr(speech, "CALL_TIMEOUT_S", 0.01)
    monkeypatch.setattr(knowledge, "SEARCH_TIMEOUT_S", 0.01)
    monkeypatch.setattr(provider_keys, "TRIAL_TIMEOUT_S", 0.01)
    monkeypatch.setattr(waiting, "MAX_WAIT_S", 0.01)
    monkeypatch.setattr(accounts, "FORGOTTEN_TAKES_S", 0.0)
    monkeypatch.setitem(sse.stream.__kwdefaults__, "heartbeat_s", 0.01)


@pytest.fixture(scope="module")
def reader(app: Flask, admin: psycopg.Connection) -> Iterator[Visitor]:
    """Yield who calls operations that change nothing, one after the other: to found an organisation takes its time."""
    yield Visitor(app, admin)
    admin.execute("DELETE FROM tenant_users WHERE email LIKE %s", (f"{OPERATORS}%",))


@pytest.fixture
def visitor(app: Flask, admin: psycopg.Connection) -> Iterator[Visitor]:
    """Yield who calls an operation."""
    for key in get_redis().scan_iter(match="aura:door:*", count=10_000):
        get_redis().delete(key)
    yield Visitor(app, admin)
    admin.execute("DELETE FROM tenant_users WHERE email LIKE %s", (f"{OPERATORS}%",))
