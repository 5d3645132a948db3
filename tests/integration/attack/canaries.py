"""A tenant whose every row, object, event and kept answer carries a mark that must never be seen by another."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from pipelines.stores import events, sealing
from pipelines.stores.objects import ObjectStore, original_key
from pipelines.stores.organisation.tenant_tables import tenant_tables
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import recordings
from pipelines.stores.webhooks import endpoints
from pipelines.webhooks import signing
from schemas.events import Event, EventName, Subject
from schemas.settings import get_settings


@dataclass
class Marked:
    """The tenant, its mark, and the ids by which an attacker may ask for what it owns."""

    tenant_id: UUID
    canary: str
    ids: dict[str, UUID] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def all_ids(self) -> list[UUID]:
        return [self.tenant_id, *self.ids.values()]


def fill(admin: psycopg.Connection, tenant_id: UUID) -> Marked:
    """Put a marked row into every table of the tenant, and marked things into objects, streams and caches."""
    marked = Marked(tenant_id, f"canary{uuid4().hex}")
    names = (
        "endpoint",
        "delivery",
        "document",
        "turn",
        "conversation",
        "user",
        "login",
        "key",
        "usage",
        "mail",
        "agent",
        "edit",
        "batch",
        "upload",
        "pair",
        "note",
        "material",
        "question",
        "evaluation",
    )
    marked.ids = {name: uuid4() for name in names}
    with admin.transaction():
        for table, values in _rows(marked):
            _insert(admin, table, {"tenant_id": tenant_id, **values})
        admin.execute(
            "UPDATE tenants SET organization_name = %(c)s, admin_email = %(c)s || '@example.org',"
            " custom_logo = 'https://example.org/' || %(c)s, brand_colors = jsonb_build_object('a', %(c)s),"
            " custom_settings = jsonb_build_object('note', %(c)s) WHERE tenant_id = %(t)s",
            {"c": marked.canary, "t": tenant_id},
        )
    _publish(marked)
    key = original_key(tenant_id, marked.ids["document"])
    ObjectStore(get_settings()).put(key, marked.canary.encode())
    marked.texts["object"] = key
    sound = recordings.prefix(tenant_id, marked.ids["conversation"], marked.ids["turn"])
    for name in (recordings.QUESTION, recordings.ANSWER):
        ObjectStore(get_settings()).put(f"{sound}/{name}", marked.canary.encode())
    get_redis().set(f"aura:{tenant_id}:cache:{marked.canary}", marked.canary, ex=3600)
    return marked


def fingerprint(admin: psycopg.Connection, tenant_id: UUID) -> dict[str, str]:
    """Return for each table what the tenant's rows are, as one digest."""
    found = {}
    for table in tenant_tables():
        question = sql.SQL(
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(r::text, '|' ORDER BY r::text)), '')"
            " FROM {} r WHERE tenant_id = %s"
        ).format(sql.Identifier(table.name))
        row = admin.execute(question, (tenant_id,)).fetchone()
        assert row is not None
        found[table.name] = row[0]
    return found


def unmarked(admin: psycopg.Connection, marked: Marked) -> list[str]:
    """Return the tables in which the tenant has no marked row: nobody thought of them here."""
    found = []
    for table in tenant_tables():
        question = sql.SQL("SELECT count(*) FROM {} r WHERE tenant_id = %s AND r::text LIKE %s").format(
            sql.Identifier(table.name)
        )
        row = admin.execute(question, (marked.tenant_id, f"%{marked.canary}%")).fetchone()
        assert row is not None
        if row[0] == 0 and table.name not in WITHOUT_TEXT:
            found.append(table.name)
    return sorted(found)


WITHOUT_TEXT = frozenset({"corpus_sizes", "corpus_languages", "usage_months", "recordings"})
"""Tables of numbers and of languages: their rows cannot be marked, and are told apart by the fingerprint."""


