"""Events in Redis: a short stream for each subject to read again, and its channel for who listens now.

The stream is no truth: it expires an hour after its last event and keeps the newest `MAX_EVENTS` or
`MAX_BYTES`, whichever is fewer. 32 MiB are about nine minutes of speech (PCM16 at 22.05 kHz as
base64 is 59 kB/s), so one whole spoken answer can be heard again after a cut. One that holds sound
expires `SOUND_TTL_S` after the last of it, and loses whatever is older than that.

What is of interest to the whole organisation (`TENANT_WIDE`) is in the tenant's own stream as well,
put there by the same call. That one stays for a day: somebody waits for a document or an answer and
asks again within minutes, while a program that follows the organisation may be down for a night.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol, cast

import redis
from redis import exceptions

from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import InvalidRequest
from schemas.events import TENANT_WIDE, Event, Subject

TTL_S = 3600
SOUND_TTL_S = 300
"""No sound is kept for longer: a stream that holds some lives no longer than its last, and loses what is older."""

TENANT_TTL_S = 24 * 3600
MAX_EVENTS = 20_000
MAX_BYTES = 32 * 1024 * 1024
MAX_EVENT_BYTES = 256 * 1024
"""Largest event: 64 KiB of sound as base64 with room to spare, since a socket sends it as one frame."""

AT_ONCE = 250
"""Events that one call of the script publishes: it holds up all others for some milliseconds."""

START = "0-0"
"""The place before a stream's first event."""

# Redis counts in 64 bits: nineteen digits always fit, and more would be its error, not the client's.
_PLACE = re.compile(r"([0-9]{1,19})(?:-([0-9]{1,19}))?")

# KEYS: stream, its size in bytes and when it last held sound, for each target. ARGV: the two limits, how long sound
# is kept, the number of targets; time to live and number of the event for each target; name and body for each event.
# The size is counted beside the stream because Redis caps streams by number only, and one audio
# event weighs as much as five hundred tokens. Each stream is trimmed once a call: a bundle's
# events mostly go to one, the tenant's.
_PUBLISH = """
local max_events, max_bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
local sound_ttl, targets = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ids, streams, touched = {}, {}, {}
for i = 1, targets do
  local stream, at = KEYS[3 * i - 2], 3 + 2 * targets + 2 * tonumber(ARGV[4 + 2 * i])
  local name, body = ARGV[at], ARGV[at + 1]
  ids[i] = redis.call('XADD', stream, '*', 'name', name, 'body', body)
  redis.call('PUBLISH', stream, ids[i] .. ' ' .. name .. ' ' .. body)
  local touch = touched[stream]
  if not touch then
    touch = {size = KEYS[3 * i - 1], sound = KEYS[3 * i], ttl = tonumber(ARGV[3 + 2 * i]), events = 0, bytes = 0}
    touched[stream] = touch
    streams[#streams + 1] = stream
  end
  touch.events, touch.bytes = touch.events + 1, touch.bytes + #body
  if name == 'turn.audio' then touch.heard = now end
end
local function drop(stream, size, found)
  local gone, freed = {}, 0
  for _, entry in ipairs(found) do
    gone[#gone + 1] = entry[1]
    freed = freed + #entry[2][4]
  end
  redis.call('XDEL', stream, unpack(gone))
  return redis.call('DECRBY', size, freed)
end
for _, stream in ipairs(streams) do
  local touch = touched[stream]
  local events = redis.call('XLEN', stream)
  if events == touch.events then redis.call('DEL', touch.size) end
  local bytes = redis.call('INCRBY', touch.size, touch.bytes)
  while events > 1 and (events > max_events or bytes > max_bytes) do
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', math.min(math.max(events - max_events, 1), 100))
    bytes = drop(stream, touch.size, oldest)
    events = events - #oldest
  end
  local heard, ttl = touch.heard or tonumber(redis.call('GET', touch.sound) or ''), touch.ttl
  if heard then
    ttl = math.min(ttl, math.max(1, math.ceil(sound_ttl - (now - heard) / 1000)))
    redis.call('SET', touch.sound, string.format('%.0f', heard), 'EX', ttl)
    local last = string.format('(%.0f', now - sound_ttl * 1000)
    local old = redis.call('XRANGE', stream, '-', last, 'COUNT', 100)
    while #old > 0 do
      drop(stream, touch.size, old)
      old = redis.call('XRANGE', stream, '-', last, 'COUNT', 100)
    end
  end
  redis.call('EXPIRE', stream, ttl)
  redis.call('EXPIRE', touch.size, ttl)
end
return ids
"""


