"""Errors at the border: every one leaves as problem+json with a stable code and a trace id."""

import uuid
from typing import Any

import structlog
from flask import Flask, Response, g, json, request
from pydantic import ValidationError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from api import web
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import InvalidRequest, MalformedJson, MessageTooLong
from schemas.errors.tree import AuraError, Transient
from schemas.errors.uploads import FileTooLarge

log = structlog.get_logger()

DRAIN_BYTES = 1 << 30
"""Bytes of a refused body that are read and dropped, so that its sender gets to read the answer."""


def register(app: Flask) -> None:
    """Answer every error of `app` with a problem."""
    app.register_error_handler(AuraError, _aura)
    app.register_error_handler(ValidationError, invalid)
    app.register_error_handler(RequestEntityTooLarge, _too_large)
    app.register_error_handler(OperationalError, lambda _: problem(StoreUnavailable()))
    app.register_error_handler(DataError, lambda _: problem(InvalidRequest("A value cannot be kept as it is.")))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def problem(error: AuraError, errors: list[dict[str, Any]] | None = None, status: int | None = None) -> Response:
    """Return the error as application/problem+json."""
    status = status or error.status
    body: dict[str, Any] = {
        "type": f"urn:aura:problem:{error.code}",
        "title": type(error).sentence(),
        "status": status,
        "code": error.code,
        "detail": error.detail,
        "trace_id": trace_id(),
    }
    if errors:
        body["errors"] = errors
    response = Response(json.dumps(body), status, content_type="application/problem+json")
    if isinstance(error, Transient):
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return response


def invalid(error: ValidationError) -> Response:
    """Return which fields of the request are at fault; values are not repeated."""
    faults = [{"field": ".".join(map(str, fault["loc"])), "detail": fault["msg"]} for fault in error.errors()]
    named = "; ".join(f"{fault['field'] or 'body'}: {fault['detail']}" for fault in faults[:3])
    return problem(InvalidRequest(named), faults)


def trace_id() -> str:
    """Return the id of the request in work, made when first asked for."""
    if "trace_id" not in g:
        g.trace_id = uuid.uuid4().hex
    return str(g.trace_id)


def _aura(error: AuraError) -> Response:
    return problem(error)


def _too_large(_: RequestEntityTooLarge) -> Response:
    stream, left = request.environ["wsgi.input"], DRAIN_BYTES
    while left > 0 and (piece := stream.read(min(left, 1 << 20))):
        left -= len(piece)
    if request.mimetype == "multipart/form-data":
        return problem(FileTooLarge())
    return problem(MessageTooLong("The body is too long; only files, sent as a form, may be large."))


def _http(error: HTTPException) -> Response:
    """Translate what Flask itself refuses: unknown paths, wrong methods, malformed bodies."""
    status = error.code or 500
    if status == 400 and request.is_json:
        return problem(MalformedJson())
    if status == 404 and (page := web.not_found()) is not None:
        return page
    known = type("Refused", (InvalidRequest,), {"__doc__": error.name, "code": CODES.get(status, "refused")})
    response = problem(known(error.description or error.name), status=status)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "file_too_large",
    415: "unsupported_type",
    431: "headers_too_large",
    500: "internal_error",
}


def _unforeseen(error: Exception) -> Response:
    log.exception("request broke", path=request.path, trace_id=trace_id())
    return problem(AuraError("Something went wrong on our side. The trace id finds it in the log."))
