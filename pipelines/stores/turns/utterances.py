"""What was said into a microphone, for the minutes until it is transcribed. Nothing of it is stored elsewhere."""

from uuid import UUID

import redis

from pipelines.stores.events import reaching_redis

TTL_S = 300


def put(client: "redis.Redis", tenant_id: UUID, turn_id: UUID, pcm: bytes, ttl_s: int = TTL_S) -> None:
    """Keep an utterance, mono PCM16 little-endian at 16 kHz, for `ttl_s` seconds. Raises StoreUnavailable."""
    with reaching_redis():
        client.set(_key(tenant_id, turn_id), pcm, ex=ttl_s)


def get(client: "redis.Redis", tenant_id: UUID, turn_id: UUID) -> bytes | None:
    """Return the utterance; None where it has expired. Raises StoreUnavailable."""
    with reaching_redis():
        found = client.get(_key(tenant_id, turn_id))
    assert found is None or isinstance(found, bytes)
    return found


def delete(client: "redis.Redis", tenant_id: UUID, turn_id: UUID) -> None:
    """Forget the utterance. Raises StoreUnavailable."""
    with reaching_redis():
        client.delete(_key(tenant_id, turn_id))


def _key(tenant_id: UUID, turn_id: UUID) -> str:
    return f"aura:{tenant_id}:utterance:{turn_id}"
