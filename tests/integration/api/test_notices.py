"""What the operator should know is found by upkeep and told by /health, which waits for nothing."""

import threading
import time
from uuid import UUID

import psycopg
import pytest
from flask.testing import FlaskClient

from api import health
from deploy.ephemeral import wait_until
from pipelines.stores.knowledge.promotion import PROMOTE_AT
from pipelines.stores.operations import notices
from pipelines.stores.operations.notices import Notice
from pipelines.stores.redis import get_redis
from schemas.settings import get_settings
from workers import upkeep


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_notices", health._Notices())
    monkeypatch.setattr(health, "NOTICES_EVERY_S", 0.0)


def told(client: FlaskClient) -> list[str]:
    found: list[str] = client.get("/health").get_json()["notices"]
    return found


def test_a_large_tenant_that_nobody_may_index_is_told(
    client: FlaskClient, fresh: None, admin: psycopg.Connection, tenant: UUID
) -> None:
    assert get_settings().database_index_url == ""
    row = (tenant, "some-model", PROMOTE_AT)
    admin.execute("INSERT INTO corpus_models (tenant_id, embedding_model, chunks) VALUES (%s, %s, %s)", row)
    upkeep.index_vectors()
    wait_until(lambda: any("AURA_DATABASE_INDEX_URL" in notice for notice in told(client)), 90, "it is told")
    admin.execute("UPDATE corpus_models SET chunks = 0 WHERE chunks >= %s", (PROMOTE_AT,))
    upkeep.index_vectors()
    wait_until(lambda: told(client) == [], 90, "it is told no more")


def test_health_does_not_wait_for_redis(client: FlaskClient, fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    notices.put(get_redis(), Notice.UNINDEXED, holds=False)
    over = threading.Event()
    monkeypatch.setattr(notices, "kept", lambda _: over.wait(300))
    began = time.monotonic()
    assert told(client) == told(client) == []
    assert time.monotonic() - began < 200
    over.set()
