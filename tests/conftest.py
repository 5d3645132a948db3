"""What tests share: real Postgres and Valkey of their own, and tenants to act as."""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import hypothesis
import psycopg
import pytest

from deploy.places import places
from deploy.postgres import remove
from deploy.services import services
from schemas.settings import Settings, get_settings

# The same examples in each run, however long one takes: a busy machine is no fault, and what chance finds next is
# looked for on purpose (`--hypothesis-profile=default`).
hypothesis.settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real test files; a test that needs them is skipped where they are missing."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the shared test data at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[str, str, str]]:
    """Yield (admin_url, app_url, redis_url) of migrated servers, and point this process's settings at them.

    Those that AURA_TEST_SERVERS names, for who changes them between runs (`tests/drop_policies.py`), else new ones.
    """
    if given := os.environ.get("AURA_TEST_SERVERS"):
        admin_url, app_url, redis_url = given.split("|")
        _point_here(os.environ["AURA_DATA_DIR"], app_url, redis_url)
        yield admin_url, app_url, redis_url
        return
    # Not pytest's own folder: two runs at once may rotate it away below a running server.
    with tempfile.TemporaryDirectory(prefix="aura-test-") as folder:
        data_dir = Path(folder)
        try:
            with services(data_dir, Settings(data_dir=data_dir, _env_file=None), durable=False) as urls:
                _point_here(folder, urls[1], urls[2])
                yield urls
        finally:
            remove(places(data_dir))


def _point_here(folder: str, app_url: str, redis_url: str) -> None:
    os.environ.update(
        AURA_DATA_DIR=folder,
        AURA_DATABASE_URL=app_url,
        AURA_REDIS_URL=redis_url,
        AURA_SECRET_KEYS="for-the-tests-only-and-long-enough-to-be-one",
    )
    get_settings.cache_clear()


SERVERS = {"AURA_DATA_DIR", "AURA_DATABASE_URL", "AURA_REDIS_URL", "AURA_SECRET_KEYS"}
"""What `servers` sets, which stays."""


@pytest.fixture(scope="module", autouse=True)
def same_settings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail in the file that leaves a setting to the others, not in one of those that find it."""

    def found() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name.startswith("AURA_") and name not in SERVERS}

    before = found()
    yield
    assert found() == before, f"{request.node.name} leaves settings in the environment"


@pytest.fixture(scope="session")
def admin(servers: tuple[str, str, str]) -> Iterator[psycopg.Connection]:
    """Yield a superuser's connection to AURA's database: what no part of AURA has."""
    with psycopg.connect(servers[0].rpartition("/")[0] + "/aura", autocommit=True) as connection:
        yield connection


@pytest.fixture
def new_tenant(admin: psycopg.Connection) -> Callable[[], UUID]:
    """Return a maker of tenants, each with an assistant `default-assistant`."""

    def make() -> UUID:
        tenant_id = uuid4()
        admin.execute(
            "INSERT INTO tenants (tenant_id, organization_name, admin_email) VALUES (%s, %s, %s)",
            (tenant_id, f"Tenant {tenant_id}", f"{tenant_id}@example.org"),
        )
        admin.execute(
            "INSERT INTO agents (tenant_id, assistant_key, name) VALUES (%s, 'default-assistant', 'Ada')", (tenant_id,)
        )
        return tenant_id

    return make


@pytest.fixture
def tenant(new_tenant: Callable[[], UUID]) -> UUID:
    """Return a new tenant's id."""
    return new_tenant()


def pytest_configure() -> None:
    """Look for no garbage while tests are collected: next to all that is made then stays."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from here on, and not again through all that was imported."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first: one that begins last, alone, holds up the end.

    They are those that give their tests more time than usual, because they start whole processes.
    """
    times: dict[object, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        times[item.path] = max(times.get(item.path, 0.0), float(mark.args[0]) if mark and mark.args else 0.0)
    items.sort(key=lambda item: -times[item.path])
