"""What retrieval need not do twice, in Redis: vectors of questions, and the ground that was found for one.

Both belong to one tenant and may be lost at any time. Where Redis is away they are simply not there.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

import numpy as np
import redis
import structlog
from numpy.typing import NDArray

from pipelines.stores.events import reaching_redis
from pipelines.turn.composing.cache import digest, normalised
from schemas.errors.providers import StoreUnavailable

VECTOR_TTL_S = 86_400
GROUND_TTL_S = 3_600
KEYS_A_BATCH = 500

T = TypeVar("T")

log = structlog.get_logger()


def vector(client: "redis.Redis", tenant_id: UUID, model: str, question: str) -> NDArray[np.float32] | None:
    """Return the question's unit vector by this model, None where it is not remembered."""
    found = _try(lambda: client.get(_vector_key(tenant_id, model, question)))
    return np.frombuffer(cast(bytes, found), np.float32) if found else None


def keep_vector(client: "redis.Redis", tenant_id: UUID, model: str, question: str, found: NDArray[np.float32]) -> None:
    """Remember a question's vector for a day."""
    data = np.ascontiguousarray(found, np.float32).tobytes()
    _try(lambda: client.set(_vector_key(tenant_id, model, question), data, ex=VECTOR_TTL_S))


def ground(client: "redis.Redis", tenant_id: UUID, key: str) -> dict[str, Any] | None:
    """Return what was found for a question; `key` names all that it depends on, the knowledge version too."""
    found = _try(lambda: client.get(_ground_key(tenant_id, key)))
    return cast(dict[str, Any], json.loads(cast(bytes, found))) if found else None


def keep_ground(client: "redis.Redis", tenant_id: UUID, key: str, found: Mapping[str, Any]) -> None:
    """Remember what was found for an hour."""
    data = json.dumps(found).encode()
    _try(lambda: client.set(_ground_key(tenant_id, key), data, ex=GROUND_TTL_S))


def forget(client: "redis.Redis", tenant_id: UUID) -> None:
    """Forget all of a tenant. Raises StoreUnavailable."""
    for kind in ("vector", "ground"):
        with reaching_redis():
            batch: list[bytes] = []
            for key in client.scan_iter(match=f"aura:{tenant_id}:{kind}:*", count=KEYS_A_BATCH):
                batch.append(key)
            for start in range(0, len(batch), KEYS_A_BATCH):
                client.unlink(*batch[start : start + KEYS_A_BATCH])


def _vector_key(tenant_id: UUID, model: str, question: str) -> str:
    return f"aura:{tenant_id}:vector:{digest(model, normalised(question))}"


def _ground_key(tenant_id: UUID, key: str) -> str:
    return f"aura:{tenant_id}:ground:{key}"


def _try(ask: Callable[[], T]) -> T | None:
    try:
        with reaching_redis():
            return ask()
    except StoreUnavailable:
        log.warning("nothing is remembered: Redis does not answer")
        return None
