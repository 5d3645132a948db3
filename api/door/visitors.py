"""Visitors of other sites, whom a widget lets in without an account: for an hour, from one site, to one assistant."""

import json
from dataclasses import dataclass
from uuid import UUID, uuid4

import redis

from pipelines.identity import bearer
from pipelines.identity.bearer import Bearer, Kind
from pipelines.stores.redis import get_redis
from schemas.errors.callers import Forbidden, TokenExpired
from schemas.errors.providers import StoreUnavailable

VALID_S = 3_600


@dataclass(frozen=True)
class Visit:
    """By which widget somebody came, as whom, and from which site."""

    widget_id: UUID
    visitor: str
    origin: str


def issue(tenant_id: UUID, widget_id: UUID, origin: str) -> str:
    """Return a token for a new visitor. Raises StoreUnavailable."""
    token = bearer.made(Kind.VISITOR, tenant_id)
    about = {"widget_id": str(widget_id), "visitor": f"visitor:{uuid4()}", "origin": origin}
    try:
        get_redis().set(_key(token), json.dumps(about), ex=VALID_S)
    except redis.RedisError as error:
        raise StoreUnavailable from error
    return token.text


def redeem(token: Bearer, origin: str | None) -> Visit:
    """Return the visit that a token stands for. Raises TokenExpired, and Forbidden for a page of another site."""
    try:
        about = get_redis().get(_key(token))
    except redis.RedisError as error:
        raise StoreUnavailable from error
    if about is None:
        raise TokenExpired
    found = json.loads(about)  # type: ignore[arg-type]
    if origin != found["origin"]:
        raise Forbidden("This token is for another site.")
    return Visit(UUID(found["widget_id"]), found["visitor"], found["origin"])


def _key(token: Bearer) -> str:
    return f"aura:{token.tenant_id}:visitor:{token.hash}"