@dataclass(frozen=True)
class Published:
    """An event as it came from Redis: `id` is its place in the stream, `body` its JSON without the id."""

    id: str
    name: str
    body: bytes

    @cached_property
    def data(self) -> dict[str, Any]:
        """Return the event as clients see it: `id`, `type`, `at` and its own fields."""
        return {"id": self.id, **json.loads(self.body)}

    @cached_property
    def text(self) -> str:
        """Return the event as clients see it, as JSON on one line."""
        return f'{{"id":"{self.id}",{self.body[1:].decode()}'


class _Script(Protocol):
    def __call__(self, *, keys: Sequence[str], args: Sequence[object], client: "redis.Redis") -> list[bytes]: ...


def publish(client: "redis.Redis", event: Event) -> str:
    """Keep and announce the event in one round trip and return its id. Raises StoreUnavailable.

    A call that Redis carried out but could not answer is repeated by the client: the event is then
    there twice, with two ids.
    """
    return publish_many(client, [event])[0]


def publish_many(client: "redis.Redis", events: Sequence[Event]) -> list[str]:
    """Keep and announce the events in this order, in one round trip; as `publish`.

    Each goes to its subject and, where it is `TENANT_WIDE`, to its tenant; the ids are those at their
    subjects. More than `AT_ONCE` are sent as several calls, between which Redis serves others.
    """
    if not events:
        return []
    script = _script(client)
    calls = [_call(events[start : start + AT_ONCE]) for start in range(0, len(events), AT_ONCE)]
    with reaching_redis():
        if len(calls) == 1:
            found = [script(keys=calls[0].keys, args=calls[0].args, client=client)]
        else:
            with client.pipeline(transaction=False) as pipeline:
                for call in calls:
                    script(keys=call.keys, args=call.args, client=pipeline)
                found = pipeline.execute()
    return [ids[at].decode() for call, ids in zip(calls, found, strict=True) for at in call.own]


@lru_cache(maxsize=4)
def _script(client: "redis.Redis") -> _Script:
    # Once a client: to digest it takes longer than to pack an event.
    return cast(_Script, client.register_script(_PUBLISH))


@dataclass(frozen=True)
class _Call:
    """What the script takes for a few events; `own` is which of its answers are the ids at their subjects."""

    keys: list[str]
    args: list[object]
    own: list[int]


