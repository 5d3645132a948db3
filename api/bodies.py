"""JSON at the border: strict where Python's parser is lenient."""

import json
from typing import Any

from flask import Flask, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadRequest

from schemas.errors import MalformedJson


class StrictJson(DefaultJSONProvider):
    """Refuses NaN, infinities and duplicate keys, and nesting beyond what the parser can hold."""

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return json.loads(s, parse_constant=_refuse_constant, object_pairs_hook=_unique, **kwargs)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def register(app: Flask) -> None:
    """Parse JSON bodies of `app` strictly, before any view sees them."""
    app.json = StrictJson(app)
    app.before_request(_parse)


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
