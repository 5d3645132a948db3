"""Sound in order, whatever order it comes in, from any place."""

import math
import random
from typing import Any

import pytest

from api.spoken.places import Place
from api.spoken.playback import AHEAD_S, MAX_MISSING, Playback
from pipelines.stores.events import START, place
from schemas.errors.requests import InvalidRequest

TURN = "0f3a3ad4-3b3c-4b7e-9d4e-0c5f3a1b2c3d"


OTHER = "7d444840-9dc0-11d1-b245-5ffdce74fad2"
END = {"type": "turn.completed"}


def part(seq: int, number: int, last: bool = False) -> dict[str, Any]:
    return {"seq": seq, "part": number, "last": last}


def test_parts_come_out_in_order_of_speech_each_once() -> None:
    parts = [part(seq, number, last=number == 3) for seq in range(6) for number in range(4)]
    for seed in range(50):
        mixed = parts + random.Random(seed).sample(parts, 8)
        random.Random(seed).shuffle(mixed)
        playback, found = Playback(TURN), []
        for n, data in enumerate(mixed):
            found += list(playback.add(data, f"{n}-0"))
        assert found == parts
        assert playback.safe is None


def test_any_place_goes_on_where_it_was_taken() -> None:
    """A place that is kept in the middle of what one event releases loses no part and repeats none."""
    parts = [part(seq, number, last=number == 2) for seq in range(5) for number in range(3)]
    random.Random(7).shuffle(parts)
    stream = [(f"{n + 1}-0", data) for n, data in enumerate(parts)]
    whole = sorted(parts, key=lambda data: (data["seq"], data["part"]))
    for cut in range(1, len(parts)):
        playback, found, at = Playback(TURN), [], START
        for event_id, data in stream:
            before, at = at, event_id
            for released in playback.add(data, before):
                found.append(released)
                if len(found) == cut:
                    break
            if len(found) == cut:
                break
        safe = playback.safe or at
        resumed, at = Playback(TURN, playback.seq, playback.part), safe
        for event_id, data in stream:
            if place(event_id) > place(safe):
                before, at = at, event_id
                found += list(resumed.add(data, before))
        assert found == whole, cut


def test_a_missing_part_is_given_up_when_the_answer_is_complete() -> None:
    playback = Playback(TURN)
    assert list(playback.add(part(0, 1), "1-0")) == []
    assert list(playback.add(part(2, 0, last=True), "2-0")) == []
    assert playback.safe == "1-0"
    assert list(playback.finish(END, "3-0")) == [part(0, 1), part(2, 0, last=True), END]
    assert playback.completed
    assert playback.safe is None


def test_a_part_that_never_comes_does_not_hold_the_others_for_ever() -> None:
    playback = Playback(TURN)
    found = []
    for number in range(1, MAX_MISSING + 2):
        found += list(playback.add(part(0, number), f"{number}-0"))
    assert found == [part(0, number) for number in range(1, MAX_MISSING + 2)]


def test_a_sentence_spoken_again_in_fewer_parts_ends_where_the_new_one_does() -> None:
    playback = Playback(TURN)
    for number in range(3):
        list(playback.add(part(0, number), f"{number}-0"))
    assert list(playback.add(part(0, 1, last=True), "9-0")) == []
    assert list(playback.add(part(1, 0), "10-0")) == [part(1, 0)]
    assert playback.safe is None


def test_what_is_heard_follows_the_sound_that_went_out_and_the_clients_word(clock: list[float]) -> None:
    playback = Playback(TURN)
    assert not playback.begun
    playback.sends(part(0, 0), 1.0)
    playback.sends(part(0, 1), 1.0)
    assert playback.begun and playback.sent_ms == 2000
    clock[0] += 0.7
    assert playback.played_ms == pytest.approx(700)
    playback.played(500)
    clock[0] += 0.2
    assert playback.played_ms == pytest.approx(700)
    playback.played(10_000)
    assert playback.played_ms == 2000
    playback.played(-5)
    assert playback.played_ms == 0


def test_a_held_answer_gives_out_nothing_and_goes_on_where_it_stopped(clock: list[float]) -> None:
    playback = Playback(TURN)
    assert list(playback.add(part(0, 0), "1-0")) == [part(0, 0)]
    playback.sends(part(0, 0), 1.0)
    clock[0] += 0.4
    playback.hold()
    assert list(playback.add(part(0, 1, last=True), "2-0")) == []
    assert list(playback.finish(END, "3-0")) == []
    assert playback.safe == "2-0" and not playback.completed
    clock[0] += 5
    assert playback.played_ms == pytest.approx(400) and not playback.is_heard
    playback.release()
    assert list(playback.due()) == [part(0, 1, last=True), END]
    clock[0] += 0.3
    assert playback.played_ms == pytest.approx(700)
    clock[0] += 0.4
    assert playback.is_heard


def test_more_parts_than_may_be_missing_wait_for_a_held_answer() -> None:
    playback = Playback(TURN)
    playback.hold()
    parts = [part(0, number) for number in range(MAX_MISSING + 20)]
    for number, data in enumerate(parts):
        assert list(playback.add(data, f"{number}-0")) == []
    playback.release()
    assert list(playback.due()) == parts


def test_a_paced_answer_is_given_out_a_second_ahead(clock: list[float]) -> None:
    playback = Playback(TURN, paced=True)
    sent = []

    def send(parts: Any) -> None:
        for data in parts:
            if data is not END:
                playback.sends(data, 0.5)
                sent.append((round(clock[0] - 1000, 3), data["part"]))

    for number in range(6):
        send(playback.add(part(0, number, last=number == 5), f"{number}-0"))
    send(playback.finish(END, "6-0"))
    assert [number for _, number in sent] == [0, 1, 2] and not playback.completed
    while not playback.completed:
        clock[0] += playback.due_in_s()
        send(playback.due())
    assert [number for _, number in sent] == list(range(6))
    assert all(at == pytest.approx(max(0.0, number * 0.5 - AHEAD_S)) for at, number in sent)


def test_a_part_that_waits_for_an_earlier_one_is_no_matter_of_time() -> None:
    """Else whoever sends would ask for it again and again."""
    playback = Playback(TURN)
    assert list(playback.add(part(0, 1), "1-0")) == []
    assert playback.due_in_s() == math.inf
    playback.hold()
    assert list(playback.add(part(0, 0), "2-0")) == [] and playback.due_in_s() == math.inf
    playback.release()
    assert playback.due_in_s() == 0


def test_what_waits_is_measured(clock: list[float]) -> None:
    playback = Playback(TURN)
    playback.hold()
    list(playback.add(part(0, 0), "1-0", 9_000_000))
    assert playback.full
    playback.release()
    list(playback.due())
    assert not playback.full
    # What waits for an earlier part needs the events that bring it.
    assert list(playback.add(part(0, 2), "2-0", 9_000_000)) == [] and not playback.full


@pytest.mark.parametrize(
    "at",
    [
        Place(),
        Place("5-1", "5-1"),
        Place("5-1", "7-0"),
        Place("5-1", "7-0", TURN, 3, 12),
        Place("1-0", "1-0", TURN),
        Place("5-1", "7-0", TURN, 3, 12, OTHER),
        Place("5-1", "5-1", asked=OTHER),
    ],
)
def test_a_place_survives_being_written(at: Place) -> None:
    assert Place.read(str(at)) == at


@pytest.mark.parametrize("text", ["", "x", "1-1:", "1-1:2-2:turn:0.0", "1-1:2-2:" + TURN, "9" * 30, "1-1-1", "-"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        Place.read(text)
