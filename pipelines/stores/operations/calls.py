"""Short calls to a worker whose caller waits: a recording to transcribe, a text to speak, a search.

The message carries the call's id; what goes in and what comes out lies in Redis for a minute or
two. Nothing of it is accepted work: a caller whose worker dies asks again.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import redis

from pipelines.stores.events import reaching_redis
from schemas.errors.providers import ProviderUnavailable, StoreUnavailable

TTL_S = 300
MORE = "more"
"""Field of what is no piece's own: there is another."""

STALL_S, POLL_S = 20.0, 0.05


def ask(
    client: "redis.Redis",
    tenant_id: UUID,
    call_id: UUID,
    facts: Mapping[str, Any],
    body: bytes = b"",
    ttl_s: int = TTL_S,
) -> None:
    """Lay down what the worker needs for `ttl_s` seconds: JSON `facts` and a binary `body`."""
    key = _key(tenant_id, call_id, "in")
    with reaching_redis(), client.pipeline() as pipe:
        pipe.hset(key, mapping={"facts": json.dumps(facts), "body": body})
        pipe.expire(key, ttl_s)
        pipe.execute()


def asked(client: "redis.Redis", tenant_id: UUID, call_id: UUID) -> tuple[dict[str, Any], bytes] | None:
    """Return what `ask` laid down; None where its caller has long gone."""
    with reaching_redis():
        found: dict[bytes, bytes] = client.hgetall(_key(tenant_id, call_id, "in"))  # type: ignore[assignment]
    return (json.loads(found[b"facts"]), found[b"body"]) if found else None


def reply(client: "redis.Redis", tenant_id: UUID, call_id: UUID, facts: Mapping[str, Any], body: bytes = b"") -> None:
    """Hand the result to the waiting caller."""
    key = _key(tenant_id, call_id, "out")
    with reaching_redis(), client.pipeline() as pipe:
        pipe.rpush(key, _packed(facts, body))
        pipe.expire(key, TTL_S)
        pipe.delete(_key(tenant_id, call_id, "in"))
        pipe.execute()


def say(client: "redis.Redis", tenant_id: UUID, call_id: UUID, facts: Mapping[str, Any], body: bytes) -> int | None:
    """Hand a piece of the result to the waiting caller, who gets more until `reply`.

    Return how many pieces wait to be fetched; None where nobody waits for them any more.
    """
    key = _key(tenant_id, call_id, "out")
    with reaching_redis(), client.pipeline() as pipe:
        pipe.rpush(key, _packed({**facts, MORE: True}, body))
        pipe.expire(key, TTL_S)
        pipe.exists(_key(tenant_id, call_id, "gone"))
        waiting, _, gone = pipe.execute()
    return None if gone else int(waiting)


def fetched(client: "redis.Redis", tenant_id: UUID, call_id: UUID, most: int) -> bool:
    """Wait until at most `most` pieces are left to be fetched; False where nobody fetches any for STALL_S seconds."""
    key, least, deadline = _key(tenant_id, call_id, "out"), math.inf, time.monotonic() + STALL_S
    while time.monotonic() < deadline:
        with reaching_redis(), client.pipeline() as pipe:
            pipe.llen(key)
            pipe.exists(_key(tenant_id, call_id, "gone"))
            waiting, gone = pipe.execute()
        if gone or waiting <= most:
            return not gone
        if waiting < least:
            least, deadline = waiting, time.monotonic() + STALL_S
        time.sleep(POLL_S)
    return False


def results(
    client: "redis.Redis", tenant_id: UUID, call_id: UUID, timeout_s: float
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield the pieces of a result as they come, the reply last; each is waited for `timeout_s` seconds at most.

    Closed early it tells the worker that nobody waits any more. Raises ProviderUnavailable.
    """
    ended = False
    try:
        while not ended:
            facts, body = result(client, tenant_id, call_id, timeout_s)
            ended = not facts.pop(MORE, False)
            yield facts, body
    finally:
        if not ended:
            with suppress(StoreUnavailable), reaching_redis(), client.pipeline() as pipe:
                pipe.set(_key(tenant_id, call_id, "gone"), b"1", ex=TTL_S)
                pipe.delete(_key(tenant_id, call_id, "out"))
                pipe.execute()


def result(client: "redis.Redis", tenant_id: UUID, call_id: UUID, timeout_s: float) -> tuple[dict[str, Any], bytes]:
    """Wait for the reply, at most `timeout_s` seconds. Raises ProviderUnavailable."""
    key = _key(tenant_id, call_id, "out")
    waited = 0.0
    # Slices below the client's socket timeout, so that a long wait is not taken for a dead server.
    while waited < timeout_s:
        with reaching_redis():
            found = client.blpop([key], timeout=min(5.0, timeout_s - waited))
        if found:
            data: bytes = found[1]  # type: ignore[index]
            size = int.from_bytes(data[:4], "big")
            return json.loads(data[4 : 4 + size]), data[4 + size :]
        waited += 5.0
    raise ProviderUnavailable("The worker did not answer in time.")


def _packed(facts: Mapping[str, Any], body: bytes) -> bytes:
    head = json.dumps(facts).encode()
    return len(head).to_bytes(4, "big") + head + body


def _key(tenant_id: UUID, call_id: UUID, way: str) -> str:
    return f"aura:{tenant_id}:call:{call_id}:{way}"
