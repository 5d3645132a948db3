"""Somebody who writes entries, and workers that are called as functions, over an embedder that is a fake server."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from pipelines.stores import sealing
from pipelines.stores.database import operator_session
from pipelines.stores.knowledge import documents
from pipelines.stores.redis import get_redis
from schemas.settings import get_settings
from schemas.tables.knowledge import Stage
from tests.integration.people import Person
from tests.integration.providers.fakes import far_end
from tests.integration.reindex.stacks import Embedders, embeds
from workers import ingest, send, wiring
from workers.app import app as worker

STAGES = {
    Stage.EXTRACT: ingest.extract,
    Stage.CHUNK: ingest.chunk,
    Stage.EMBED: ingest.embed,
    Stage.STORE: ingest.store,
}


def forget() -> None:
    """Let this process read its settings and providers again."""
    for remembered in (get_settings, sealing._keys, wiring._kept, wiring._shared, wiring._own, wiring._shared_of):
        remembered.cache_clear()


@pytest.fixture(scope="module")
def embedders(app: Flask, servers: tuple[str, str, str]) -> Iterator[Embedders]:
    """Yield what embeds; `texts` are those that it was asked for."""
    worker.conf.broker_url = servers[2]
    worker._pool = worker.amqp._producer_pool = None
    with far_end() as fake, pytest.MonkeyPatch.context() as patch:
        fake.__class__ = Embedders
        fake.reply = embeds
        for name, value in {
            "AURA_CHAT_PROVIDER": "local",
            "AURA_EMBEDDER": "custom",
            "AURA_EMBEDDING_MODEL": "model-a",
            "AURA_EMBEDDING_BASE_URL": f"{fake.url}/v1",
            "AURA_CUSTOM_API_KEY": "sk-test",
        }.items():
            patch.setenv(name, value)
        forget()
        yield fake  # type: ignore[misc]
    get_redis().delete(*send.QUEUES)
    forget()


class Desk:
    """Somebody of an organisation who writes entries, and what becomes of them."""

    def __init__(self, person: Person, admin: psycopg.Connection, embedders: Embedders) -> None:
        self.person, self._admin, self.embedders = person, admin, embedders
        self.tenant_id = UUID(person.tenant_id)

    def post(self, path: str, status: int = 201, **body: Any) -> Any:
        return self._said(self.person.post(path, json=body), status)

    def patch(self, path: str, status: int = 200, **body: Any) -> Any:
        return self._said(self.person.request("PATCH", path, json=body), status)

    def get(self, path: str, status: int = 200) -> Any:
        return self._said(self.person.get(path), status)

    def delete(self, path: str, status: int = 200) -> Any:
        return self._said(self.person.request("DELETE", path), status)

    def bring(self, kind: str, content: bytes | str, status: int = 202, **fields: Any) -> Any:
        data = content if isinstance(content, bytes) else content.encode()
        form = {"file": (io.BytesIO(data), "entries"), **fields}
        return self._said(self.person.post(f"/api/training/{kind}/import", data=form), status)

    def export(self, kind: str, form: str = "csv") -> bytes:
        response = self.person.get(f"/api/training/{kind}/export?format={form}")
        assert response.status_code == 200
        return response.get_data()

    def _said(self, response: TestResponse, status: int) -> Any:
        assert response.status_code == status, response.get_data(as_text=True)
        return response.get_json()

    def rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        return self._admin.execute(question, values).fetchall()  # type: ignore[arg-type]

    def chunks(self, entry_id: str) -> list[tuple[Any, ...]]:
        """Return text, headings, assistant and model of an entry's chunks."""
        question = "SELECT chunk_text, heading_path, assistant_key, embedding_model FROM document_chunks"
        return self.rows(
            f"{question} WHERE tenant_id = %s AND doc_id = %s ORDER BY chunk_index", self.tenant_id, entry_id
        )

    def admit(self) -> None:
        """Start what is queued, as upkeep does."""
        with operator_session() as session:
            documents.admit(session, 1_000_000, 1_000_000)

    def step(self, *stages: Stage) -> bool:
        """Do all open work of the tenant in these stages, in bundles; return whether there was any."""
        rows = self.rows(
            "SELECT stage, doc_id, version, part FROM document_stages WHERE tenant_id = %s AND status = 'queued'"
            " AND stage = ANY(%s) AND due_at <= now() ORDER BY stage, doc_id, part",
            self.tenant_id,
            [stage.value for stage in stages],
        )
        for stage in stages:
            parts = [(str(doc_id), version, part) for name, doc_id, version, part in rows if name == stage]
            for start in range(0, len(parts), 100):
                STAGES[stage](str(self.tenant_id), parts[start : start + 100])
        return bool(rows)

    def work(self) -> None:
        """Do all work of the tenant."""
        self.admit()
        while self.step(*STAGES):
            self.admit()

    def embedded(self) -> Sequence[str]:
        """Return what was embedded since the last time, sorted."""
        asked = [request.json["input"] for request in self.embedders.asked if request.path.endswith("/embeddings")]
        self.embedders.asked.clear()
        return sorted(text for texts in asked for text in texts)


@pytest.fixture
def new_desk(founder: Callable[..., Person], admin: psycopg.Connection, embedders: Embedders) -> Callable[[], Desk]:
    """Return a maker of organisations with somebody who writes."""

    def make() -> Desk:
        embedders.asked.clear()
        return Desk(founder(), admin, embedders)

    return make


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    return new_desk()
