"""How often and how much at once: calls by the minute and the month, tries at the door, open sessions.

All of it is counted in Redis, by scripts that take one round trip, so that it is exact over all
processes. Times are those of Redis, so that the clocks of web processes need not agree.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any, Protocol, cast
from uuid import UUID

import redis

from pipelines.stores.events import reaching_redis
from pipelines.stores.organisation import quotas
from pipelines.stores.organisation.quotas import Resource
from schemas.errors.callers import QuotaExceeded, TooManyTries
from schemas.events import EventName

UNFLUSHED = "aura:unflushed"
"""The set of counters (`tenant:month`) that have moved since their rows were written. It holds no tenant's data."""

UNLIMITED = 1 << 52
"""More calls than anybody makes in a month."""

SESSION_RETRY_S = 10
"""When one who found no place for a session may ask again."""

SESSION_COUNTS_FOR_S = 30
"""Seconds after its last sign of life for which a session takes a place."""

# A rate is a leaky bucket (GCRA): a bucket's key holds the time at which it would be empty again, and
# each call moves that by a `step`. Either all buckets and the month take the call, or none does.
# KEYS: month's counter, unflushed counters, flags of warning and exceeded, then the buckets.
# ARGV: calls allowed in the month, what the row says (may be empty), the counter's name in the set,
# seconds a counter lives, for how many calls it counts, then the buckets' limits. Times are in microseconds.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wait, refusing, shown, spare, reset = 0, 0, 0, nil, 0
local full = {}
for i = 5, #KEYS do
  local limit = tonumber(ARGV[i + 1])
  local step = math.floor(60000000 / limit)
  full[i] = math.max(now, tonumber(redis.call('GET', KEYS[i]) or 0)) + step
  local over = full[i] - now - step * limit
  local left = math.floor(-over / step)
  if over > wait then wait, refusing = over, limit end
  if not spare or left < spare then spare, shown, reset = left, limit, full[i] - now end
end
if wait > 0 then return {1, refusing, 0, wait, 0, 0} end
local calls = tonumber(redis.call('GET', KEYS[1]) or ARGV[2])
if not calls then return {3, 0, 0, 0, 0, 0} end
local most, told = tonumber(ARGV[1]), 0
local function tell(key, level)
  if redis.call('SET', key, 1, 'NX', 'EX', ARGV[4]) then told = told + level end
end
if calls >= most then
  tell(KEYS[4], 2)
  return {2, shown, spare or 0, reset, calls, told}
end
calls = calls + tonumber(ARGV[5])
redis.call('SET', KEYS[1], string.format('%.0f', calls), 'EX', ARGV[4])
if ARGV[5] == '1' then redis.call('SADD', KEYS[2], ARGV[3]) end
for i = 5, #KEYS do
  redis.call('SET', KEYS[i], string.format('%.0f', full[i]), 'PX', math.ceil((full[i] - now) / 1000))
end
if calls * 5 >= most * 4 then tell(KEYS[3], 1) end
if calls >= most then tell(KEYS[4], 2) end
return {0, shown, spare or 0, reset, calls, told}
"""

# KEYS: month's counter, unflushed counters. ARGV: calls that were written, what the row says now, name.
_FLUSHED = """
local calls = tonumber(redis.call('GET', KEYS[1]) or 0)
if calls > 0 and calls < tonumber(ARGV[2]) then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL') end
if calls <= tonumber(ARGV[1]) then redis.call('SREM', KEYS[2], ARGV[3]) end
"""

# KEYS: tries. ARGV: limit, window in seconds. Returns the milliseconds to wait, 0 where the try may go on.
_TRY = """
local tries = redis.call('INCR', KEYS[1])
if tries == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
if tries <= tonumber(ARGV[1]) then return 0 end
return math.max(1, redis.call('PTTL', KEYS[1]))
"""

# KEYS: sessions by their last sign of life. ARGV: session, limit, seconds it counts. Returns how many there
# are, negative where there is no place.
_ENTER = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.3f', now - ARGV[3]))
local there = redis.call('ZCARD', KEYS[1])
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  if there >= tonumber(ARGV[2]) then return -1 - there end
  there = there + 1
end
redis.call('ZADD', KEYS[1], string.format('%.3f', now), ARGV[1])
redis.call('EXPIRE', KEYS[1], 2 * ARGV[3])
return there
"""


class Verdict(IntEnum):
    """What became of a call. UNSEEDED: Redis does not know the month's calls and must be told."""

    ALLOWED = 0
    TOO_FAST = 1
    USED_UP = 2
    UNSEEDED = 3


@dataclass(frozen=True)
class Taken:
    """A call that was counted or refused.

    `limit` and `remaining` are those of the bucket nearest to its end, in calls a minute. `reset_s` is when
    it is whole again or, where the call came too fast, when the next one may come. `told` are the events due.
    """

    verdict: Verdict
    limit: int
    remaining: int
    reset_s: float
    calls: int
    told: tuple[EventName, ...]


class _Script(Protocol):
    def __call__(self, *, keys: Sequence[str], args: Sequence[Any], client: "redis.Redis") -> Any: ...


