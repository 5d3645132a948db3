"""Events in Redis: a short stream for each subject to read again, and its channel for who listens now.

The stream is no truth: it expires an hour after its last event and keeps the newest `MAX_EVENTS` or
`MAX_BYTES`, whichever is fewer. 32 MiB are about nine minutes of speech (PCM16 at 22.05 kHz as
base64 is 59 kB/s), so one whole spoken answer can be heard again after a cut.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, cast

import redis

from schemas.errors import InvalidRequest, StoreUnavailable
from schemas.events import Event, Subject

TTL_S = 3600
MAX_EVENTS = 20_000
MAX_BYTES = 32 * 1024 * 1024
MAX_EVENT_BYTES = 256 * 1024
"""Largest event: 64 KiB of sound as base64 with room to spare, since a socket sends it as one frame."""

START = "0-0"
"""The place before a stream's first event."""

# Redis counts in 64 bits: nineteen digits always fit, and more would be its error, not the client's.
_PLACE = re.compile(r"([0-9]{1,19})(?:-([0-9]{1,19}))?")

# KEYS: stream, its size in bytes, for each event. ARGV: the three limits, then name, body for each.
# The size is counted beside the stream because Redis caps streams by number only, and one audio
# event weighs as much as five hundred tokens.
_PUBLISH = """
local max_events, max_bytes, ttl = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local ids = {}
for i = 1, #KEYS / 2 do
  local stream, size, name, body = KEYS[2 * i - 1], KEYS[2 * i], ARGV[2 * i + 2], ARGV[2 * i + 3]
  ids[i] = redis.call('XADD', stream, '*', 'name', name, 'body', body)
  local events = redis.call('XLEN', stream)
  if events == 1 then redis.call('DEL', size) end
  local bytes = redis.call('INCRBY', size, #body)
  while events > 1 and (events > max_events or bytes > max_bytes) do
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    redis.call('XDEL', stream, oldest[1])
    bytes = redis.call('DECRBY', size, #oldest[2][4])
    events = events - 1
  end
  redis.call('EXPIRE', stream, ttl)
  redis.call('EXPIRE', size, ttl)
  redis.call('PUBLISH', stream, ids[i] .. ' ' .. name .. ' ' .. body)
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

    @property
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
    """Keep and announce the events in this order, in one round trip; as `publish`."""
    keys: list[str] = []
    args: list[object] = [MAX_EVENTS, MAX_BYTES, TTL_S]
    for event in events:
        body = _body(event)
        if len(body) > MAX_EVENT_BYTES:
            raise ValueError(f"{event.name} has {len(body)} bytes; an event has at most {MAX_EVENT_BYTES}")
        keys += [event.subject.key, _size_key(event.subject)]
        args += [event.name.value, body]
    if not keys:
        return []
    script = cast(_Script, client.register_script(_PUBLISH))
    with reaching_redis():
        return [found.decode() for found in script(keys=keys, args=args, client=client)]


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


def keeps(client: "redis.Redis", subject: Subject, event_id: str) -> bool:
    """Return whether the event is still in the stream, so that all that followed it is too."""
    with reaching_redis():
        return bool(client.xrange(subject.key, min=event_id, max=event_id, count=1))


def forget(client: "redis.Redis", subject: Subject) -> None:
    """Delete the subject's stream."""
    with reaching_redis():
        client.delete(subject.key, _size_key(subject))


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


@contextmanager
def reaching_redis() -> Iterator[None]:
    """Turn an unreachable Redis into StoreUnavailable."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError) as error:
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
