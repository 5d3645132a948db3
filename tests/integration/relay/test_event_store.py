"""Publishing and reading again, on a real server."""

import dataclasses
import json
import threading
from uuid import uuid4

import pytest
import redis

from pipelines.stores import events
from pipelines.stores.redis import open_redis
from pipelines.stores.turns import utterances
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import InvalidRequest
from schemas.events import Event, EventName, Subject
from tests.integration.relay.valkey import Valkey


def subject() -> Subject:
    return Subject.conversation(uuid4(), uuid4())


def token(about: Subject, text: str) -> Event:
    return Event(EventName.TURN_TOKEN, about, {"turn_id": "t", "text": text})


def test_what_is_published_is_read_again_in_order_after_any_place(client: "redis.Redis") -> None:
    about = subject()
    ids = [events.publish(client, token(about, str(n))) for n in range(5)]
    assert [event.data["text"] for event in events.replay(client, about)] == list("01234")
    assert [event.id for event in events.replay(client, about, ids[2])] == ids[3:]
    assert events.replay(client, about, ids[4]) == []
    assert events.last_id(client, about) == ids[4]


def test_many_are_published_in_one_round_trip_and_keep_their_order(client: "redis.Redis") -> None:
    first, second = subject(), subject()
    events.publish(client, token(first, "warm"))
    before = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    ids = events.publish_many(client, [token(first, "a"), token(second, "b"), token(first, "c")])
    assert client.info("commandstats")["cmdstat_evalsha"]["calls"] == before + 1
    assert [(event.id, event.data["text"]) for event in events.replay(client, first)][1:] == [
        (ids[0], "a"),
        (ids[2], "c"),
    ]
    assert [event.id for event in events.replay(client, second)] == [ids[1]]
    assert events.publish_many(client, []) == []


def test_the_channel_carries_the_same_event_as_the_stream(client: "redis.Redis") -> None:
    about = subject()
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(about.key)
    listener.get_message(timeout=5)
    events.publish(client, token(about, 'a "quoted" line\nand emoji 🎧, a lone surrogate \ud83d'))
    message = None
    while message is None:
        message = listener.get_message(timeout=5)
    live, kept = events.announced(message["data"]), events.replay(client, about)[0]
    assert live == kept
    assert json.loads(live.text) == live.data
    assert live.data["type"] == "turn.token" and live.data["id"] == live.id
    assert live.data["text"] == 'a "quoted" line\nand emoji 🎧, a lone surrogate ?'
    assert "\n" not in live.text


