"""The OpenAPI document: what flask-openapi3 collects, completed by who may call what and how it is refused."""

import re
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from flask import Flask
from flask_openapi3 import OpenAPI

from api.door.openapi_parts import (
    ALSO_ANSWERS,
    FORMS,
    HEADERS,
    IDEMPOTENCY_KEY,
    KEY,
    LOCATED,
    PARAMETERS,
    PRECONDITIONS,
    PROBLEM,
    REPLAYS,
    SCHEMAS,
    SECURITY,
    TICKET,
    TOKEN,
    UPLOAD_REFUSALS,
)
from api.door.permissions import declared
from schemas.tables.identity import Permission

METHODS = frozenset({"get", "put", "post", "delete", "patch"})

CONFLICTS = frozenset(
    {
        ("post", "/api/signup"),
        ("delete", "/api/jobs/{id}"),
        ("delete", "/api/tenant"),
        ("delete", "/api/tenants/{id}"),
        ("patch", "/api/tenants/{id}"),
        ("delete", "/api/tenant/users/{id}"),
        ("patch", "/api/tenant/users/{id}"),
        ("delete", "/api/agents/{key}"),
        *(("patch", f"/api/training/{kind}/{{id}}") for kind in ("qa", "notes", "materials")),
        ("get", "/api/documents/{id}/pages/{n}"),
    }
)
"""What can be refused as things stand. So can every POST of somebody, while the same one is in work."""

COUNTED = ("/api/signup", "/api/login", "/api/password/", "/api/invitations/", "/api/widget/{id}/visits")
"""Public routes at which tries are counted."""


def document(app: OpenAPI) -> dict[str, Any]:
    """Return the whole document."""
    return _completed(app)


@lru_cache(maxsize=4)
def _completed(app: OpenAPI) -> dict[str, Any]:
    found = app.api_doc
    found["components"] |= {"securitySchemes": SECURITY, "headers": HEADERS}
    found["components"]["schemas"] |= SCHEMAS
    permissions = dict(_permissions(app))
    for path, item in found["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                _complete(operation, method, path, permissions[path, method])
    return found


def _complete(operation: dict[str, Any], method: str, path: str, permission: Permission) -> None:
    secured = permission is not Permission.PUBLIC
    operation["x-permission"] = permission.value
    schemes = [TOKEN, KEY, *([TICKET] if method == "get" else [])] if secured else []
    operation["security"] = [{name: []} for name in schemes]
    if path in FORMS:
        content = {kind: {"schema": schema} for kind, schema in FORMS[path].items()}
        operation["requestBody"] = {"content": content, "required": True}
    parameters = [*PARAMETERS.get((method, path), []), *([IDEMPOTENCY_KEY] if secured and method == "post" else [])]
    if parameters:
        operation.setdefault("parameters", []).extend(parameters)
    _complete_answers(operation, method, path, secured)


def _complete_answers(operation: dict[str, Any], method: str, path: str, secured: bool) -> None:
    """Add how the operation refuses, what else it answers, and the headers that answers may have."""
    answers = operation["responses"]
    # The library documents it everywhere, also where nothing is validated.
    answers.pop("422", None)
    for status in _refusals(operation, method, path, secured):
        answers.setdefault(str(status), {"description": _phrase(status), "content": PROBLEM})
    if path in ALSO_ANSWERS and "200" in answers:
        answers["200"]["content"] |= ALSO_ANSWERS[path]
    if path in REPLAYS:
        status, description = REPLAYS[path]
        answers[status] = {"description": description}
    for status, answer in answers.items():
        names = set(_headers(method, path, status, secured))
        if names:
            answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}


def _phrase(status: int) -> str:
    return (
        HTTPStatus(status).phrase if status in set(HTTPStatus) else "Checksum Mismatch"
    )  # tus has a status of its own.


def _refusals(operation: dict[str, Any], method: str, path: str, secured: bool) -> Iterator[int]:
    """Yield the statuses by which this operation can refuse."""
    yield from (400, 403)  # No HTTP or no JSON; a foreign Host or origin, another's tenant.
    if path.startswith("/health"):
        return
    yield 503
    if secured:
        yield from (401, 404, 413, 429)  # 404: nobody lives at the address that the Host header names.
    elif method == "post":
        yield 413
    if path in ("/api/login", "/api/token/refresh", "/metrics"):
        yield 401
    if path in ("/api/tenant/branding", "/api/widget/{id}/visits"):
        yield 404
    if path.startswith(COUNTED):
        yield 429
    if (method, path) in CONFLICTS or (secured and method == "post"):
        yield 409
    # What is read of a Prefer header that means nothing is nothing; an id that is none finds no route.
    judged = any(each["in"] == "query" or each is IDEMPOTENCY_KEY for each in operation.get("parameters", ()))
    if "requestBody" in operation or judged or "{provider}" in path or "{key}" in path:
        yield 422
    if (method, path) in PRECONDITIONS:
        yield 412
    yield from UPLOAD_REFUSALS.get((method, path), ())


def _headers(method: str, path: str, status: str, secured: bool) -> Iterator[str]:
    """Yield the names of the headers that an answer of this status may have."""
    if secured and status not in ("400", "401"):
        yield from ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    if status in ("409", "423", "429", "503"):
        yield "Retry-After"
    if path.startswith("/api/agents") and status.startswith("2"):
        yield "ETag"
    if (path, status) in LOCATED or status == "303":
        yield "Location"
    if secured and method == "post" and not status.startswith("5"):
        yield "Idempotent-Replayed"


def _permissions(app: Flask) -> Iterator[tuple[tuple[str, str], Permission]]:
    """Yield each route's path, as the document writes it, and method, with what it asks for."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in rule.methods or ():
            yield (path, method.lower()), declared(app, rule.endpoint)
