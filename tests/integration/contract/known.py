"""What nobody can make up, and an operation must be given to do its work."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import uuid4

from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from pipelines.turn.sound.audio import wav
from schemas.tables.identity import Purpose
from tests.integration.contract.organisations import Organisation
from tests.integration.people import PASSWORD

THINGS = {
    "/training/qa/": "pair",
    "/training/notes/": "note",
    "/training/materials/": "material",
    "/webhooks/deliveries/": "delivery",
    "/webhooks/": "endpoint",
    "/batches/": "batch",
    "/uploads/": "upload",
    "/pause": "batch",
    "/resume": "batch",
    "/retry": "batch",
    "/users/": "user",
    "/keys/": "key",
    "/documents/": "document",
    "/jobs/": "turn",
    "/memory/conversations/": "conversation",
    "/unanswered/": "question",
    "/evaluations/": "evaluation",
    "/recordings/": "turn",
    "/widget/turns/": "turn",
}
"""What an id in a path is of."""


def _question(here: Organisation) -> dict[str, Any]:
    about = {"assistant_key": here.marked.texts["assistant_key"], "conversation_id": None, "session_id": None}
    return {**about, "tenant_id": str(here.tenant_id), "user_id": None}


def _about_an_organisation() -> dict[str, Any]:
    """Return what can be left out and cannot be null, which the document has no word for."""
    about = {"organization_name": "Acme", "admin_email": f"{uuid4().hex}@example.org", "custom_settings": {"a": 1}}
    return {**about, "record_voice": False, "recording_days": 30}


LIMITS = {"max_users": 9, "max_storage_gb": 9, "max_api_calls_monthly": 9, "max_concurrent_sessions": 9}

NOBODYS = {"assistant_key": None, "tenant_id": None, "user_id": None, "batch_id": None}

KNOWN: dict[str, Callable[[Organisation], dict[str, Any]]] = {
    "POST /api/login": lambda here: {"email": here.email, "password": PASSWORD, "tenant_subdomain": None},
    "POST /api/token/refresh": lambda here: {"refresh_token": here.refresh_token},
    "POST /api/password": lambda _: {"current_password": PASSWORD, "new_password": PASSWORD[::-1]},
    "POST /api/password/forgot": lambda here: {"email": here.email, "tenant_subdomain": None},
    "POST /api/password/reset": lambda here: {"token": here.one_time_token(Purpose.RESET), "password": PASSWORD},
    "POST /api/invitations/accept": lambda here: {
        "token": here.one_time_token(Purpose.INVITATION),
        "password": PASSWORD,
    },
    "POST /api/documents/reindex": lambda here: {
        **{"ids": [str(here.marked.ids["document"])], "stale": None, "batch_id": None, "all": None},
        **{"reread": False, "chunk_tokens": None, "chunk_overlap": None},
    },
    "PATCH /api/tenant": lambda _: _about_an_organisation(),
    "DELETE /api/tenant": lambda here: {"confirm": here.marked.canary},
    "POST /api/tenant/users": lambda _: {"email": f"{uuid4().hex}@example.org"},
    "POST /api/tenants": lambda _: {**_about_an_organisation(), "subdomain": f"s-{uuid4().hex}", "max_users": 9},
    "PATCH /api/tenants/{id}": lambda _: {
        **_about_an_organisation(),
        **LIMITS,
        "subdomain": f"s-{uuid4().hex}",
        "subscription_tier": "premium",
        "is_active": True,
    },
    "POST /api/webhooks": lambda _: {"url": "https://93.184.216.34/hook", "events": ["document.*"], "headers": {}},
    "PATCH /api/webhooks/{id}": lambda _: {
        "url": "https://93.184.216.34/hook",
        "events": ["*"],
        "headers": {},
        "is_active": True,
    },
    "POST /api/webhooks/{id}/replay": lambda _: {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"},
    "POST /api/documents/url": lambda _: {**NOBODYS, "url": "https://93.184.216.34/a.txt", "urls": None},
    "POST /api/documents/dead-letters/replay": lambda _: {"ids": None, "code": None, "batch_id": None},
    "POST /api/knowledge/ingest": lambda _: {**NOBODYS, "text": f"About {uuid4()}", "documents": None},
    "POST /api/training/qa": lambda _: {"prompt": f"What is {uuid4()}?", "response": "It is.", "assistant_key": None},
    "PATCH /api/training/qa/{id}": lambda _: {"prompt": f"What is {uuid4()}?", "assistant_key": None},
    "POST /api/training/notes": lambda _: {"title": f"On {uuid4()}", "content": "It is so.", "assistant_key": None},
    "PATCH /api/training/notes/{id}": lambda _: {"title": f"On {uuid4()}", "assistant_key": None},
    "POST /api/training/materials": lambda _: {"title": f"On {uuid4()}", "filename": None, "assistant_key": None},
    "PATCH /api/training/materials/{id}": lambda _: {"filename": f"{uuid4()}.md", "assistant_key": None},
    "POST /api/agents": lambda _: {"assistant_key": f"a-{uuid4()}"},
    "POST /api/agents/{key}/duplicate": lambda _: {"assistant_key": f"a-{uuid4()}"},
    "PATCH /api/agents/{key}": lambda _: {"assistant_key": None},
    "POST /api/batches": lambda _: {"assistant_key": None},
    "PUT /api/memory/preferences": lambda _: {"preferences": {"detail": 0.2, "team": "blue"}},
    "POST /api/knowledge/unanswered/{id}/answer": lambda _: {"response": "Nine.", "question": f"When is {uuid4()}?"},
    "POST /api/chat/feedback": lambda here: {
        **{"turn_id": str(here.marked.ids["turn"]), "rating": 1, "scale": None},
        **{"tenant_id": None, "user_id": None},
    },
    "POST /api/evaluations": lambda _: {
        "name": "Set",
        "questions": [{"question": "How much?", "answer": "900 euros", "answers": None, "source": None}],
        "data": None,
        "configurations": [],
    },
    "POST /api/chat": _question,
    "POST /rag/chat": _question,
    "POST /api/widget/chat": lambda _: {"conversation_id": None},
}
"""Fields of bodies."""

USING_UP = frozenset(
    {"POST /api/token/refresh", "POST /api/logout", "POST /api/password", "POST /api/tenant/keys/{id}/rotate"}
)
"""After these, as after every DELETE, a credential or what was asked for is another."""

BOUNDARY = "boundary"
FILES: dict[str, Callable[[], tuple[str, bytes]]] = {
    "/api/documents/upload": lambda: ("a.txt", f"About {uuid4()}".encode()),
    "/api/evaluations/upload": lambda: ("a.csv", b"question,answer\nHow much?,900 euros\n"),
    "/api/voice/transcribe": lambda: ("a.wav", wav(bytes(3200), 16_000)),
    "/api/training/qa/import": lambda: ("a.csv", f"prompt,response\nWhat is {uuid4()}?,It is.\n".encode()),
    "/api/training/notes/import": lambda: ("a.csv", f"title,content\nOn {uuid4()},It is so.\n".encode()),
    "/api/training/materials/import": lambda: ("a.csv", f"title,content\nOn {uuid4()},It is so.\n".encode()),
}
"""Files that can be read; what is drawn cannot."""


def form(name: str, content: bytes) -> bytes:
    """Return a form with a file and nothing else."""
    stream, *_ = stream_encode_multipart({"file": FileStorage(BytesIO(content), name)}, boundary=BOUNDARY)
    return stream.read()
