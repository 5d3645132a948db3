"""The relay on a real server: nothing missed, nothing twice, nothing without bound."""

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from api.live.following import Following
from api.live.mailbox import Closed, Mailbox, Reason
from api.live.relay import Relay
from pipelines.stores import events
from pipelines.stores.redis import open_redis
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import InvalidRequest
from schemas.events import Event, EventName, Subject
from tests.integration.relay.valkey import Valkey, wait_until


def subject() -> Subject:
    return Subject.conversation(uuid4(), uuid4())


def token(about: Subject, n: int) -> Event:
    return Event(EventName.TURN_TOKEN, about, {"turn_id": "t", "text": str(n)})


def numbers(following: Following, until: int, timeout_s: float = 60) -> list[int]:
    """Return the numbers that come, up to and with `until`."""
    found: list[int] = []
    while not found or found[-1] != until:
        event = following.next(timeout_s)
        assert event is not None, f"nothing after {found[-3:]}"
        found.append(int(event.data["text"]))
    return found


class Publisher(threading.Thread):
    """Publishes 0, 1, 2 … until it has published `count` of them."""

    def __init__(self, client: "redis.Redis", about: Subject, count: int, pause_s: float = 0.0) -> None:
        super().__init__()
        self.client, self.about, self.count, self.pause_s = client, about, count, pause_s
        self.stopping = threading.Event()

    def run(self) -> None:
        n = 0
        while n < self.count:
            try:
                events.publish(self.client, token(self.about, n))
                n += 1
            except StoreUnavailable:
                pass
            self.stopping.wait(self.pause_s)


def test_events_of_before_and_after_the_subscription_come_once_and_in_order(
    client: "redis.Redis", relay: Relay
) -> None:
    about = subject()
    for n in range(100):
        events.publish(client, token(about, n))
    with relay.follow(about, "0") as following:
        for n in range(100, 200):
            events.publish(client, token(about, n))
        assert numbers(following, 199) == list(range(200))
        assert following.next(0) is None


def test_without_a_place_only_what_happens_from_now_on_comes(client: "redis.Redis", relay: Relay) -> None:
    about = subject()
    events.publish(client, token(about, 0))
    with relay.follow(about) as following:
        events.publish(client, token(about, 1))
        assert numbers(following, 1) == [1]


def test_a_client_cut_fifty_times_misses_nothing_and_gets_nothing_twice(client: "redis.Redis", relay: Relay) -> None:
    about, found, place, cuts = subject(), list[int](), "0", 0
    publisher = Publisher(client, about, 3000)
    publisher.start()
    while not found or found[-1] != 2999:
        with relay.follow(about, place) as following:
            assert following.resumed
            for _ in range(1 + cuts * 7 % 60):
                event = following.next(60)
                assert event is not None
                found.append(int(event.data["text"]))
                place = event.id
                if found[-1] == 2999:
                    break
        cuts += 1
    publisher.join()
    assert cuts >= 50
    assert found == list(range(3000))


def test_a_restart_of_the_server_in_mid_stream_loses_nothing(own_valkey: Valkey) -> None:
    with open_redis(own_valkey.url) as client:
        relay, about = Relay(client), subject()
        with relay.follow(about) as following, relay.follow(about) as second:
            publisher = Publisher(client, about, 400, pause_s=0.002)
            publisher.start()
            head = numbers(following, 99)
            own_valkey.kill()
            own_valkey.start()
            tail = numbers(following, 399)
            publisher.join()
            # A publish that the kill cut off is repeated; all else is there once, in order.
            seen = head + tail
            assert list(dict.fromkeys(seen)) == list(range(400))
            assert len(seen) <= 401
            assert numbers(second, 399) == seen
        relay.close()


def test_a_cut_of_the_subscriber_connection_alone_loses_nothing(client: "redis.Redis", relay: Relay) -> None:
    about = subject()
    with relay.follow(about) as following:
        publisher = Publisher(client, about, 2000)
        publisher.start()
        found = numbers(following, 200)
        for stop in range(400, 2000, 400):
            client.client_kill_filter(_type="pubsub")
            found += numbers(following, stop)
        found += numbers(following, 1999)
        publisher.join()
    assert found == list(range(2000))


def test_two_hundred_followers_share_one_connection(client: "redis.Redis", relay: Relay) -> None:
    # Those of tests before may go meanwhile.
    before = {each["id"] for each in client.client_list(_type="pubsub")}
    abouts = [subject() for _ in range(200)]
    followings = [relay.follow(about) for about in abouts]
    assert len({each["id"] for each in client.client_list(_type="pubsub")} - before) == 1
    for n in range(5):
        events.publish_many(client, [token(about, n) for about in abouts])
    for following in followings:
        assert numbers(following, 4) == list(range(5))
        assert following.next(0) is None
        following.leave()


