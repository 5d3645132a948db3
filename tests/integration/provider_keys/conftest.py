"""Providers that are a fake server, and settings that a test may change for this process."""

from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest
from flask.testing import FlaskClient

from api import create_app
from pipelines.stores import sealing
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import audit
from pipelines.stores.organisation import provider_keys as kept_keys
from schemas.requests.organisation.providers import KeyedProvider
from schemas.settings import get_settings
from schemas.tables.base import DEFAULT_TENANT_ID
from tests.integration.providers.fakes import FarEnd, far_end
from workers import wiring

DEPLOYMENT_KEY = "sk-of-the-deployment-0000"


def forget() -> None:
    """Let this process read its settings, secrets and providers again."""
    for remembered in (
        get_settings,
        sealing._keys,
        wiring._kept,
        wiring._shared,
        wiring._own,
        wiring._shared_of,
        wiring._own_of,
    ):
        remembered.cache_clear()


@pytest.fixture
def configure(servers: object) -> Iterator[Callable[..., None]]:
    """Yield what sets variables of the environment for this process, until the test is over."""
    with pytest.MonkeyPatch.context() as patch:

        def given(**variables: str) -> None:
            for name, value in variables.items():
                patch.setenv(name, value)
            forget()

        yield given
    forget()


@pytest.fixture(autouse=True)
def the_default_tenant_keeps_no_key(admin: psycopg.Connection) -> Iterator[None]:
    yield
    admin.execute("UPDATE tenants SET api_keys = '{}' WHERE tenant_id = %s", (DEFAULT_TENANT_ID,))


@pytest.fixture
def fake() -> Iterator[FarEnd]:
    with far_end() as found:
        yield found


@pytest.fixture
def remote(configure: Callable[..., None], fake: FarEnd) -> FarEnd:
    """Return the fake that answers, embeds, listens and speaks for a deployment with a key."""
    configure(
        AURA_CHAT_PROVIDER="custom",
        AURA_CHAT_FALLBACK="0",
        AURA_CHAT_MODEL="some-model",
        AURA_CHAT_BASE_URL=f"{fake.url}/v1",
        AURA_EMBEDDER="custom",
        AURA_EMBEDDING_MODEL="some-embedder",
        AURA_EMBEDDING_BASE_URL=f"{fake.url}/v1",
        AURA_TRANSCRIBER="custom",
        AURA_TRANSCRIPTION_MODEL="some-listener",
        AURA_TRANSCRIBER_BASE_URL=f"{fake.url}/v1",
        AURA_SPEAKER="elevenlabs",
        AURA_VOICE_FALLBACK="0",
        AURA_SPEECH_BASE_URL=fake.url,
        AURA_CUSTOM_API_KEY=DEPLOYMENT_KEY,
        ELEVENLABS_API_KEY=DEPLOYMENT_KEY,
    )
    return fake


@pytest.fixture
def client(configure: Callable[..., None]) -> Iterator[FlaskClient]:
    """Yield a client of the application in single-tenant mode."""
    with create_app().test_client() as opened:
        yield opened


def keep(tenant_id: UUID, provider: KeyedProvider, key: str) -> None:
    """Set a tenant's key as the route does."""
    with tenant_session(tenant_id) as session:
        kept_keys.put(session, tenant_id, audit.SYSTEM, provider, key)
