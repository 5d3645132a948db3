"""Tenants that own something everywhere: rows in every table, objects, keys, streams and waiting messages."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from api import create_app
from pipelines.stores import events
from pipelines.stores.database import tenant_session
from pipelines.stores.identity.api_keys import add as add_key
from pipelines.stores.ingest.parts import Part, StageRef
from pipelines.stores.objects import ObjectStore, artefact_key, original_key
from pipelines.stores.operations import calls
from pipelines.stores.operations.audit import SYSTEM, record
from pipelines.stores.organisation.tenant_tables import tenant_tables
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import cancellations, utterances
from schemas.events import Event, EventName, Subject
from schemas.settings import get_settings
from schemas.tables.batches import Batch, BatchItem, Upload
from schemas.tables.chunks import ChunkEdit, DocumentCard
from schemas.tables.dialogue import CachedAnswer, Conversation, Message, Sentence, Turn, TurnStage
from schemas.tables.evaluation import Evaluation, EvaluationQuestion
from schemas.tables.hooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from schemas.tables.identity import LoginSession, OneTimeToken, RefreshToken, TenantUser
from schemas.tables.knowledge import Document, Stage
from schemas.tables.memory import ConversationSummary, Feedback, MemoryConsent, UnansweredQuestion, UserPreference
from schemas.tables.recordings import Recording
from schemas.tables.records import IdempotencyKey, OutgoingMail, UsageEvent, UsageMonth
from schemas.tables.tenancy import Tenant
from schemas.tables.training import LogicNote, ReferenceMaterial, TrainingPair
from tests.integration.stores.conftest import Library
from workers import send
from workers.app import app


@dataclass
class Owner:
    """A tenant whose every text begins with its `canary`, and whose every secret is `secret`."""

    tenant_id: UUID
    canary: str
    secret: str
    turn_id: UUID = field(default_factory=uuid4)
    conversation_id: UUID = field(default_factory=uuid4)
    user_id: UUID = field(default_factory=uuid4)
    doc_id: UUID = field(default_factory=uuid4)
    api_key: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}


@pytest.fixture
def store(servers: object) -> ObjectStore:
    return ObjectStore(get_settings())


@pytest.fixture(scope="session")
def broker(servers: tuple[str, str, str]) -> None:
    """Send messages to the tests' own Valkey, also where Celery was imported before it ran."""
    app.conf.broker_url = servers[2]
    app._pool = app.amqp._producer_pool = None


@pytest.fixture
def new_owner(new_tenant: Callable[[], UUID], store: ObjectStore, broker: None) -> Callable[[str], Owner]:
    """Return a maker of tenants that own something everywhere."""

    def make(name: str) -> Owner:
        tenant_id = new_tenant()
        owner = Owner(tenant_id, f"{name}-canary-{tenant_id}", f"{name}-secret-{uuid4()}")
        owner.doc_id = Library().store(tenant_id, [f"{owner.canary} chunk {i}" for i in range(40)])
        _write_rows(owner)
        _write_objects(owner, store)
        _write_redis(owner)
        return owner

    return make


@pytest.fixture
def client(servers: object) -> Iterator[FlaskClient]:
    with create_app().test_client() as opened:
        yield opened


@pytest.fixture
def holdings(admin: psycopg.Connection, store: ObjectStore) -> Callable[[UUID], dict[str, Any]]:
    """Return a reader of all that a tenant has, seen from outside: rows, objects, keys and messages, as they are."""

    def read(tenant_id: UUID) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for table in tenant_tables():
            if table.name != "tenant_deletions":
                rows = admin.execute(
                    f"SELECT to_jsonb(t)::text FROM {table.name} t WHERE tenant_id = %s ORDER BY 1", (tenant_id,)
                )
                found[table.name] = [row for (row,) in rows]
        found["objects"] = {key: store.get(key) for key in store.listing(str(tenant_id))}
        client = get_redis()
        found["keys"] = {key: client.dump(key) for key in client.scan_iter(match=f"*{tenant_id}*", count=10_000)}
        found["queued"] = [
            message
            for queue in send.QUEUES
            for message in client.lrange(queue, 0, -1)
            if str(tenant_id) in json.loads(message)["headers"]["argsrepr"]
            and json.loads(message)["headers"]["task"] != "workers.tenants.delete"
        ]
        return found

    return read


