"""Many events to many followers of one organisation: a thousand a second to twenty, and one that does not read."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from api.live import process
from api.live.mailbox import Reason
from pipelines.stores import events
from pipelines.stores.redis import get_redis
from schemas.events import EventName
from tests.integration.people import Person
from tests.integration.relay.event_client import Deployment, bearer, document
from tests.integration.relay.talking import WITHIN_S
from tests.integration.relay.valkey import wait_until

FOLLOWERS, EVENTS, EVENTS_PER_S, BUNDLE = 20, 3000, 1000, 20
AHEAD = 1000
"""Events that are on their way at most: where the machine is too slow for so many a second, they are fewer."""


@pytest.fixture(scope="module")
def deployment(servers: tuple[str, str, str]) -> Iterator[Deployment]:
    web = Deployment(servers[2], single_tenant="0")
    yield web
    web.stop()


def flood(tenant_id: str, taken: Callable[[], int]) -> None:
    """Publish in bundles, at a steady rate, not too many before those that the slowest follower has `taken`."""
    begun = time.monotonic()
    for start in range(0, EVENTS, BUNDLE):
        wait_until(lambda start=start: start - taken() < AHEAD)  # type: ignore[misc]
        found = [document(tenant_id, EventName.DOCUMENT_EXTRACTED, n=n) for n in range(start, start + BUNDLE)]
        events.publish_many(get_redis(), found)
        time.sleep(max(0.0, begun + (start + BUNDLE) / EVENTS_PER_S - time.monotonic()))


def test_a_thousand_events_a_second_reach_twenty_followers(
    deployment: Deployment, ada: Person, record_property: Callable[[str, object], None]
) -> None:
    """Every fifth looks at each event, the others count them, so that this process is not what is measured."""
    token = ada.login["access_token"]
    taken = [0] * (FOLLOWERS // 5)
    readers = [deployment.follow(token) for _ in range(FOLLOWERS // 5)]
    counted = [RawFollower(deployment.port, token) for _ in range(FOLLOWERS - len(readers))]
    delays_s: list[float] = []

    def read(number: int) -> None:
        for n in range(EVENTS):
            event = readers[number].next()
            assert event["n"] == n
            taken[number] = n + 1
            delays_s.append((datetime.now(UTC) - datetime.fromisoformat(event["at"])).total_seconds())

    for reader in readers:
        reader.__enter__()
    threads = [threading.Thread(target=read, args=(number,)) for number in range(len(readers))]
    threads += [threading.Thread(target=each.count, args=(EVENTS,)) for each in counted]
    for thread in threads:
        thread.start()
    flood(ada.tenant_id, lambda: min(*taken, *(each.counted for each in counted)))
    for thread in threads:
        thread.join(150)
    for reader in readers:
        reader.cut()
    assert len(delays_s) == EVENTS * len(readers)
    assert [each.counted for each in counted] == [EVENTS] * len(counted)
    delays_s.sort()
    # Shown and not judged: on a quiet machine all come within some ten milliseconds.
    p50_s, p99_s = (delays_s[int(len(delays_s) * share)] for share in (0.5, 0.99))
    record_property("delay_ms", [round(each * 1e3, 1) for each in (p50_s, p99_s, delays_s[-1])])


class RawFollower:
    """A follower that counts events without parsing them."""

    def __init__(self, port: int, token: str) -> None:
        self.counted = 0
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)
        head = f"GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: {bearer(token)['Authorization']}\r\n\r\n"
        self.socket.sendall(head.encode())
        self.rest = b""
        while b"retry:" not in self.rest:
            self.rest += self.socket.recv(65_536)

    def count(self, wanted: int) -> None:
        while self.counted < wanted:
            data = self.socket.recv(65_536)
            assert data, "cut off"
            # What was cut in the middle is looked at with what follows.
            *whole, self.rest = (self.rest + data).split(b"\nevent: ")
            self.counted += len(whole)
        self.socket.close()


def test_a_follower_that_does_not_read_holds_up_nobody(deployment: Deployment, ada: Person) -> None:
    """20 MB for one that reads nothing, behind whose back another gets every event at once."""
    token = ada.login["access_token"]
    slow = RawFollower(deployment.port, token)
    with deployment.follow(token) as quick:
        for start in range(0, 1000, 50):
            found = [document(ada.tenant_id, n=start + n, text="x" * 20_000) for n in range(50)]
            events.publish_many(get_redis(), found)
            assert [quick.next()["n"] for _ in range(50)] == list(range(start, start + 50))
    slow.socket.close()


def test_a_follower_that_is_too_slow_is_told_so(ada: Person) -> None:
    response = ada.get("/api/events", buffered=False)
    blocks = iter(response.response)
    assert b"retry:" in bytes(next(blocks))  # type: ignore[arg-type]
    for mailbox in list(process.seats()._seated):
        mailbox.close(Reason.OVERFLOW)
    rest = b"".join(bytes(each) for each in blocks)  # type: ignore[arg-type]
    response.close()
    assert b'"code": "too_slow"' in rest
