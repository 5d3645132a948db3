"""People who ask, and a worker that answers them within the test's own process."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from deploy.ephemeral import wait_until
from pipelines.ingest.elements import Chunk
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import chunks, documents
from pipelines.stores.knowledge.chunks import Incoming
from pipelines.stores.knowledge.documents import Switch
from pipelines.stores.redis import get_redis
from tests.integration.people import Person
from tests.integration.stores.conftest import Library
from workers import memory, send, turn, wiring
from workers.app import app as worker

STEPS = {"transcribe": turn.transcribe, "retrieve": turn.retrieve, "generate": turn.generate}


class Desk:
    """Where people of one application ask. Their turns are answered here, step by step, as a worker does."""

    def __init__(self, app: Flask, admin: psycopg.Connection) -> None:
        self._app, self._admin = app, admin

    def ask(self, person: Person, message: str, **body: Any) -> dict[str, Any]:
        """Return the answer to a question."""
        response = self.post(person, {"message": message, **body})
        assert response.status_code == 200, response.json
        return dict(response.json or {})

    def post(self, person: Person, body: dict[str, Any], path: str = "/api/chat") -> TestResponse:
        def request() -> TestResponse:
            with self._app.test_client() as client:
                return client.post(path, json=body, headers=person.headers)

        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(request)
            while not asked.done():
                if not self.work(UUID(person.tenant_id)):
                    time.sleep(0.005)  # The request has not committed its turn yet, or is reading its end.
            return asked.result()

    def work(self, tenant_id: UUID) -> int:
        """Carry out the steps that are due, and return how many."""
        due = self._admin.execute(
            "SELECT turn_id, stage FROM turns WHERE tenant_id = %s AND status IN ('queued', 'running')"
            " AND lease_token IS NULL AND answer IS NULL",
            (tenant_id,),
        ).fetchall()
        for turn_id, stage in due:
            STEPS[stage](str(tenant_id), str(turn_id))
        return len(due)

    def step(self, tenant_id: str, turn_id: UUID, stage: str) -> None:
        """Carry out one step of a turn."""
        STEPS[stage](tenant_id, str(turn_id))

    def in_background(self, act: Callable[[], Any]) -> "Future[Any]":
        """Do something at the same time."""
        pool = ThreadPoolExecutor(1)
        begun = pool.submit(act)
        pool.shutdown(wait=False)
        return begun

    def wait_for_lock(self) -> None:
        """Wait until some transaction waits for another."""
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_until(lambda: (self._admin.execute(waits).fetchone() or (0,))[0] > 0, 120, "a transaction waits")

    def summarise(self, tenant_id: str, conversation_id: str) -> None:
        memory.summarise(tenant_id, conversation_id)


@pytest.fixture
def desk(app: Flask, admin: psycopg.Connection, broker: None) -> Desk:
    return Desk(app, admin)


@pytest.fixture(scope="session")
def broker(servers: tuple[str, str, str]) -> Iterator[None]:
    """Send messages to the tests' own Valkey, and leave none there."""
    worker.conf.broker_url = servers[2]
    worker._pool = worker.amqp._producer_pool = None
    yield
    get_redis().delete(*send.QUEUES)


@pytest.fixture
def known(servers: object) -> Callable[[str, Sequence[str]], UUID]:
    """Return what makes texts known to a tenant: a document with these chunks."""

    def store(tenant_id: str, texts: Sequence[str]) -> UUID:
        tenant, library = UUID(tenant_id), Library()
        ref = library.admitted(tenant)
        embedder = wiring.embedder(tenant)
        vectors = embedder.embed(texts).astype(np.float16)
        made = [Chunk(i, text, "general", len(text.split()), 0, len(text)) for i, text in enumerate(texts)]
        with tenant_session(tenant) as session:
            document = documents.get(session, ref.doc_id)
            chunks.replace(session, tenant, [Incoming(ref, document, made, vectors, embedder.model)])
            documents.switch(session, [Switch(ref, len(made), 0)])
        return ref.doc_id

    return store


TEXTS = (
    "The warranty lasts five years. It covers the frame and the motor. Wheels are not covered by the warranty.",
    "Refunds are paid within fourteen days. A refund needs the receipt. Ask for it at the counter.",
    "The shop in Bern opens at nine in the morning. It closes at six in the evening.",
)


@pytest.fixture
def shop(ada: Person, known: Callable[[str, Sequence[str]], UUID]) -> Person:
    """Return the admin of an organisation that knows a little about its shop."""
    known(ada.tenant_id, TEXTS)
    return ada
