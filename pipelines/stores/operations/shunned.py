"""Providers that failed one turn, so that its next sentence does not wait for them again; in Redis, for minutes."""

from typing import cast
from uuid import UUID

import redis

from pipelines.stores.events import reaching_redis

SHUNNED_S = 600
"""Longer than a turn lasts."""


def add(client: "redis.Redis", tenant_id: UUID, subject_id: UUID, provider: str) -> None:
    """Note that a provider failed what is being done for a turn or call. Raises StoreUnavailable."""
    key = _key(tenant_id, subject_id)
    with reaching_redis(), client.pipeline() as pipe:
        pipe.sadd(key, provider)
        pipe.expire(key, SHUNNED_S)
        pipe.execute()


def of(client: "redis.Redis", tenant_id: UUID, subject_id: UUID) -> set[str]:
    """Return the providers that failed it. Raises StoreUnavailable."""
    with reaching_redis():
        found = cast(set[bytes], client.smembers(_key(tenant_id, subject_id)))
    return {name.decode() for name in found}


def _key(tenant_id: UUID, subject_id: UUID) -> str:
    return f"aura:{tenant_id}:shunned:{subject_id}"
