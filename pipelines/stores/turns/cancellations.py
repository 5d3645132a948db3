"""A flag that tells the steps of a turn, between two tokens, that nobody wants it any more."""

from uuid import UUID

import redis

TTL_S = 600


def request(client: "redis.Redis", tenant_id: UUID, turn_id: UUID) -> None:
    """Raise the flag of a turn for ten minutes."""
    client.set(_key(tenant_id, turn_id), b"1", ex=TTL_S)


def requested(client: "redis.Redis", tenant_id: UUID, turn_id: UUID) -> bool:
    """Return whether the flag is up."""
    return bool(client.exists(_key(tenant_id, turn_id)))


def _key(tenant_id: UUID, turn_id: UUID) -> str:
    return f"aura:{tenant_id}:cancelled:{turn_id}"
