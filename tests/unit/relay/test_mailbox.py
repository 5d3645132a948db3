"""A mailbox against a stream in memory: bounds, order, and gaps that are read again."""

import threading
import time

import pytest

from api.live import mailbox as module
from api.live.mailbox import Closed, Mailbox, Reason
from api.live.pace import Pace
from api.live.seats import Seats
from pipelines.stores.events import START, Published, place
from schemas.errors.providers import StoreUnavailable, TooBusy


def event(n: int, size: int = 0) -> Published:
    return Published(f"{n}-0", "turn.token", b'{"n":%d,"x":"%s"}' % (n, b"x" * size))


class Kept:
    """A stream that keeps what it is given; it may be away for a while."""

    def __init__(self, *events: Published) -> None:
        self.events = list(events)
        self.away = 0
        self.lost_its_beginning = False

    def after(self, event_id: str, count: int) -> list[Published]:
        if self.away:
            self.away -= 1
            raise StoreUnavailable
        return [event for event in self.events if place(event.id) > place(event_id)][:count]

    def keeps(self, event_id: str) -> bool:
        if event_id == START:
            return not self.lost_its_beginning
        return any(event.id == event_id for event in self.events)


def taken(box: Mailbox) -> list[object]:
    found = []
    while (item := box.take(0)) is not None:
        found.append(item)
    return found


def test_kept_events_come_before_live_ones_and_none_twice() -> None:
    box, kept = Mailbox(), Kept(*(event(n) for n in range(1, 80)))
    box.follow(kept, "10-0")
    for n in (78, 79, 80):
        box.offer(event(n))
    assert taken(box) == [event(n) for n in range(11, 81)]


def test_messages_go_before_events() -> None:
    box = Mailbox()
    box.follow(Kept(event(1)), START)
    box.tell("hello")
    assert taken(box) == ["hello", event(1)]


def test_a_full_mailbox_lets_live_events_go_and_reads_them_from_the_stream() -> None:
    box, kept = Mailbox(), Kept()
    box.follow(kept, START)
    assert taken(box) == []
    for n in range(1, 1000):
        kept.events.append(event(n))
        box.offer(event(n))
        assert box.waiting() <= module.MAX_LIVE_EVENTS
    assert taken(box) == [event(n) for n in range(1, 1000)]


def test_the_bound_counts_bytes_too() -> None:
    box, kept = Mailbox(), Kept()
    box.follow(kept, START)
    taken(box)
    for n in range(1, 30):
        kept.events.append(event(n, size=100_000))
        box.offer(kept.events[-1])
        assert box.waiting() <= 10
    assert taken(box) == kept.events


def test_a_rewind_between_reading_and_living_misses_nothing() -> None:
    box, kept = Mailbox(), Kept(event(1))
    box.follow(kept, START)
    assert taken(box) == [event(1)]
    kept.events += [event(2), event(3)]  # The channel was cut and brought neither.
    box.offer(event(3))
    box.rewind()
    kept.events.append(event(4))
    box.offer(event(4))
    assert taken(box) == [event(2), event(3), event(4)]


def test_a_stream_that_is_away_is_read_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.001)
    box, kept = Mailbox(), Kept(event(1))
    kept.away = 3
    box.follow(kept, START)
    assert box.take(0) is None
    assert box.take(5) == event(1)


def test_a_follower_is_told_when_events_it_had_not_read_are_gone() -> None:
    box, kept = Mailbox(), Kept(event(1))
    box.follow(kept, START)
    assert taken(box) == [event(1)]
    kept.events = [event(5)]
    box.rewind()
    with pytest.raises(Closed) as closed:
        taken(box)
    assert closed.value.reason is Reason.OVERFLOW


def test_a_follower_from_the_beginning_is_told_when_that_is_gone() -> None:
    box, kept = Mailbox(), Kept()
    box.follow(kept, START)
    assert taken(box) == []
    kept.events, kept.lost_its_beginning = [event(9)], True
    box.rewind()
    with pytest.raises(Closed) as closed:
        box.take(0)
    assert closed.value.reason is Reason.OVERFLOW


