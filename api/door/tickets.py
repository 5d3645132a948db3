"""Tickets: how a browser opens a socket or an event stream, whose address must carry no token.

A ticket is got over HTTP with the token, holds for half a minute, and opens one thing once.
"""

import json
from uuid import UUID

import redis

from pipelines.identity import bearer
from pipelines.identity.bearer import Bearer, Kind
from pipelines.stores.redis import get_redis
from schemas.errors.callers import Unauthenticated
from schemas.errors.providers import StoreUnavailable

VALID_S = 30
NOBODY = UUID(int=0)
"""The credential of the local user, who needs none."""


def issue(tenant_id: UUID, kind: str, credential: UUID | None) -> str:
    """Return a ticket for the bearer of a login or key. Raises StoreUnavailable."""
    ticket = bearer.made(Kind.TICKET, tenant_id)
    about = json.dumps({"kind": kind, "credential": str(credential) if credential else None})
    try:
        get_redis().set(_key(ticket), about, ex=VALID_S)
    except redis.RedisError as error:
        raise StoreUnavailable from error
    return ticket.text


def redeem(ticket: Bearer) -> tuple[str, UUID]:
    """Return kind and id of the credential that the ticket was issued for, and void it. Raises Unauthenticated."""
    try:
        about = get_redis().getdel(_key(ticket))
    except redis.RedisError as error:
        raise StoreUnavailable from error
    if about is None:
        raise Unauthenticated("The ticket was used already or has expired.")
    found = json.loads(about)
    return found["kind"], UUID(found["credential"]) if found["credential"] else NOBODY


def _key(ticket: Bearer) -> str:
    return f"aura:{ticket.tenant_id}:ticket:{ticket.hash}"
