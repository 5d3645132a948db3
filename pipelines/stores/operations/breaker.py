"""Which providers may be called now, as all processes know it: circuit breakers and times to the first token.

A circuit opens where `provider_health` finds it degraded. While it is open nobody calls the provider; then one
caller at a time may try it, and each try in vain doubles the wait for the next, up to `MAX_OPEN_S`. A provider that
named a time (`Retry-After`) is let alone until then. M. Nygard, Release It! (2018), “Circuit Breaker”.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import redis

from pipelines.stores.events import reaching_redis
from pipelines.stores.operations.provider_health import OPEN_FOR_S, Circuit, State

MAX_OPEN_S = 25.0
"""So that a provider which works again is called again within half a minute."""

PROBE_S = 30.0
"""A caller that tries a provider and dies keeps others from trying it for so long."""

MAX_REST_S = 300.0

EWMA_WEIGHT = 0.2
"""What the newest time to the first token counts in their moving average."""

SAMPLES = 50
FORGET_S = 600
"""Times that are older say nothing about now; a provider that was slow is tried again after them."""


@dataclass(frozen=True)
class Look:
    """What is known of a circuit: its state, the moving average and 95th percentile of the time to the first
    token in milliseconds, None where too little is known, and how many of them were timed."""

    state: State
    first_token_ms: float | None = None
    slow_first_token_ms: float | None = None
    samples: int = 0


# KEYS of each circuit: state, rest, times. ARGV: seconds open, most of them, whether to take the probe, its seconds.
# Returns 0 closed, 1 open, 2 half-open, and the times: their average and the single ones.
_LOOK = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local found = {}
for i = 1, #KEYS, 3 do
  local state = 0
  local facts = redis.call('HMGET', KEYS[i], 'degraded_at', 'failed_at', 'tries', 'probe_until')
  if redis.call('EXISTS', KEYS[i + 1]) == 1 then
    state = 1
  elseif facts[1] and facts[2] then
    local open_for = math.min(tonumber(ARGV[1]) * 2 ^ tonumber(facts[3] or 0), tonumber(ARGV[2]))
    if now - tonumber(facts[2]) < open_for or (facts[4] and now < tonumber(facts[4])) then
      state = 1
    else
      state = 2
      if ARGV[3] == '1' then
        redis.call('HSET', KEYS[i], 'probe_until', now + tonumber(ARGV[4]))
        redis.call('HINCRBY', KEYS[i], 'tries', 1)
      end
    end
  end
  found[#found + 1] = {state, redis.call('LRANGE', KEYS[i + 2], 0, -1)}
end
return found
"""

# KEYS: times. ARGV: milliseconds, weight, how many are kept, time to live. The first of the list is the average.
_TIMED = """
local average = redis.call('LPOP', KEYS[1])
local new = tonumber(ARGV[1])
if average then new = tonumber(average) + tonumber(ARGV[2]) * (new - tonumber(average)) end
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('LPUSH', KEYS[1], tostring(new))
redis.call('LTRIM', KEYS[1], 0, ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""

_STATES = (State.CLOSED, State.OPEN, State.HALF_OPEN)


class _Script(Protocol):
    def __call__(self, *, keys: Sequence[str], args: Sequence[Any], client: "redis.Redis") -> Any: ...


def looks(client: "redis.Redis", circuits: Sequence[Circuit]) -> list[Look]:
    """Return what is known of each circuit, in one round trip. Raises StoreUnavailable."""
    return _look(client, circuits, probe=False)


def may_call(client: "redis.Redis", circuit: Circuit) -> State:
    """Return the circuit's state for a call that is made at once; of many callers one may call a half-open circuit.

    To the others it is open. Whoever called tells how it ended (`provider_health`). Raises StoreUnavailable.
    """
    return _look(client, [circuit], probe=True)[0].state


def tried(client: "redis.Redis", circuit: Circuit, *, worked: bool) -> None:
    """Let the next caller try the circuit: the try is over; one that worked is not waited after. Raises
    StoreUnavailable."""
    with reaching_redis(), client.pipeline() as pipe:
        pipe.hdel(circuit.key, "probe_until")
        if worked:
            pipe.hdel(circuit.key, "tries")
        pipe.execute()


def lost(client: "redis.Redis", circuit: Circuit) -> None:
    """Count a try that was not waited for to its end as one in vain: the next is due as after a failure.

    Raises StoreUnavailable.
    """
    with reaching_redis():
        seconds, micros = cast(tuple[int, int], client.time())
        with client.pipeline() as pipe:
            pipe.hset(circuit.key, mapping={"failed_at": f"{seconds}.{micros:06d}", "worked": 0})
            pipe.hdel(circuit.key, "probe_until")
            pipe.execute()


def rest(client: "redis.Redis", circuit: Circuit, seconds: float) -> None:
    """Let the provider alone for so long, `MAX_REST_S` at most. Raises StoreUnavailable."""
    with reaching_redis():
        client.set(f"{circuit.key}:rest", 1, px=max(1, int(min(seconds, MAX_REST_S) * 1e3)))


def timed(client: "redis.Redis", circuit: Circuit, first_token_ms: float) -> None:
    """Count the time that an answer took to begin. Raises StoreUnavailable."""
    script = cast(_Script, client.register_script(_TIMED))
    args = [f"{first_token_ms:.1f}", EWMA_WEIGHT, SAMPLES, FORGET_S]
    with reaching_redis():
        script(keys=[f"{circuit.key}:times"], args=args, client=client)


def _look(client: "redis.Redis", circuits: Sequence[Circuit], *, probe: bool) -> list[Look]:
    if not circuits:
        return []
    keys = [f"{circuit.key}{part}" for circuit in circuits for part in ("", ":rest", ":times")]
    script = cast(_Script, client.register_script(_LOOK))
    with reaching_redis():
        found = script(keys=keys, args=[OPEN_FOR_S, MAX_OPEN_S, int(probe), PROBE_S], client=client)
    return [_read(state, [float(each) for each in times]) for state, times in found]


def _read(state: int, times: Sequence[float]) -> Look:
    if not times:
        return Look(_STATES[state])
    average, single = times[0], sorted(times[1:])
    return Look(_STATES[state], average, single[int(0.95 * (len(single) - 1))], len(single))