def test_a_place_that_was_said_to_be_lost_is_no_second_loss() -> None:
    """The subscription may be confirmed anew before the first event is read."""
    box, kept = Mailbox(), Kept()
    box.follow(kept, "5-0", whole=False)
    assert taken(box) == []
    kept.events = [event(8), event(9)]
    box.rewind()
    assert taken(box) == [event(8), event(9)]


def test_an_empty_stream_after_a_flush_is_no_loss() -> None:
    box, kept = Mailbox(), Kept(event(1))
    box.follow(kept, START)
    taken(box)
    kept.events = []
    box.rewind()
    assert taken(box) == []


def test_a_reader_that_leaves_a_full_mailbox_alone_is_dropped() -> None:
    box = Mailbox(patience_s=0.0)
    box.follow(Kept(), START)
    taken(box)
    for n in range(1, 600):
        box.offer(event(n))
    with pytest.raises(Closed) as closed:
        box.take(1)
    assert closed.value.reason is Reason.OVERFLOW


def test_more_messages_than_a_reader_can_have_left_close_it() -> None:
    box = Mailbox()
    for n in range(module.MAX_SAID + 1):
        box.tell(n)
    assert box.waiting() == module.MAX_SAID
    with pytest.raises(Closed):
        taken(box)


def test_closing_hands_out_what_was_said_and_no_event() -> None:
    box = Mailbox()
    box.follow(Kept(event(1)), START)
    box.tell("bye")
    box.close(Reason.GOING_AWAY)
    box.close(Reason.DONE)
    box.offer(event(2))
    assert box.take(1) == "bye"
    with pytest.raises(Closed) as closed:
        box.take(1)
    assert closed.value.reason is Reason.GOING_AWAY


@pytest.mark.parametrize("act", [lambda box: box.poke(), lambda box: box.tell("x"), lambda box: box.offer(event(1))])
def test_a_waiting_reader_wakes_at_once(act: object) -> None:
    box = Mailbox()
    box.follow(Kept(), START)
    taken(box)
    began = time.monotonic()
    threading.Timer(0.02, act, [box]).start()  # type: ignore[arg-type]
    box.take(300)
    assert time.monotonic() - began < 60


def test_seats_are_limited_and_given_back_once() -> None:
    seats = Seats(2)
    give_back = seats.take(Mailbox())
    seats.take(Mailbox())
    with pytest.raises(TooBusy):
        seats.take(Mailbox())
    give_back()
    give_back()
    seats.take(Mailbox())
    assert seats.taken() == 2
    with pytest.raises(TooBusy):
        seats.take(Mailbox())


def test_clearing_the_seats_tells_all_and_seats_no_more() -> None:
    seats, box = Seats(5), Mailbox()
    seats.take(box)
    seats.clear()
    with pytest.raises(Closed) as closed:
        box.take(1)
    assert closed.value.reason is Reason.GOING_AWAY
    with pytest.raises(TooBusy):
        seats.take(Mailbox())


def test_a_pace_lets_a_burst_through_and_then_asks_for_rest() -> None:
    pace = Pace(per_s=10, burst=100)
    assert pace.take(100) == 0
    assert 0.5 < pace.take(10) <= 1
    assert 1.5 < pace.take(10) <= 2


def resting(box: Mailbox, *names: str) -> None:
    box.follow(Kept(), START)
    assert box.take(0) is None
    box.rest(60, names or None)


def test_events_gather_while_their_reader_rests() -> None:
    box = Mailbox()
    resting(box)
    box.offer(event(1))
    assert box.take(0.01) is None
    box.tell("cut")
    assert box.take(5) == "cut"
    assert box.take(0) is None


def test_an_event_of_another_kind_ends_the_rest() -> None:
    box = Mailbox()
    resting(box, "turn.token")
    box.offer(event(1))
    assert box.take(0) is None
    later = threading.Timer(0.05, lambda: box.offer(Published("2-0", "turn.audio", b"{}")))
    later.start()
    found = box.take(30)
    assert isinstance(found, Published) and found.id == "1-0"
    assert [one.id for one in taken(box) if isinstance(one, Published)] == ["2-0"]


def test_a_rest_ends_by_itself() -> None:
    box = Mailbox()
    box.follow(Kept(), START)
    assert box.take(0) is None
    box.rest(0.05)
    box.offer(event(1))
    found = box.take(30)
    assert isinstance(found, Published) and found.id == "1-0"
