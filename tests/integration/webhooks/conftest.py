"""Endpoints, receivers, and a post that delivers to them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pipelines.stores import webhooks
from pipelines.stores.database import tenant_session
from pipelines.stores.webhooks import endpoints
from schemas.events import Event, EventName, Subject
from schemas.settings import get_settings
from tests.integration.relay.valkey import wait_until
from tests.integration.webhooks.receiver import ALLOWED, Receiver, listening
from workers.posting.post import Post


@pytest.fixture
def configure(servers: object) -> Iterator[Callable[..., None]]:
    """Yield what sets variables of the environment for this process, until the test is over."""
    with pytest.MonkeyPatch.context() as patch:

        def given(**variables: str) -> None:
            for name, value in variables.items():
                patch.setenv(name, value)
            get_settings.cache_clear()

        yield given
    get_settings.cache_clear()


@pytest.fixture
def allowing(configure: Callable[..., None]) -> None:
    """Allow the receivers' address, as an operator would."""
    configure(AURA_OUTBOUND_ALLOW=f"{ALLOWED}/32")


@pytest.fixture
def receiver(allowing: None) -> Iterator[Receiver]:
    """Yield a receiver that takes everything."""
    with listening() as running:
        yield running


@pytest.fixture
def canary() -> Iterator[Receiver]:
    """Yield a server inside that nobody may reach."""
    with listening("127.0.0.1") as running:
        yield running


@pytest.fixture
def post(allowing: None, admin: psycopg.Connection) -> Iterator[Post]:
    """Yield a post of this process, for which nothing waits yet."""
    admin.execute("DELETE FROM webhook_deliveries")
    running = Post()
    yield running
    running.close()


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of a tenant, and what signs for it."""

    tenant_id: UUID
    id: UUID
    secret: str


def add_endpoint(tenant_id: UUID, url: str, events: tuple[str, ...] = ("*",), **fields: Any) -> Endpoint:
    """Add an endpoint as the API does, without its look at the address."""
    headers = fields.pop("headers", {})
    with tenant_session(tenant_id) as session:
        found, secret = endpoints.add(session, tenant_id, headers, url=url, events=list(events), **fields)
    return Endpoint(tenant_id, found.endpoint_id, secret)


def enqueue(tenant_id: UUID, count: int = 1, name: EventName = EventName.DOCUMENT_PROCESSED) -> int:
    """Let so many things happen to a tenant, and return how many deliveries that makes."""
    events = [Event(name, Subject.tenant(tenant_id), {"number": number, "name": "Grüße 🤷"}) for number in range(count)]
    with tenant_session(tenant_id) as session:
        return webhooks.enqueue(session, tenant_id, events)


@dataclass(frozen=True)
class Log:
    """What the tables say."""

    admin: psycopg.Connection

    def rows(
        self, tenant_id: UUID, columns: str = "status, attempts, status_code, error_code"
    ) -> list[tuple[Any, ...]]:
        """Return the tenant's deliveries, first to last."""
        question = f"SELECT {columns} FROM webhook_deliveries WHERE tenant_id = %s ORDER BY created_at, due_at"
        return self.admin.execute(question, (tenant_id,)).fetchall()

    def tries(self, tenant_id: UUID, columns: str) -> list[tuple[Any, ...]]:
        """Return the tenant's tries, first to last."""
        question = f"SELECT {columns} FROM webhook_attempts WHERE tenant_id = %s ORDER BY at"
        return self.admin.execute(question, (tenant_id,)).fetchall()

    def endpoint(self, endpoint: Endpoint, columns: str) -> tuple[Any, ...]:
        question = f"SELECT {columns} FROM webhook_endpoints WHERE endpoint_id = %s"
        found = self.admin.execute(question, (endpoint.id,)).fetchone()
        assert found is not None
        return found

    def make_due(self, tenant_id: UUID) -> None:
        """Let the time until the next try be over."""
        self.admin.execute("UPDATE webhook_deliveries SET due_at = now() WHERE tenant_id = %s", (tenant_id,))

    def wait(self, tenant_id: UUID, status: str, count: int = 1, within_s: float = 150) -> None:
        """Return once so many of the tenant's deliveries stand so."""
        question = "SELECT count(*) FROM webhook_deliveries WHERE tenant_id = %s AND status = %s"
        wait_until(lambda: self.admin.execute(question, (tenant_id, status)).fetchone() == (count,), within_s)

    def wait_tries(self, tenant_id: UUID, count: int, within_s: float = 150) -> None:
        """Return once so many tries of the tenant are written down."""
        question = "SELECT count(*) FROM webhook_attempts WHERE tenant_id = %s"
        wait_until(lambda: self.admin.execute(question, (tenant_id,)).fetchone() == (count,), within_s)


@pytest.fixture
def log(admin: psycopg.Connection) -> Log:
    return Log(admin)


@pytest.fixture
def enabled_again() -> Callable[[Endpoint], None]:
    """Return what enables an endpoint again."""

    def enable(endpoint: Endpoint) -> None:
        with tenant_session(endpoint.tenant_id) as session:
            endpoints.enable(session, endpoints.get(session, endpoint.id, lock=True))

    return enable


@pytest.fixture
def rotated() -> Callable[[Endpoint], str]:
    """Return what gives an endpoint a new secret, and returns it."""

    def rotate(endpoint: Endpoint) -> str:
        with tenant_session(endpoint.tenant_id) as session:
            return endpoints.rotate(session, endpoints.get(session, endpoint.id, lock=True))

    return rotate