def _rows(marked: Marked) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield table and values, in an order that foreign keys allow."""
    mark, ids = marked.canary, marked.ids
    # What an attacker may know: names are no secrets, and are not marked.
    marked.texts |= {"assistant_key": f"assistant-{uuid4().hex}", "idempotency_key": uuid4().hex}
    marked.texts |= {"email": f"victim-{uuid4().hex}@example.org", "filename": f"{uuid4().hex}.txt"}
    assistant = marked.texts["assistant_key"]
    about = json.dumps({"note": mark})
    policy = {"model_policy": json.dumps({"prefer": [mark]}), "persona": json.dumps({"language": "en"})}
    agent = {"agent_id": ids["agent"], "assistant_key": assistant, "name": mark, "instructions": mark}
    yield "agents", {**agent, **policy, "greeting": mark}
    user = {"user_id": ids["user"], "email": marked.texts["email"], "role": "admin", "name": mark}
    yield "tenant_users", {**user, "password_hash": mark, "persona_settings": about}
    login = {"session_id": ids["login"], "user_id": ids["user"], "address": mark, "user_agent": mark}
    yield "login_sessions", {**login, "expires_at": "2099-01-01"}
    yield "refresh_tokens", {"token_hash": mark, "session_id": ids["login"]}
    one_time = {"token_hash": mark, "user_id": ids["user"], "purpose": "reset", "expires_at": "2099-01-01"}
    yield "one_time_tokens", one_time
    key = {"key_id": ids["key"], "name": mark, "prefix": mark, "key_hash": mark, "scopes": ["chat"]}
    yield "api_keys", {**key, "created_by": mark}
    act = {"actor_kind": "user", "actor_name": mark, "action": mark, "target_kind": mark, "after": about}
    yield "audit_log", act
    yield "usage_months", {"month": "2026-01-01", "api_calls": 7}
    yield "usage_events", {"usage_id": ids["usage"], "kind": "chat", "provider": mark, "model": mark}
    kept = {
        "actor": mark,
        "key": marked.texts["idempotency_key"],
        "request_hash": mark,
        "lease_token": uuid4(),
        "lease_until": "2000-01-01",
    }
    yield "idempotency_keys", {**kept, "status_code": 200, "headers": about, "body": mark.encode()}
    sealed = sealing.seal(mark, marked.tenant_id, "mail")
    mail = {"mail_id": ids["mail"], "recipient": f"{mark}@example.org", "subject": mark, "sealed": sealed}
    yield "outgoing_mails", {**mail, "status": "failed"}
    yield "tenant_deletions", {"organization_name": mark, "requested_by": mark, "receipt": about}
    yield from _webhooks(marked)
    yield from _knowledge(marked)
    yield from _dialogue(marked)
    yield from _evaluations(marked)


def _webhooks(marked: Marked) -> Iterator[tuple[str, dict[str, Any]]]:
    mark, endpoint, delivery = marked.canary, marked.ids["endpoint"], marked.ids["delivery"]
    secret, headers = (
        sealing.seal(text, marked.tenant_id, purpose)
        for text, purpose in ((signing.new_secret(), endpoints.SECRET), (json.dumps({mark: mark}), endpoints.HEADERS))
    )
    place = {"endpoint_id": endpoint, "url": f"https://93.184.216.34/{mark}", "description": mark, "events": ["*"]}
    yield "webhook_endpoints", {**place, "secret_sealed": secret, "headers_sealed": headers}
    about = json.dumps({"note": mark})
    owed = {"delivery_id": delivery, "endpoint_id": endpoint, "event_id": uuid4(), "event_type": "document.processed"}
    yield "webhook_deliveries", {**owed, "payload": about, "status": "failed", "attempts": 1}
    tried = {"delivery_id": delivery, "attempt": 1, "at": "2026-01-01", "duration_ms": 1, "request_headers": about}
    yield "webhook_attempts", {**tried, "response_headers": about, "response_body": mark}


def _knowledge(marked: Marked) -> Iterator[tuple[str, dict[str, Any]]]:
    mark, doc_id, assistant = marked.canary, marked.ids["document"], marked.texts["assistant_key"]
    document = {"doc_id": doc_id, "user_id": mark, "assistant_key": assistant, "filename": f"{mark}.txt", "title": mark}
    document |= {"file_type": "txt", "file_size": 3, "content_sha256": mark, "content_preview": mark}
    yield "documents", {**document, "processing_status": "processed", "version": 1, "chunks_count": 1}
    yield "document_versions", {"doc_id": doc_id, "version": 1, "embedding_model": mark}
    stage = {"doc_id": doc_id, "version": 1, "stage": "store", "part": 0, "status": "processed", "artefact": mark}
    yield "document_stages", stage
    chunk = {"doc_id": doc_id, "version": 1, "chunk_index": 0, "chunk_text": mark, "chunk_type": "general"}
    chunk |= {"token_count": 1, "start_char": 0, "end_char": 1, "heading_path": [mark], "boxes": "[]"}
    chunk |= {"embedding": "[1,0,0]", "embedding_model": mark, "lexemes": mark, "lexeme_count": 1}
    yield "document_chunks", chunk
    card = {"doc_id": doc_id, "embedding": "[1,0,0]", "embedding_model": mark, "lexemes": mark}
    yield "document_cards", {**card, "card_sha256": b"card"}
    yield "term_frequencies", {"lexeme": mark, "chunks": 1}
    batch = {"batch_id": marked.ids["batch"], "user_id": mark, "source": "files", "name": mark}
    yield "batches", {**batch, "is_open": True, "password_sealed": mark}
    item = {"batch_id": marked.ids["batch"], "item": 0, "filename": mark, "folder": mark, "doc_id": doc_id}
    yield "batch_items", item
    upload = {"upload_id": marked.ids["upload"], "user_id": mark, "filename": mark, "size": 9, "received": 3}
    yield "uploads", {**upload, "metadata": json.dumps({"pieces": [mark]}), "password_sealed": mark}
    yield "corpus_sizes", {"chunks": 1, "lexemes": 1}
    yield "corpus_models", {"embedding_model": mark, "chunks": 1}
    yield "corpus_languages", {"language": "english", "chunks": 1}
    edit = {"edit_id": marked.ids["edit"], "doc_id": doc_id, "chunk_id": 1, "chunk_index": 0, "user_id": mark}
    yield "chunk_edits", {**edit, "chunk_text": mark, "status": "applied"}
    yield from _entries(marked)


def _entries(marked: Marked) -> Iterator[tuple[str, dict[str, Any]]]:
    mark, tables = marked.canary, {"pair": "training_data", "note": "logic_notes", "material": "reference_materials"}
    texts = {
        "pair": {"prompt": mark, "response": mark, "created_by": mark},
        "note": {"title": mark, "content": mark, "created_by": mark},
        "material": {"filename": mark, "original_filename": mark, "title": mark, "content": mark, "uploaded_by": mark},
    }
    texts["material"] |= {"file_type": "md", "file_size": 3}
    for name, table in tables.items():
        document = {"doc_id": marked.ids[name], "user_id": mark, "filename": mark, "file_type": "md", "file_size": 3}
        about = {"source": table, "content_sha256": f"{table}:{marked.ids[name]}"}
        yield "documents", {**document, **about, "processing_status": "processed", "version": 1}
        yield table, {"id": marked.ids[name], **texts[name], "tags": [mark], "name_sha256": mark.encode()}


def _evaluations(marked: Marked) -> Iterator[tuple[str, dict[str, Any]]]:
    mark, about = marked.canary, {"evaluation_id": marked.ids["evaluation"]}
    figures = json.dumps([{"name": mark, "questions": 1}])
    run = {**about, "user_id": mark, "name": mark, "configurations": figures, "results": figures, "total": 1}
    yield "evaluations", {**run, "status": "completed"}
    asked = {**about, "number": 0, "question": mark, "answers": [mark], "source": json.dumps({"filename": mark})}
    yield "evaluation_questions", {**asked, "outcomes": json.dumps([{"answer": mark}])}


def _dialogue(marked: Marked) -> Iterator[tuple[str, dict[str, Any]]]:
    mark, ids, assistant = marked.canary, marked.ids, marked.texts["assistant_key"]
    about = {"conversation_id": ids["conversation"]}
    yield "conversations", {**about, "user_id": mark, "assistant_key": assistant, "last_message_at": "2026-01-01"}
    turn = {
        "turn_id": ids["turn"],
        **about,
        "assistant_key": assistant,
        "spoken": False,
        "question": mark,
        "answer": mark,
    }
    yield "turns", {**turn, "status": "completed", "stage": "generate", "citations": json.dumps([{"quote": mark}])}
    yield "recordings", {"turn_id": ids["turn"], **about, "status": "kept", "question_ms": 1000, "answer_ms": 1000}
    yield "sentences", {"turn_id": ids["turn"], "seq": 0, "text": mark, "status": "completed"}
    yield "messages", {"turn_id": ids["turn"], "role": "user", **about, "content": mark}
    yield from _memory(marked)


def _memory(marked: Marked) -> Iterator[tuple[str, dict[str, Any]]]:
    mark, ids = marked.canary, marked.ids
    yield "memory_consents", {"user_id": mark, "learn": True}
    yield "user_preferences", {"user_id": mark, "key": "note", "value": json.dumps(mark)}
    summary = {"conversation_id": ids["conversation"], "covers_until": "2026-01-01", "covers_turn_id": ids["turn"]}
    yield "conversation_summaries", {**summary, "turns": 1, "text": mark, "tokens": 1, "made_by": "extractive"}
    yield "feedback", {"turn_id": ids["turn"], "user_id": mark, "scale": "stars", "rating": 5, "comment": mark}
    asked = {"question_id": ids["question"], "assistant_key": marked.texts["assistant_key"], "question": mark}
    asked |= {"normalised": mark, "normalised_sha256": mark, "turn_id": ids["turn"], "reason": "refused"}
    yield "unanswered_questions", {**asked, "confidence": 0.1, "nearest": json.dumps([{"filename": mark}])}
    kept = {"key": mark, "manner": mark, "telling": mark, "agent_version": mark}
    kept["assistant_key"] = marked.texts["assistant_key"]
    kept |= {"knowledge_version": 0, "turn_id": ids["turn"], "answer": mark, "citations": "[]", "passages": "[]"}
    yield "cached_answers", {**kept, "confidence": 1, "provider": mark, "model": mark, "cost_usd": 0, "took_ms": 1}


def _publish(marked: Marked) -> None:
    """Publish marked events on every subject that the tenant has."""
    conversation = Subject.conversation(marked.tenant_id, marked.ids["conversation"])
    document = Subject.document(marked.tenant_id, marked.ids["document"])
    batch = Subject.batch(marked.tenant_id, marked.ids["batch"])
    about = {"turn_id": str(marked.ids["turn"]), "text": marked.canary}
    for event in (
        Event(EventName.TURN_TOKEN, conversation, about),
        Event(EventName.TURN_COMPLETED, conversation, about),
        Event(EventName.BATCH_PROGRESS, batch, {"batch_id": str(batch.id), "name": marked.canary}),
        Event(EventName.DOCUMENT_PROCESSED, document, {"doc_id": str(document.id), "filename": marked.canary}),
    ):
        events.publish(get_redis(), event)
    marked.texts["event_id"] = events.last_id(get_redis(), conversation)


def _insert(admin: psycopg.Connection, table: str, values: dict[str, Any]) -> None:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )
    admin.execute(statement, list(values.values()))