@pytest.fixture
def settle(admin: psycopg.Connection) -> Callable[[UUID], None]:
    """Return what lets the time pass after which a deletion is looked at again."""

    def move(tenant_id: UUID) -> None:
        admin.execute(
            "UPDATE tenant_deletions SET finished_at = now() - interval '1 hour' WHERE tenant_id = %s", (tenant_id,)
        )

    return move


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Leave no message behind: no worker runs here."""
    yield
    get_redis().delete(*send.QUEUES)


def _write_rows(owner: Owner) -> None:
    tenant_id, canary, secret, now = owner.tenant_id, owner.canary, owner.secret, datetime.now(UTC)
    session_id, of = uuid4(), {"tenant_id": owner.tenant_id}
    ids = {**of, "user_id": owner.user_id}
    turn = {**of, "conversation_id": owner.conversation_id, "turn_id": owner.turn_id}
    with tenant_session(tenant_id) as session:
        tenant = session.get_one(Tenant, tenant_id)
        tenant.organization_name, tenant.api_keys = (
            f"{canary} Ltd",
            {"openai": {"sealed": secret, "hint": "", "set_at": ""}},
        )
        rows: list[tuple[Any, dict[str, Any]]] = [
            (TenantUser, {**ids, "email": f"{canary}@example.org", "role": "admin", "password_hash": secret}),
            (LoginSession, {**ids, "session_id": session_id, "expires_at": now, "user_agent": canary}),
            (RefreshToken, {**of, "session_id": session_id, "token_hash": secret}),
            (OneTimeToken, {**ids, "token_hash": secret, "purpose": "reset", "expires_at": now}),
            (UsageMonth, {**of, "month": date(2026, 1, 1), "api_calls": 7, "cost_usd": Decimal("1.250000")}),
            (UsageEvent, {**of, "kind": "chat", "provider": canary, "model": "m", "cost_usd": Decimal("0.000001")}),
            (
                IdempotencyKey,
                {
                    **{**of, "actor": canary, "key": "k", "request_hash": secret, "lease_token": uuid4()},
                    **{"lease_until": now, "headers": {"x": secret}, "body": secret.encode()},
                },
            ),
            (OutgoingMail, {**of, "recipient": canary, "subject": canary, "sealed": secret, "due_at": now}),
            (Conversation, {**of, "conversation_id": owner.conversation_id, "user_id": "u", "assistant_key": "a"}),
            (Turn, {**turn, "assistant_key": "a", "spoken": True, "question": canary, "stage": TurnStage.GENERATE}),
            (Message, {**turn, "role": "user", "content": f"{canary} „ß\u2028\x7f"}),
            (Sentence, {**of, "turn_id": owner.turn_id, "seq": 0, "text": canary}),
            (Recording, {**of, "turn_id": owner.turn_id, "conversation_id": owner.conversation_id, "status": "kept"}),
            *_bulk(owner),
            *_evaluations(owner),
            *_webhooks(owner, now),
        ]
        for model, values in rows:
            session.execute(insert(model).values(**values))
        record(session, tenant_id, SYSTEM, "test.made", "tenant", tenant_id, after={"name": canary})
        owner.api_key = add_key(session, tenant_id, canary, ["tenant:admin"], "test", now + timedelta(days=1))[1].text


def _bulk(owner: Owner) -> Iterator[tuple[Any, dict[str, Any]]]:
    of, batch_id = {"tenant_id": owner.tenant_id}, uuid4()
    by = {**of, "user_id": owner.canary, "password_sealed": owner.secret}
    yield Batch, {**by, "batch_id": batch_id, "source": "files", "name": owner.canary}
    yield BatchItem, {**of, "batch_id": batch_id, "item": 0, "filename": owner.canary, "doc_id": owner.doc_id}
    yield Upload, {**by, "filename": owner.canary, "size": 9}
    card = {"embedding_model": owner.canary, "embedding": np.zeros(3, np.float16), "lexemes": "canary"}
    yield DocumentCard, {**of, **card, "doc_id": owner.doc_id, "card_sha256": b"card"}
    yield from _memory(owner)
    edit = {"doc_id": owner.doc_id, "chunk_id": 1, "chunk_index": 0, "chunk_text": owner.canary}
    yield ChunkEdit, {**of, **edit, "user_id": owner.canary, "status": "processed"}
    kept = {"key": "k", "manner": "m", "telling": "t", "assistant_key": "default-assistant", "agent_version": "v"}
    kept |= {"knowledge_version": 0, "turn_id": owner.turn_id, "answer": owner.canary, "citations": [], "passages": []}
    kept |= {"embedding": np.eye(8, dtype=np.float16)[0], "embedding_model": "m"}
    yield CachedAnswer, {**of, **kept, "confidence": 1, "provider": "p", "model": "m", "cost_usd": 0, "took_ms": 1}
    yield from _entries(owner)


def _entries(owner: Owner) -> Iterator[tuple[Any, dict[str, Any]]]:
    of, said = {"tenant_id": owner.tenant_id, "name_sha256": owner.canary.encode()}, owner.canary
    texts: dict[Any, dict[str, Any]] = {
        TrainingPair: {"prompt": said, "response": said, "created_by": said},
        LogicNote: {"title": said, "content": said, "created_by": said},
        ReferenceMaterial: {"filename": said, "title": said, "content": said, "uploaded_by": said},
    }
    texts[ReferenceMaterial] |= {"original_filename": said, "file_type": "md", "file_size": 9}
    for model, values in texts.items():
        entry_id = uuid4()
        document = {"tenant_id": owner.tenant_id, "doc_id": entry_id, "user_id": said, "filename": said}
        about = {"file_type": "md", "file_size": 9, "source": model.__tablename__, "content_sha256": str(entry_id)}
        yield Document, {**document, **about, "processing_status": "processed"}
        yield model, {**of, "id": entry_id, **values}


def _memory(owner: Owner) -> Iterator[tuple[Any, dict[str, Any]]]:
    of, about = {"tenant_id": owner.tenant_id}, {"text": owner.canary, "tokens": 1, "made_by": "extractive"}
    yield MemoryConsent, {**of, "user_id": owner.canary, "learn": True}
    yield UserPreference, {**of, "user_id": owner.canary, "key": "note", "value": owner.canary}
    covers = {"covers_until": datetime.now(UTC), "covers_turn_id": owner.turn_id, "turns": 1}
    yield ConversationSummary, {**of, "conversation_id": owner.conversation_id, **covers, **about}
    given = {"turn_id": owner.turn_id, "user_id": "u", "scale": "thumbs", "rating": -1, "comment": owner.canary}
    yield Feedback, {**of, **given}
    asked = {"assistant_key": "a", "question": owner.canary, "normalised": owner.canary, "normalised_sha256": "x"}
    yield UnansweredQuestion, {**of, **asked, "reason": "refused", "confidence": 0.1}


def _evaluations(owner: Owner) -> Iterator[tuple[Any, dict[str, Any]]]:
    of = {"tenant_id": owner.tenant_id, "evaluation_id": uuid4()}
    run = {"name": owner.canary, "configurations": [{"name": owner.canary}], "total": 1, "status": "completed"}
    yield Evaluation, {**of, **run, "user_id": owner.canary}
    yield EvaluationQuestion, {**of, "number": 0, "question": owner.canary, "answers": [owner.canary]}


def _webhooks(owner: Owner, now: datetime) -> Iterator[tuple[Any, dict[str, Any]]]:
    of, endpoint, delivery = {"tenant_id": owner.tenant_id}, {"endpoint_id": uuid4()}, {"delivery_id": uuid4()}
    about = {"url": owner.canary, "events": ["*"], "secret_sealed": owner.secret, "headers_sealed": owner.secret}
    yield WebhookEndpoint, {**of, **endpoint, **about}
    event = {"event_id": uuid4(), "event_type": "document.processed", "payload": {"name": owner.canary}}
    yield WebhookDelivery, {**of, **endpoint, **delivery, **event, "status": "failed"}
    tried = {"attempt": 1, "at": now, "duration_ms": 1, "request_headers": {}, "response_headers": {}}
    yield WebhookAttempt, {**of, **delivery, **tried, "response_body": owner.canary}


def _write_objects(owner: Owner, store: ObjectStore) -> None:
    owner.objects = {
        original_key(owner.tenant_id, owner.doc_id): owner.canary.encode() * 50_000,
        artefact_key(owner.tenant_id, owner.doc_id, 1, "chunks"): b"",
        f"{owner.tenant_id}/logo ü.png": owner.canary.encode(),
    }
    for key, data in owner.objects.items():
        store.put(key, data)


def _write_redis(owner: Owner) -> None:
    client, tenant_id = get_redis(), owner.tenant_id
    for subject in (Subject.document(tenant_id, owner.doc_id), Subject.conversation(tenant_id, owner.conversation_id)):
        events.publish(client, Event(EventName.TURN_TOKEN, subject, {"text": owner.canary}))
    utterances.put(client, tenant_id, owner.turn_id, owner.canary.encode())
    cancellations.request(client, tenant_id, uuid4())
    calls.ask(client, tenant_id, uuid4(), {"text": owner.canary})
    send.turn(tenant_id, owner.turn_id, TurnStage.GENERATE)
    send.sentence(tenant_id, owner.turn_id, 0)
    send.stages([Part(StageRef(tenant_id, owner.doc_id, 1, Stage.STORE), "store")])
