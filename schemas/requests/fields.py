"""Kinds of fields that several bodies have, each with its bounds."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints


def _plain(text: str) -> str:
    """Return a text without control characters. Raises ValueError."""
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
        raise ValueError("control characters are not allowed")
    return text


MAX_JSON_CHARS = 32_768


def _small(value: dict[str, Any]) -> dict[str, Any]:
    """Return JSON that a row may keep. Raises ValueError."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise ValueError("this cannot be kept as JSON") from error
    if len(text) > MAX_JSON_CHARS or "\\u0000" in text:
        raise ValueError(f"at most {MAX_JSON_CHARS:,} characters of JSON, none of them NUL")
    return value


Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=3, max_length=254, pattern=r"^[^@\s,;<>\"\\()]+@[^@\s,;<>\"\\()]+$"
    ),
    AfterValidator(_plain),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), AfterValidator(_plain)]
# Length and strength are judged by pipelines/identity/passwords.py; this bounds what is hashed at all.
Password = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=1024)]
Json = Annotated[dict[str, Any], AfterValidator(_small)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Color = Annotated[str, StringConstraints(pattern=r"^#(?:[0-9a-fA-F]{3}){1,2}$")]
Locale = Annotated[str, StringConstraints(max_length=255), AfterValidator(_plain)]
