"""Whether the providers work, as all processes have found it: a circuit for each that failed lately, in Redis.

A circuit is one provider of one kind, reached with the deployment's key or with a tenant's own. Its
calls that work are counted in the processes that make them and told along with the next one that
fails, so that a provider that works costs Redis nothing. It is degraded from the moment at which
`MIN_FAILURES` calls have failed within `WINDOW_S`, being `MIN_SHARE` of all calls in it at least,
until `RECOVERS_AFTER` calls in a row have worked or nothing has failed for `STALE_S`.

States follow the circuit breaker of M. Nygard, Release It! (2018): OPEN for `OPEN_FOR_S` after a
failure, then HALF_OPEN, in which a call may be tried. Who routes by it asks `breaker`, which lets one try at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, cast
from uuid import UUID

import redis

from pipelines.stores.events import reaching_redis

WINDOW_S = 60
MIN_FAILURES = 3
MIN_SHARE = 0.5
RECOVERS_AFTER = 2
OPEN_FOR_S = 10
STALE_S = 600
MAX_KEPT = 200
"""Failures of a circuit that are remembered; more within the window change nothing."""

DEGRADED = "aura:deployment:provider:degraded"
"""Circuits that are degraded, by the time of their last failure."""


class State(StrEnum):
    """What a circuit says about the next call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class Circuit:
    """One provider of one kind; `tenant_id` is whose own key it is reached with, None for the deployment's."""

    kind: str
    provider: str
    tenant_id: UUID | None = None

    @property
    def key(self) -> str:
        """Return where its state is kept; `read` is the way back."""
        return f"aura:{self.tenant_id or 'deployment'}:provider:{self.kind}:{self.provider}"

    @classmethod
    def read(cls, key: str) -> "Circuit":
        """Return the circuit whose state is kept at `key`."""
        _, owner, _, kind, provider = key.split(":", 4)
        return cls(kind, provider, None if owner == "deployment" else UUID(owner))


@dataclass(frozen=True)
class Verdict:
    """What a call has changed: whether the circuit is degraded now, and who is to be told that it became
    so, or recovered, just now. Each of them is told once, whoever of many callers comes first."""

    degraded: bool
    tell: tuple[UUID, ...] = ()


# KEYS: state, failures, tenants that were told, the degraded. ARGV: tenant, calls that worked since this
# process told last, window, failures and share that degrade, most to keep, time to live.
# A failure is "time calls-that-worked tenant".
_FAILED = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local window, ttl = tonumber(ARGV[3]), ARGV[7]
redis.call('HSET', KEYS[1], 'failed_at', now, 'worked', 0)
redis.call('LPUSH', KEYS[2], string.format('%.6f %d %s', now, ARGV[2], ARGV[1]))
redis.call('LTRIM', KEYS[2], 0, ARGV[6] - 1)
local degraded, tell = redis.call('HEXISTS', KEYS[1], 'degraded_at'), {}
if degraded == 1 then
  tell = {ARGV[1]}
else
  local failed, worked, affected = 0, 0, {}
  for _, each in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local at, ok, tenant = string.match(each, '(%S+) (%S+) (%S+)')
    if now - tonumber(at) > window then break end
    failed, worked = failed + 1, worked + tonumber(ok)
    affected[#affected + 1] = tenant
  end
  if failed >= tonumber(ARGV[4]) and failed >= tonumber(ARGV[5]) * (failed + worked) then
    degraded, tell = 1, affected
    redis.call('HSET', KEYS[1], 'degraded_at', now)
  end
end
local new = {}
for _, tenant in ipairs(tell) do
  if redis.call('SADD', KEYS[3], tenant) == 1 then new[#new + 1] = tenant end
end
if degraded == 1 then redis.call('ZADD', KEYS[4], now, KEYS[1]) end
for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ttl) end
return {degraded, new}
"""

# KEYS: as above. ARGV: how many calls in a row must have worked; for how long nothing must have failed,
# where no call is at hand.
_WORKED = """
if redis.call('HEXISTS', KEYS[1], 'degraded_at') == 0 then
  redis.call('ZREM', KEYS[4], KEYS[1])
  return {0, {}}
end
if ARGV[2] == '' then
  if redis.call('HINCRBY', KEYS[1], 'worked', 1) < tonumber(ARGV[1]) then return {1, {}} end
else
  local time, failed_at = redis.call('TIME'), redis.call('HGET', KEYS[1], 'failed_at')
  if time[1] + time[2] / 1e6 - failed_at < tonumber(ARGV[2]) then return {1, {}} end
end
local told = redis.call('SMEMBERS', KEYS[3])
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
redis.call('ZREM', KEYS[4], KEYS[1])
return {0, told}
"""


class _Script(Protocol):
    def __call__(self, *, keys: Sequence[str], args: Sequence[Any], client: "redis.Redis") -> Any: ...


def failed(client: "redis.Redis", circuit: Circuit, tenant_id: UUID, worked: int) -> Verdict:
    """Count a call of the tenant that failed, and `worked` others before it. Raises StoreUnavailable.

    Those to be told are the tenants whose calls have failed within the window, once it is degraded.
    """
    # Twice as long as `settle` waits: what it has not come to see by then is forgotten.
    args = [str(tenant_id), worked, WINDOW_S, MIN_FAILURES, MIN_SHARE, MAX_KEPT, 2 * STALE_S]
    return _run(client, _FAILED, circuit, args)


def worked(client: "redis.Redis", circuit: Circuit) -> Verdict:
    """Count a call that worked while the circuit was degraded. Raises StoreUnavailable."""
    return _run(client, _WORKED, circuit, [RECOVERS_AFTER, ""])


def settle(client: "redis.Redis", circuit: Circuit) -> Verdict:
    """End the degradation of a circuit that nothing has come from for `STALE_S`. Raises StoreUnavailable.

    So it is with a provider that is used no more, or whose callers have died.
    """
    return _run(client, _WORKED, circuit, [RECOVERS_AFTER, STALE_S])


def degraded(client: "redis.Redis") -> list[Circuit]:
    """Return the circuits that are degraded, the quietest first. Raises StoreUnavailable."""
    with reaching_redis():
        return [Circuit.read(key.decode()) for key in cast(list[bytes], client.zrange(DEGRADED, 0, -1))]


def state(client: "redis.Redis", circuit: Circuit) -> State:
    """Return what the circuit says about the next call. Raises StoreUnavailable."""
    with reaching_redis():
        degraded_at, failed_at = cast(list[bytes | None], client.hmget(circuit.key, ["degraded_at", "failed_at"]))
        if degraded_at is None or failed_at is None:
            return State.CLOSED
        seconds, micros = cast(tuple[int, int], client.time())
    return State.OPEN if seconds + micros / 1e6 - float(failed_at) < OPEN_FOR_S else State.HALF_OPEN


def is_open(client: "redis.Redis", circuit: Circuit) -> bool:
    """Return whether the next call had better go elsewhere. Raises StoreUnavailable."""
    return state(client, circuit) is State.OPEN


def _run(client: "redis.Redis", source: str, circuit: Circuit, args: Sequence[Any]) -> Verdict:
    keys = [circuit.key, f"{circuit.key}:failures", f"{circuit.key}:told", DEGRADED]
    script = cast(_Script, client.register_script(source))
    with reaching_redis():
        is_degraded, tell = script(keys=keys, args=args, client=client)
    return Verdict(bool(is_degraded), tuple(UUID(each.decode()) for each in tell))