def take(
    client: "redis.Redis",
    tenant_id: UUID,
    buckets: Mapping[str, int],
    max_calls: int,
    month: date,
    counted: int | None = None,
    *,
    counts: bool = True,
) -> Taken:
    """Count a call in every bucket (name: calls a minute) and in the month, or refuse it in all of them.

    `counted` is what the month's row says; it is used only where Redis has lost the counter. One that does not
    `counts` is held to the rates alone. Raises StoreUnavailable.
    """
    flags = quotas.flags(tenant_id, Resource.API_CALLS, month)
    keys = [_counter(tenant_id, month), UNFLUSHED, flags[EventName.QUOTA_WARNING], flags[EventName.QUOTA_EXCEEDED]]
    keys += [f"aura:{tenant_id}:rate:{name}" for name in buckets]
    seed = "" if counted is None else counted
    most = max_calls if counts else UNLIMITED
    args = [most, seed, _member(tenant_id, month), quotas.MONTH_TTL_S, int(counts), *buckets.values()]
    verdict, limit, remaining, reset, calls, told = _run(client, _TAKE, keys, args)
    levels = (EventName.QUOTA_WARNING, EventName.QUOTA_EXCEEDED)
    return Taken(
        Verdict(verdict),
        limit,
        remaining,
        reset / 1e6,
        calls,
        tuple(level for bit, level in enumerate(levels) if told & 1 << bit),
    )


def counted(client: "redis.Redis", counters: Sequence[tuple[UUID, date]]) -> list[int]:
    """Return how many calls Redis knows of each tenant and month, 0 where none."""
    if not counters:
        return []
    with reaching_redis():
        found = client.mget([_counter(*counter) for counter in counters])
    return [int(value or 0) for value in cast(list[bytes | None], found)]


def unflushed(client: "redis.Redis") -> list[tuple[UUID, date]]:
    """Return the tenants and months whose counters have moved since they were last written."""
    with reaching_redis():
        members = cast(set[bytes], client.smembers(UNFLUSHED))
    named = [member.decode().split(":") for member in members]
    return [(UUID(tenant), date.fromisoformat(f"{month}-01")) for tenant, month in named]


def flushed(client: "redis.Redis", tenant_id: UUID, month: date, calls: int, row: int) -> None:
    """Say that `calls` were written and that the row now has `row`, below which no counter falls."""
    _run(client, _FLUSHED, [_counter(tenant_id, month), UNFLUSHED], [calls, row, _member(tenant_id, month)])


def tries(client: "redis.Redis", name: str, key: str, limit: int, window_s: int) -> None:
    """Count a try at a public route, `limit` of which are allowed within `window_s` seconds of the first.

    Raises TooManyTries, and StoreUnavailable: a throttle that cannot count lets nobody in.
    """
    wait_ms = _run(client, _TRY, [_door(name, key)], [limit, window_s])
    if wait_ms:
        raise TooManyTries(retry_after_s=math.ceil(wait_ms / 1e3))


def forgive(client: "redis.Redis", name: str, key: str) -> None:
    """Forget the tries that were counted. Raises StoreUnavailable."""
    with reaching_redis():
        client.delete(_door(name, key))


def enter_session(client: "redis.Redis", tenant_id: UUID, session_id: object, limit: int, group: str = "") -> int:
    """Take a place for an open session and return how many there are now; with `group` one of that group's.

    The place is kept by `keep_session` and given back by `leave_session`; that of a process which died
    is free after 30 s. Raises QuotaExceeded where all `limit` places are taken, and StoreUnavailable.
    """
    there = _enter(client, tenant_id, session_id, limit, group)
    if there < 0:
        most = f"The organisation has {-1 - there} open sessions, as many as its subscription allows."
        # Sessions end at any time: it may work soon, with nothing changed.
        raise QuotaExceeded(most, retry_after_s=SESSION_RETRY_S)
    return there


def keep_session(client: "redis.Redis", tenant_id: UUID, session_id: object, limit: int, group: str = "") -> bool:
    """Say that the session is alive, at least every 10 s; False where its place was lost to others.

    After Redis was emptied the session takes its place again. Raises StoreUnavailable.
    """
    return _enter(client, tenant_id, session_id, limit, group) >= 0


def leave_session(client: "redis.Redis", tenant_id: UUID, session_id: object, group: str = "") -> None:
    """Give the session's place back. Raises StoreUnavailable."""
    with reaching_redis():
        client.zrem(_sessions(tenant_id, group), str(session_id))


def sessions(client: "redis.Redis", tenant_id: UUID) -> int:
    """Return how many sessions are open. Raises StoreUnavailable."""
    with reaching_redis():
        seconds, micros = cast(tuple[int, int], client.time())
        return cast(int, client.zcount(_sessions(tenant_id), seconds + micros / 1e6 - SESSION_COUNTS_FOR_S, "+inf"))


def _enter(client: "redis.Redis", tenant_id: UUID, session_id: object, limit: int, group: str) -> int:
    args = [str(session_id), limit, SESSION_COUNTS_FOR_S]
    return cast(int, _run(client, _ENTER, [_sessions(tenant_id, group)], args))


def _run(client: "redis.Redis", source: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
    script = cast(_Script, client.register_script(source))
    with reaching_redis():
        return script(keys=keys, args=args, client=client)


def _counter(tenant_id: UUID, month: date) -> str:
    return f"aura:{tenant_id}:calls:{month:%Y-%m}"


def _member(tenant_id: UUID, month: date) -> str:
    return f"{tenant_id}:{month:%Y-%m}"


def _sessions(tenant_id: UUID, group: str = "") -> str:
    return f"aura:{tenant_id}:sessions" + (f":{group}" if group else "")


def _door(name: str, key: str) -> str:
    return f"aura:door:{name}:{hashlib.sha256(key.encode()).hexdigest()}"
