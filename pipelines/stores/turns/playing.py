"""How far the sound of an answer was heard when its listener's connection was cut: for when they come back.

What they have heard decides what the conversation remembers, should they interrupt the answer then.
"""

import json
from typing import Any, cast
from uuid import UUID

import redis

from pipelines.stores.events import reaching_redis

TTL_S = 600


def put(client: "redis.Redis", tenant_id: UUID, conversation_id: UUID, found: dict[str, Any]) -> None:
    """Keep it for ten minutes. Raises StoreUnavailable."""
    with reaching_redis():
        client.set(_key(tenant_id, conversation_id), json.dumps(found), ex=TTL_S)


def take(client: "redis.Redis", tenant_id: UUID, conversation_id: UUID) -> dict[str, Any] | None:
    """Return what was kept and forget it; None where there is nothing. Raises StoreUnavailable."""
    with reaching_redis():
        found = cast(bytes | None, client.getdel(_key(tenant_id, conversation_id)))
    return cast(dict[str, Any], json.loads(found)) if found else None


def _key(tenant_id: UUID, conversation_id: UUID) -> str:
    return f"aura:{tenant_id}:playing:{conversation_id}"