def _call(events: Sequence[Event]) -> _Call:
    keys: list[str] = []
    targets: list[object] = []
    bodies: list[object] = []
    own: list[int] = []
    for number, event in enumerate(events, start=1):
        body = _body(event)
        if len(body) > MAX_EVENT_BYTES:
            raise ValueError(f"{event.name} has {len(body)} bytes; an event has at most {MAX_EVENT_BYTES}")
        bodies += [event.name.value, body]
        own.append(len(keys) // 3)
        for subject in _targets(event):
            keys += [subject.key, *_beside(subject)]
            targets += [TENANT_TTL_S if subject.kind == "tenant" else TTL_S, number]
    return _Call(keys, [MAX_EVENTS, MAX_BYTES, SOUND_TTL_S, len(keys) // 3, *targets, *bodies], own)


def _targets(event: Event) -> list[Subject]:
    """Return where the event is published, its own subject first; what is not asked yet is told to nobody else."""
    tenant = Subject.tenant(event.subject.tenant_id)
    is_own = event.subject == tenant or event.name not in TENANT_WIDE or event.data.get("speculative")
    return [event.subject] if is_own else [event.subject, tenant]


def replay(client: "redis.Redis", subject: Subject, after: str = START, count: int | None = None) -> list[Published]:
    """Return the kept events that follow the place `after`, oldest first, `count` at most.

    Raises InvalidRequest where `after` is no place in a stream, and StoreUnavailable.
    """
    milliseconds, sequence = place(after)
    with reaching_redis():
        rows = client.xrange(subject.key, min=f"({milliseconds}-{sequence}", count=count)
    return [_published(row) for row in cast(list[tuple[bytes, dict[bytes, bytes]]], rows)]


def last_id(client: "redis.Redis", subject: Subject) -> str:
    """Return the id of the subject's newest event, `START` where there is none. Raises StoreUnavailable."""
    with reaching_redis():
        rows = cast(list[tuple[bytes, object]], client.xrevrange(subject.key, count=1))
    return rows[0][0].decode() if rows else START


def keeps(client: "redis.Redis", subject: Subject, after: str) -> bool:
    """Return whether all that followed the place `after` is still in the stream, as far as that is known.

    Of a stream that has expired, or was lost, only `START` is a place: nothing says what was in it.
    """
    with reaching_redis():
        if client.xrange(subject.key, min=after, max=after, count=1):
            return True
        try:
            about = cast(dict[str, Any], client.xinfo_stream(subject.key))
        except redis.ResponseError:
            return place(after) == (0, 0)
    gone = place(about["max-deleted-entry-id"].decode())
    return place(after) >= gone if gone != (0, 0) else place(after) == (0, 0)


def forget(client: "redis.Redis", subject: Subject) -> None:
    """Delete the subject's stream."""
    with reaching_redis():
        client.delete(subject.key, *_beside(subject))


def drop(client: "redis.Redis", subject: Subject, found: Sequence[Published]) -> None:
    """Delete these events of the subject's stream."""
    if not found:
        return
    with reaching_redis(), client.pipeline() as pipeline:
        pipeline.xdel(subject.key, *(event.id for event in found))
        pipeline.decrby(_size_key(subject), sum(len(event.body) for event in found))
        pipeline.execute()


def place(event_id: str) -> tuple[int, int]:
    """Return the two numbers by which ids are ordered. Raises InvalidRequest."""
    found = _PLACE.fullmatch(event_id)
    if found is None:
        raise InvalidRequest("This is not the id of an event.", after=event_id[:64])
    return int(found[1]), int(found[2] or 0)


def announced(message: bytes) -> Published:
    """Return the event that a message on a subject's channel announces."""
    event_id, name, body = message.split(b" ", 2)
    return Published(event_id.decode(), name.decode(), body)


UNREACHABLE = (redis.ConnectionError, redis.TimeoutError, exceptions.ReadOnlyError, exceptions.OutOfMemoryError)
"""Errors of a Redis that is away or takes nothing more; any other is a mistake of ours."""


@contextmanager
def reaching_redis() -> Iterator[None]:
    """Turn a Redis that is away, or full, into StoreUnavailable."""
    try:
        yield
    except UNREACHABLE as error:
        raise StoreUnavailable from error


def _published(row: tuple[bytes, dict[bytes, bytes]]) -> Published:
    event_id, fields = row
    return Published(event_id.decode(), fields[b"name"].decode(), fields[b"body"])


def _body(event: Event) -> bytes:
    fields = event.as_json()
    del fields["id"]
    # A model may stream half of a surrogate pair, which UTF-8 has no form for.
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), default=str).encode(errors="replace")


def _size_key(subject: Subject) -> str:
    return f"{subject.key}:bytes"


def _beside(subject: Subject) -> tuple[str, str]:
    """Return the keys beside a stream: its size, and when it last held sound."""
    return _size_key(subject), f"{subject.key}:sound"
