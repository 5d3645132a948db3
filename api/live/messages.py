"""JSON messages of sockets, checked."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors.requests import InvalidRequest, MalformedJson


class ClientMessage(BaseModel):
    """A message; fields it does not know are ignored."""

    model_config = ConfigDict(extra="ignore")


Kind = TypeVar("Kind", bound=ClientMessage)


def read(kind: type[Kind], message: dict[str, Any]) -> Kind:
    """Return the message as `kind`. Raises InvalidRequest, which names the fields; values are not repeated."""
    try:
        return kind.model_validate(message)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3]]
        raise InvalidRequest("; ".join(faults)) from None


def parse(text: str) -> dict[str, Any]:
    """Return a client's message. Raises MalformedJson, and InvalidRequest where it has no `type`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedJson("The message is not valid JSON.") from None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise InvalidRequest("A message is an object with a `type`.")
    return found