def test_a_stream_is_capped_by_bytes_and_by_number_and_expires(
    client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_BYTES", 10_000)
    monkeypatch.setattr(events, "MAX_EVENTS", 30)
    loud, talkative = subject(), subject()
    for n in range(20):
        events.publish(client, token(loud, f"{n:03}" + "x" * 1000))
    kept = events.replay(client, loud)
    assert [event.data["text"][:3] for event in kept] == [f"{n:03}" for n in range(20 - len(kept), 20)]
    assert 8_000 < sum(len(event.body) for event in kept) <= 10_000
    for n in range(100):
        events.publish(client, token(talkative, str(n)))
    assert [event.data["text"] for event in events.replay(client, talkative)] == [str(n) for n in range(70, 100)]
    names = list(client.scan_iter(f"{loud.key}*"))
    assert len(names) == 2
    assert all(3500 < client.ttl(name) <= 3600 for name in names)
    events.forget(client, loud)
    assert list(client.scan_iter(f"{loud.key}*")) == []


def test_sound_is_kept_for_minutes_however_long_its_conversation_goes_on(
    client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    about, sound = subject(), Event(EventName.TURN_AUDIO, subject(), {"turn_id": "t", "audio": "AAAA"})
    sound = dataclasses.replace(sound, subject=about)
    events.publish(client, token(about, "before"))
    assert 3500 < client.ttl(about.key) <= 3600
    events.publish(client, sound)
    events.publish(client, token(about, "after"))
    names = list(client.scan_iter(f"{about.key}*"))
    assert len(names) == 3 and all(290 < client.ttl(name) <= 300 for name in names)
    # The last sound was four minutes ago: what is said now lives no longer than it.
    client.decrby(f"{about.key}:sound", 240_000)
    events.publish(client, token(about, "later"))
    assert all(50 < client.ttl(name) <= 60 for name in client.scan_iter(f"{about.key}*"))
    # A conversation that goes on speaking loses what is older.
    events.publish(client, sound)
    # Not shorter: what is published now is to be there still when it is looked at.
    monkeypatch.setattr(events, "SOUND_TTL_S", 3)
    threading.Event().wait(3.1)
    events.publish(client, sound)
    assert len(events.replay(client, about)) == 1
    assert int(client.get(f"{about.key}:bytes") or 0) == len(events.replay(client, about)[0].body)
    events.forget(client, about)
    assert list(client.scan_iter(f"{about.key}*")) == []


def test_a_spoken_answer_of_eight_minutes_can_be_heard_again(client: "redis.Redis") -> None:
    about = subject()
    part = "A" * (4 * 32_768 // 3)  # 32 KiB of PCM16 as base64: 0.74 s at 22.05 kHz
    parts = int(8 * 60 / (32_768 / 2 / 22_050))
    for n in range(parts):
        events.publish(client, Event(EventName.TURN_AUDIO, about, {"turn_id": "t", "part": n, "audio": part}))
    kept = events.replay(client, about)
    assert [event.data["part"] for event in kept] == list(range(parts))
    events.forget(client, about)


def test_an_event_too_large_for_a_frame_is_a_mistake_of_its_maker(client: "redis.Redis") -> None:
    with pytest.raises(ValueError, match="at most"):
        events.publish(client, token(subject(), "x" * 300_000))


@pytest.mark.parametrize("after", ["", "x", "-1", "1-", "1-2-3", "1" * 20, "+", "$", "(1-1", "1-1\n", "١-١"])
def test_a_place_that_is_none_is_refused(client: "redis.Redis", after: str) -> None:
    with pytest.raises(InvalidRequest):
        events.replay(client, subject(), after)


@pytest.mark.parametrize("after", ["0", "0-0", "9" * 19, "9" * 19 + "-" + "9" * 19])
def test_any_well_formed_place_is_answered(client: "redis.Redis", after: str) -> None:
    assert events.replay(client, subject(), after) == []


def test_an_unreachable_server_is_a_fault_that_passes() -> None:
    with open_redis("redis://127.0.0.1:1/0") as nowhere:
        with pytest.raises(StoreUnavailable):
            events.publish(nowhere, token(subject(), "x"))
        with pytest.raises(StoreUnavailable):
            events.replay(nowhere, subject())
        with pytest.raises(StoreUnavailable):
            utterances.get(nowhere, uuid4(), uuid4())


def test_an_utterance_is_kept_for_its_tenant_alone_and_for_minutes_only(client: "redis.Redis") -> None:
    tenant_id, turn_id, pcm = uuid4(), uuid4(), bytes(range(256)) * 100
    utterances.put(client, tenant_id, turn_id, pcm)
    assert utterances.get(client, tenant_id, turn_id) == pcm
    assert utterances.get(client, uuid4(), turn_id) is None
    [name] = client.scan_iter(f"*{turn_id}*")
    assert 290 < client.ttl(name) <= 300
    utterances.delete(client, tenant_id, turn_id)
    assert utterances.get(client, tenant_id, turn_id) is None


def test_a_redis_that_is_full_is_one_that_is_away(own_valkey: Valkey) -> None:
    with open_redis(own_valkey.url) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        with pytest.raises(StoreUnavailable):
            events.publish(client, token(subject(), "x"))
