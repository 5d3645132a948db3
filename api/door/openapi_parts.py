"""What the OpenAPI document says beside the views' own models: credentials, forms, headers, and other answers."""

from typing import Any

from schemas.events import EventName
from schemas.requests.dialogue.voice import SpeakBody, TranscribeForm, Transcription, VoiceList
from schemas.requests.documents.documents import UploadForm
from schemas.requests.documents.pages import PageView
from schemas.requests.knowledge.evaluations import EvaluationForm
from schemas.requests.knowledge.imports import ImportBody, ImportForm

TOKEN, KEY, TICKET = "token", "key", "ticket"

SECURITY: dict[str, dict[str, Any]] = {
    TOKEN: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of /api/login, or an API key.",
    },
    KEY: {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
    TICKET: {"type": "apiKey", "in": "query", "name": "ticket", "description": "A ticket of /api/ticket, for one GET."},
}

REF = "#/components/schemas/{model}"
FILE = {"type": "string", "format": "binary"}
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _form(
    model: type[UploadForm] | type[TranscribeForm] | type[ImportForm] | type[EvaluationForm],
) -> dict[str, Any]:
    """Return the schema of a form with a file and the model's fields."""
    fields = model.model_json_schema()["properties"]
    # A field of a form is there or not; it cannot be null.
    plain = {
        name: {**field.get("anyOf", [field])[0], "description": field["description"]} for name, field in fields.items()
    }
    return {"type": "object", "properties": {"file": FILE, **plain}, "required": ["file"]}


def _upload() -> dict[str, Any]:
    """Return the schema of a form with files: `file` or `files`, each any number of times."""
    form = _form(UploadForm)
    many = {"type": "array", "items": FILE, "description": "More files; a batch takes them."}
    return {**form, "properties": {**form["properties"], "files": many}}


IMPORTS = ("/api/training/qa/import", "/api/training/notes/import", "/api/training/materials/import")
ENTRIES: dict[str, Any] = {
    "multipart/form-data": _form(ImportForm),
    "application/json": {"$ref": "#/components/schemas/ImportBody"},
}

FORMS: dict[str, dict[str, Any]] = {
    "/api/documents/upload": {"multipart/form-data": _upload()},
    "/api/evaluations/upload": {"multipart/form-data": _form(EvaluationForm)},
    "/api/voice/transcribe": {"multipart/form-data": _form(TranscribeForm)},
    **dict.fromkeys(IMPORTS, ENTRIES),
    "/api/voice/synthesize": {
        "application/json": {"$ref": "#/components/schemas/SpeakBody"},
        "application/x-www-form-urlencoded": {"$ref": "#/components/schemas/SpeakBody"},
    },
}
"""Bodies that views read themselves, as files and forms of the reference clients need."""

SCHEMAS: dict[str, Any] = {
    "SpeakBody": SpeakBody.model_json_schema(),
    "ImportBody": ImportBody.model_json_schema(),
    # As the library tells of them, but with their examples, which it leaves out.
    "Transcription": Transcription.model_json_schema(ref_template=REF),
    "VoiceList": VoiceList.model_json_schema(ref_template=REF),
}

PAGE_VIEW: dict[str, Any] = PageView.model_json_schema(ref_template=REF)
SCHEMAS |= PAGE_VIEW.pop("$defs")
"""No view has it as a model, so the library does not tell of its parts."""

# OpenAPI 3.1 has no word for the events of a stream: the schema is that of each one.
EVENTS = {
    "text/event-stream": {
        "schema": {
            "type": "object",
            "description": "A server-sent event. `error` ends a stream whose credential was revoked.",
            "properties": {
                "event": {"type": "string", "enum": [*EventName, "error", "reset"]},
                "id": {"type": "string", "description": "Where a client that lost the line goes on."},
                "data": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": {"type": "object"},
                    "description": "The event's fields.",
                },
            },
            "required": ["event", "data"],
        }
    }
}
ALSO_ANSWERS: dict[str, dict[str, Any]] = {
    "/api/chat": EVENTS,
    "/rag/chat": EVENTS,
    "/api/voice/synthesize": {kind: {"schema": FILE} for kind in ("audio/wav", "audio/pcm", "audio/ogg", "audio/mpeg")},
    "/api/evaluations/{id}": {kind: {"schema": {"type": "string"}} for kind in ("text/markdown", "image/svg+xml")},
    "/api/documents/{id}/pages/{n}": {"application/json": {"schema": PAGE_VIEW}},
}
"""Other content of a 200, as the request asks for it."""

REPLAYS = {
    "/api/chat": ("303", "Replayed: the answer's events stream at `Location`."),
    "/rag/chat": ("303", "Replayed: the answer's events stream at `Location`."),
    "/api/voice/synthesize": ("204", "Replayed: it was done, and its sound is too large to be kept."),
}
"""How a repeated POST is answered where its first answer could not be kept (`api/door/idempotency.py`)."""


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string", **schema}}


IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "The same key with the same request gets the first answer again, for 24 hours; the act is done once.",
    pattern=r"^[\x20-\x7e]{1,255}$",
)
PLACE = {"pattern": r"^([0-9]{1,19}(-[0-9]{1,19})?)?$"}
PREFER = _header("Prefer", "`wait=N` waits up to N seconds, 300 at most, for the work to be done.")

RESUME = _header("Last-Event-ID", "Id of the last event that was received; the stream goes on after it.", **PLACE)
TUS = _header("Tus-Resumable", "The version of the tus protocol.", enum=["1.0.0"]) | {"required": True}
CHECKSUM = _header("Upload-Checksum", "`sha1` or `sha256`, and the digest of the body in base64.")
BYTES = {"pattern": r"^[0-9]{1,15}$"}

IF_MATCH = _header("If-Match", "The `ETag` of what was read; where it has changed since, nothing is done (412).")
PRECONDITIONS = (("patch", "/api/agents/{key}"), ("delete", "/api/agents/{key}"))
"""What is done only while a thing is as somebody has read it."""

ENTRY_WRITES = [
    (method, f"/api/training/{kind}{rest}")
    for kind in ("qa", "notes", "materials")
    for method, rest in (("post", ""), ("patch", "/{id}"))
]

PARAMETERS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("post", "/api/documents/upload"): [PREFER],
    ("post", "/api/uploads"): [
        TUS,
        _header("Upload-Length", "Size of the file in bytes.", **BYTES) | {"required": True},
        _header("Upload-Metadata", "Pairs of a name and a base64 value, by commas; `filename` at least."),
        CHECKSUM,
    ],
    ("patch", "/api/uploads/{id}"): [
        TUS,
        _header("Upload-Offset", "Where in the file the body begins.", **BYTES) | {"required": True},
        CHECKSUM,
    ],
    ("delete", "/api/uploads/{id}"): [TUS],
    **{(method, path): [PREFER] for method, path in ENTRY_WRITES},
    **{place: [IF_MATCH] for place in PRECONDITIONS},
    ("delete", "/api/tenant"): [PREFER],
    ("delete", "/api/tenants/{id}"): [PREFER],
    ("get", "/api/events"): [RESUME],
    ("get", "/api/jobs/{id}/events"): [
        RESUME,
        {
            "name": "after",
            "in": "query",
            "description": "The same as Last-Event-ID, for clients that cannot set headers.",
            "schema": {"type": "string", **PLACE},
        },
    ],
}
"""Parameters that are read beside a view's own."""

COUNTER = {"schema": {"type": "integer", "minimum": 0}}
HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"schema": {"type": "string"}, "description": "The revision; `If-Match` asks for no other."},
    "RateLimit-Limit": {**COUNTER, "description": "Calls a minute of the tightest limit that this request counts in."},
    "RateLimit-Remaining": {**COUNTER, "description": "Calls that are left of it."},
    "RateLimit-Reset": {**COUNTER, "description": "Seconds until all of it is there again."},
    "Retry-After": {**COUNTER, "description": "Seconds after which it is worth trying again."},
    "Location": {"schema": {"type": "string", "format": "uri-reference"}, "description": "Where to look further."},
    "Idempotent-Replayed": {"schema": {"const": "true"}, "description": "This is the answer to an earlier request."},
}
"""Headers of answers; none of them is on every one."""

UPLOAD_REFUSALS: dict[tuple[str, str], tuple[int, ...]] = {
    ("post", "/api/uploads"): (412, 415, 423, 460),
    ("get", "/api/uploads/{id}"): (410,),
    ("patch", "/api/uploads/{id}"): (409, 410, 412, 415, 422, 423, 460),
    ("delete", "/api/uploads/{id}"): (410, 412),
    ("post", "/api/documents/upload"): (415,),
    ("post", "/api/knowledge/ingest"): (415,),
}
"""By what files and pieces of them are refused."""

LOCATED = frozenset({("/api/documents/upload", "202"), ("/api/chat", "200"), ("/rag/chat", "200")})
LOCATED |= {("/api/evaluations", "202"), ("/api/evaluations/upload", "202")}
LOCATED |= {("/api/documents/url", "202"), ("/api/knowledge/ingest", "202"), ("/api/uploads", "201")}
LOCATED |= {("/api/agents", "201"), ("/api/agents/{key}/duplicate", "201")}
LOCATED |= {(path, "202") for path in IMPORTS} | {(path, "201") for _, path in ENTRY_WRITES}
LOCATED |= {(path, status) for path in ("/api/tenant", "/api/tenants/{id}") for status in ("200", "202")}
"""Answers that can name a `Location`; so does each replay that is a 303."""
