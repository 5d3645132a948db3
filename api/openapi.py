"""The OpenAPI document: what flask-openapi3 collects, completed by who may call what and how it is refused."""

import re
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from flask import Flask
from flask_openapi3 import OpenAPI

from api.permissions import declared
from schemas.identity import Permission
from schemas.requests import SpeakBody

METHODS = frozenset({"get", "put", "post", "delete", "patch"})

SECURITY = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of /api/login, or an API key.",
    },
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
}

FILE = {"type": "string", "format": "binary"}
FORMS: dict[str, dict[str, Any]] = {
    "/api/documents/upload": {
        "multipart/form-data": {
            "type": "object",
            "properties": {
                "file": FILE,
                "assistant_key": {"type": "string", "description": "Only this assistant may use the document."},
                "user_id": {"type": "string"},
            },
            "required": ["file"],
        }
    },
    "/api/voice/transcribe": {
        "multipart/form-data": {
            "type": "object",
            "properties": {"file": FILE, "language": {"type": "string"}},
            "required": ["file"],
        }
    },
    "/api/voice/synthesize": {
        "application/json": {"$ref": "#/components/schemas/SpeakBody"},
        "application/x-www-form-urlencoded": {"$ref": "#/components/schemas/SpeakBody"},
    },
}
"""Bodies that views read themselves, as files and forms of the reference clients need."""


def document(app: OpenAPI) -> dict[str, Any]:
    """Return the whole document."""
    return _completed(app)


@lru_cache(maxsize=4)
def _completed(app: OpenAPI) -> dict[str, Any]:
    found = app.api_doc
    found["components"]["securitySchemes"] = SECURITY
    found["components"]["schemas"]["SpeakBody"] = SpeakBody.model_json_schema()
    permissions = dict(_permissions(app))
    for path, item in found["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                _complete(operation, method, path, permissions[path, method])
    return found


def _complete(operation: dict[str, Any], method: str, path: str, permission: Permission) -> None:
    operation["x-permission"] = permission.value
    operation["security"] = [] if permission is Permission.PUBLIC else [{name: []} for name in SECURITY]
    if path in FORMS:
        content = {kind: {"schema": schema} for kind, schema in FORMS[path].items()}
        operation["requestBody"] = {"content": content, "required": True}
    for status in _refusals(operation, method, path, permission):
        operation["responses"][str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    # A view without a model of its own still answers.
    if not any(status.startswith(("2", "3")) for status in operation["responses"]):
        operation["responses"]["200"] = {"description": "OK"}


def _refusals(operation: dict[str, Any], method: str, path: str, permission: Permission) -> Iterator[int]:
    """Yield the statuses by which this operation can refuse."""
    yield from (403, 422, 429, 503)
    if permission is not Permission.PUBLIC:
        yield 401
    if "{" in path or "assistant_key" in str(operation) or "requestBody" in operation:
        yield 404
    if method != "get":
        yield from (400, 409, 413, 415)
    if path in ("/api/login", "/api/token/refresh"):
        yield 401


def _permissions(app: Flask) -> Iterator[tuple[tuple[str, str], Permission]]:
    """Yield each route's path, as the document writes it, and method, with what it asks for."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in rule.methods or ():
            yield (path, method.lower()), declared(app, rule.endpoint)