def test_the_channel_is_left_with_the_last_follower(client: "redis.Redis", relay: Relay) -> None:
    about = subject()

    def subscribers() -> int:
        return int(client.pubsub_numsub(about.key)[0][1])

    first, second = relay.follow(about), relay.follow(about)
    assert subscribers() == 1
    first.leave()
    first.leave()
    events.publish(client, token(about, 0))
    assert numbers(second, 0) == [0]
    second.leave()
    wait_until(lambda: subscribers() == 0)
    assert relay.followers() == 0


def test_joining_and_leaving_in_haste_never_loses_an_event(client: "redis.Redis", relay: Relay) -> None:
    about = subject()
    for n in range(300):
        with relay.follow(about) as following:
            events.publish(client, token(about, n))
            assert numbers(following, n) == [n]


def test_a_slow_follower_is_dropped_with_a_reason_and_costs_no_memory(client: "redis.Redis", relay: Relay) -> None:
    about, mailbox = subject(), Mailbox(patience_s=0.05)
    slow = relay.follow(about, mailbox=mailbox)
    with relay.follow(about) as quick:
        publisher = Publisher(client, about, 3000)
        publisher.start()
        assert numbers(quick, 2999) == list(range(3000))
        publisher.join()
    assert mailbox.waiting() == 0
    with pytest.raises(Closed) as closed:
        slow.next(60)
    assert closed.value.reason is Reason.OVERFLOW
    slow.leave()


def test_a_follower_that_falls_behind_for_a_moment_reads_on_from_the_stream(
    client: "redis.Redis", relay: Relay
) -> None:
    about = subject()
    with relay.follow(about) as following, relay.follow(about) as witness:
        publisher = Publisher(client, about, 2000)
        publisher.start()
        numbers(witness, 1999)
        publisher.join()
        assert following.mailbox.waiting() <= 256
        assert numbers(following, 1999) == list(range(2000))


def test_a_follower_whose_events_have_left_the_stream_is_told(
    client: "redis.Redis", relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_EVENTS", 100)
    about = subject()
    with relay.follow(about) as following, relay.follow(about) as witness:
        events.publish(client, token(about, 0))
        assert numbers(following, 0) == [0]
        publisher = Publisher(client, about, 1000)
        publisher.start()
        for event in witness:
            if event.data["text"] == "999":
                break
        publisher.join()
        with pytest.raises(Closed) as closed:
            numbers(following, 999)
    assert closed.value.reason is Reason.OVERFLOW


def test_a_place_that_is_kept_no_more_is_said_to_be(
    client: "redis.Redis", relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_EVENTS", 10)
    about = subject()
    first = events.publish(client, token(about, 0))
    with relay.follow(about, first) as following:
        assert following.resumed
    for n in range(1, 30):
        events.publish(client, token(about, n))
    with relay.follow(about, first) as following:
        assert not following.resumed
        assert numbers(following, 29) == list(range(20, 30))


def test_a_place_that_is_none_is_refused(relay: Relay) -> None:
    with pytest.raises(InvalidRequest):
        relay.follow(subject(), "yesterday")
    assert relay.followers() == 0


def test_without_a_server_following_fails_within_seconds() -> None:
    with open_redis("redis://127.0.0.1:1/0") as nowhere:
        relay = Relay(nowhere)
        with pytest.raises(StoreUnavailable):
            relay.follow(subject())
        relay.close()


def test_all_are_told_when_the_process_stops(client: "redis.Redis") -> None:
    relay = Relay(client)
    followings = [relay.follow(subject()) for _ in range(3)]
    relay.close()
    for following in followings:
        with pytest.raises(Closed) as closed:
            following.next(60)
        assert closed.value.reason is Reason.GOING_AWAY
        assert list(following) == []


def test_waiting_for_one_event_ends_with_it_or_with_the_time(client: "redis.Redis", relay: Relay) -> None:
    about = subject()
    with relay.follow(about) as following:
        for n in range(10):
            events.publish(client, token(about, n))
        found = following.wait_for(lambda event: event.data["text"] == "7", timeout_s=60)
        assert found is not None and found.data["text"] == "7"
        assert following.wait_for(lambda event: event.data["text"] == "7", timeout_s=0.05) is None


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    # The application of other tests may have a relay of its own in this process.
    before = set(threading.enumerate())
    yield
    wait_until(lambda: not any(thread.name == "relay" for thread in set(threading.enumerate()) - before))
