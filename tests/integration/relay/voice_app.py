"""A web process with the real socket, relay and event streams, whose turns a test answers in the workers' place."""

import json
import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from flask import Flask, Response, jsonify, request

from api.door import errors
from api.door.auth import Caller
from api.live import process, sockets, sse, websocket
from api.live.seats import clear_at_sigterm
from api.spoken.talk import Acts
from api.voice import continuous
from pipelines.stores.redis import get_redis
from schemas.errors.callers import Unauthenticated
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import NotFound
from schemas.events import Event, EventName, Subject
from schemas.tables.base import DEFAULT_TENANT_ID

STARTED, CANCELLED, CUT, CONFIRMED, DROPPED, TIMED = (
    f"test:{what}" for what in ("started", "cancelled", "cut", "confirmed", "dropped", "timed")
)
FOREIGN_CONVERSATION = UUID(int=666)


def create_app() -> Flask:
    if patience_s := os.environ.get("TEST_PATIENCE_S"):
        sockets.START_TIMEOUT_S = websocket.STALL_S = float(patience_s)
    app = Flask(__name__)
    errors.register(app)
    acts = Acts(
        authenticate,
        open_conversation,
        start_turn,
        cancel_turn,
        confirm_turn=confirm_turn,
        drop_turn=lambda _, turn_id: told(DROPPED, str(turn_id)),
        cut_off=lambda _, turn_id, heard, played_ms, reason: told(CUT, str(turn_id), heard, played_ms, reason),
        timed=lambda _, turn_id, timings: told(TIMED, str(turn_id), timings),
    )
    continuous.register(app, acts, acts)
    app.add_url_rule("/events/<uuid:doc_id>", view_func=events)
    app.add_url_rule("/state", view_func=state)
    return app


def events(doc_id: UUID) -> Response:
    subject = Subject.document(UUID(DEFAULT_TENANT_ID), doc_id)

    def settled() -> Event | None:
        chunks = get_redis().get(f"test:settled:{doc_id}")
        return Event(EventName.DOCUMENT_PROCESSED, subject, {"chunks": int(chunks)}) if chunks else None

    return sse.stream(
        subject,
        keep=lambda event: event.data.get("hidden") is None,
        until=lambda event: event.name == EventName.DOCUMENT_PROCESSED,
        settled=settled,
        heartbeat_s=float(request.args.get("heartbeat", 0.2)),
    )


def state() -> Response:
    return jsonify(taken=process.seats().taken(), followers=process.relay().followers())


def authenticate(token: str | None) -> Caller:
    if token == "expired":
        raise Unauthenticated
    return Caller(UUID(DEFAULT_TENANT_ID), token or "local", "admin")


def open_conversation(caller: Caller, assistant_key: str, conversation_id: UUID | None) -> UUID:
    if conversation_id == FOREIGN_CONVERSATION:
        raise NotFound
    return conversation_id or uuid4()


def start_turn(
    caller: Caller,
    conversation_id: UUID,
    *,
    assistant_key: str,
    question: str | None = None,
    utterance: bytes | None = None,
    spoken: bool = False,
    language: str | None = None,
    speculative: bool = False,
    speculative_generation: bool = False,
    timings: Mapping[str, Any] | None = None,
) -> UUID:
    if question == "break the store":
        raise StoreUnavailable
    turn_id = uuid4()
    started = {
        "turn_id": str(turn_id),
        "conversation_id": str(conversation_id),
        "user_id": caller.user_id,
        "question": question,
        "seconds": None if utterance is None else len(utterance) / 32_000,
        "spoken": spoken,
        "language": language,
        "speculative": speculative,
        "generates": speculative_generation or not speculative,
        "timings": timings,
    }
    get_redis().rpush(STARTED, json.dumps(started))
    return turn_id


def cancel_turn(caller: Caller, turn_id: UUID, reason: str) -> None:
    told(CANCELLED, str(turn_id), reason)


def confirm_turn(caller: Caller, turn_id: UUID, timings: Mapping[str, Any]) -> bool:
    told(CONFIRMED, str(turn_id), timings)
    return True


def told(to: str, *about: object) -> None:
    """Tell the test what was done."""
    get_redis().rpush(to, json.dumps(about))


def post_worker_init(worker: object) -> None:
    """Called by gunicorn, for which this file is its configuration too."""
    clear_at_sigterm(process.seats())
