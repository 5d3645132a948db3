"""JSON at the border: strict where Python's parser is lenient."""

import json
from typing import Any

from flask import Flask, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadRequest

from schemas.errors.requests import MalformedJson
from schemas.settings import get_settings

MAX_BYTES = 1 << 20
"""Largest body that is no multipart form: many times the longest question."""


class StrictJson(DefaultJSONProvider):
    """Refuses NaN, infinities and duplicate keys, and nesting beyond what the parser can hold."""

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return json.loads(s, parse_constant=_refuse_constant, object_pairs_hook=_unique, **kwargs)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def register(app: Flask) -> None:
    """Bound what is read of a body before anybody has asked who sends it."""
    app.json = StrictJson(app)
    app.before_request(_bound)


def register_parsing(app: Flask) -> None:
    """Parse JSON bodies strictly, before any view sees them. Stands after all that may refuse a request unread."""
    app.before_request(_parse)


LARGE = ("documents.upload", "uploads.patch", "uploads.create")
"""Views that take many files or archives at once, or pieces of a file: none of it is held in memory."""

TEXTS = ("knowledge.ingest", "training.bring", "training_notes.bring", "training_materials.bring")
MAX_TEXTS_BYTES = 32 << 20


def _bound() -> None:
    """Files come as forms, and may be as large as the server accepts; little else is large."""
    endpoint = (request.endpoint or "").partition("@")[0]
    if endpoint in LARGE:
        request.max_content_length = (get_settings().max_batch_mb + 1) << 20
        if endpoint == "uploads.create" and "Idempotency-Key" in request.headers:
            request.max_content_length = MAX_BYTES  # What is compared with an earlier request is read whole.
    elif endpoint in TEXTS and request.mimetype != "multipart/form-data":
        request.max_content_length = MAX_TEXTS_BYTES
    elif request.mimetype != "multipart/form-data":
        request.max_content_length = MAX_BYTES


def _parse() -> None:
    if request.is_json and request.method not in ("GET", "HEAD", "OPTIONS"):
        try:
            request.get_json()
        except BadRequest as error:
            raise MalformedJson from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found
