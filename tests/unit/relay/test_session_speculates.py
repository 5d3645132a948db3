"""Turns that are begun before it is sure that their question is whole."""

from typing import Any

import pytest

from api.spoken import speculation
from api.spoken.asking import MAX_SPECULATIONS
from api.spoken.places import Place
from schemas.errors.sound import NoSpeech
from tests.unit.relay.house import House, SpeechPaused, SpeechResumed, SpeechStarted, said, speech, stopped


def paused(house: House, seconds: float = 1.0, **options: Any) -> tuple[Any, Any]:
    """Return a session in which somebody has paused, and what they have said."""
    session, utterance = house.session(speculate=True, **options), speech(seconds)
    house.hear(session, SpeechStarted(0.0))
    house.hear(session, SpeechPaused(0.02, utterance))
    return session, utterance


def test_a_pause_begins_a_turn_that_is_told_only_once_it_is_sure(clock: list[float]) -> None:
    house = House()
    session, utterance = paused(house)
    turn = house.turn()
    assert house.started[0]["speculative"] and house.started[0]["timings"]["speech_end_ms"] <= 0
    heard = {"text": "What is it?", "language": "en"}
    assert said(session, house.event("turn.transcript", turn, **heard, speculative=True)) == []
    assert said(session, house.event("turn.retrieved", turn, sources=[], speculative=True)) == []
    assert house.states() == ["hearing"] and list(session.due()) == []
    house.hear(session)
    assert house.ears.hints == [("What is it?", 0.02, "en")]
    house.hear(session, stopped(utterance))
    assert house.confirmed == [turn] and len(house.started) == 1
    assert house.kinds()[-2:] == ["turn.speech_stopped", "state"]
    told = list(session.due())
    assert [m["type"] for m in told] == ["turn.transcript", "turn.retrieved"]
    assert not any("speculative" in m for m in told)
    # Found early, it is told again once it is sure: to the client once.
    assert said(session, house.event("turn.transcript", turn, text="What is it?")) == []
    assert [m["type"] for m in said(session, house.event("turn.token", turn, text="It"))] == ["turn.token"]


def test_who_goes_on_has_asked_nothing_yet(clock: list[float]) -> None:
    house = House()
    session, _ = paused(house)
    first = house.turn()
    said(session, house.event("turn.transcript", first, text="What is", speculative=True))
    house.hear(session, SpeechResumed(0.8))
    assert house.dropped == [first]
    assert said(session, house.event("turn.retrieved", first, sources=[], speculative=True)) == []
    house.hear(session, stopped(2.0))
    assert house.did == ["start", "drop", "start"]
    assert not house.started[-1].get("speculative") and len(house.started[-1]["utterance"]) == 64_000
    assert list(session.due()) == []


@pytest.mark.parametrize("lost", ["not confirmed", "failed", "too much"])
def test_a_turn_that_was_begun_early_and_is_gone_is_asked_anew(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    house = House(confirms=lost != "not confirmed")
    session, utterance = paused(house)
    first = house.turn()
    if lost == "failed":
        said(session, house.event("turn.failed", first, code="provider_unavailable", speculative=True))
    elif lost == "too much":
        monkeypatch.setattr(speculation, "MAX_BYTES", 100)
        said(session, house.event("turn.token", first, text="x" * 200, speculative=True))
    house.hear(session, stopped(utterance))
    assert len(house.started) == 2 and not house.started[-1].get("speculative")
    assert session.status() == {"state": "thinking", "turn_id": house.turn()}
    assert house.states() == ["hearing", "thinking"] or house.states() == ["hearing", "thinking", "hearing", "thinking"]
    assert list(session.due()) == []


def test_silence_that_was_taken_for_speech_is_told_of_once_it_is_over(clock: list[float]) -> None:
    house = House()
    session, utterance = paused(house)
    turn = house.turn()
    said(session, house.event("turn.failed", turn, code=NoSpeech.code, detail="No.", speculative=True))
    house.hear(session, stopped(utterance))
    assert [m["code"] for m in session.due()] == [NoSpeech.code]
    assert house.states() == ["hearing", "thinking", "listening"]
    assert house.confirmed == [] and len(house.started) == 1


def test_an_answer_that_was_begun_early_is_held_back_whole_and_in_order(clock: list[float]) -> None:
    house = House()
    session, utterance = paused(house, speculative_generation=True)
    turn = house.turn()
    assert house.started[0]["speculative_generation"]
    early = [
        house.event("turn.transcript", turn, text="What is it?", speculative=True),
        house.event("turn.token", turn, text="It", speculative=True),
        house.event("turn.sentence", turn, seq=0, text="It is.", speculative=True),
        house.sound(turn, seq=0, part=1, last=True, speculative=True),
        house.sound(turn, seq=0, part=0, speculative=True),
    ]
    assert [m for event in early for m in said(session, event)] == []
    at = str(session.place())
    assert Place.read(at).asked == turn and Place.read(at).safe == "0-0"
    house.hear(session, stopped(utterance))
    told = list(session.due())
    assert [m["type"] for m in told] == ["turn.transcript", "turn.token", "turn.sentence", "turn.audio", "turn.audio"]
    assert [m["part"] for m in told[-2:]] == [0, 1]
    assert house.states()[-1] == "speaking"
    assert Place.read(str(session.place())).asked == ""
    # Who comes back to the place before gets all of it, though its events were read by then.
    back = House()
    returned = back.session(Place.read(at))
    told = [m["type"] for event in [*early, house.event("turn.started", turn)] for m in said(returned, event)]
    assert told[:1] == ["turn.transcript"] and told.count("turn.audio") == 2 and told.count("turn.token") == 1


def test_only_the_very_utterance_that_was_begun_early_is_confirmed(clock: list[float]) -> None:
    house = House()
    session, _ = paused(house)
    first = house.turn()
    house.hear(session, SpeechPaused(0.04, speech(2)))
    assert house.dropped == [first]
    house.hear(session, stopped(3))
    assert house.confirmed == [] and len(house.dropped) == 2
    assert len(house.started[-1]["utterance"]) == 96_000


def test_whoever_pauses_often_is_waited_for(clock: list[float]) -> None:
    house = House()
    session, _ = paused(house)
    for _ in range(6):
        house.hear(session, SpeechResumed(0.0))
        house.hear(session, SpeechPaused(0.0, speech(1)))
    assert len(house.started) == MAX_SPECULATIONS
    house.hear(session, stopped(3))
    assert len(house.started) == MAX_SPECULATIONS + 1


def test_without_speculation_nothing_is_begun_at_a_pause(clock: list[float]) -> None:
    house = House()
    session = house.session()
    house.hear(session, SpeechStarted(0.0))
    house.hear(session, SpeechPaused(0.5, speech(1)))
    assert house.started == []


def test_a_store_that_is_away_at_a_pause_costs_nothing(clock: list[float]) -> None:
    house = House(away=True)
    session, utterance = paused(house)
    house.away = False
    house.hear(session, stopped(utterance))
    assert len(house.started) == 1 and house.states() == ["hearing", "thinking"]


def test_a_turn_of_another_session_is_told_here_once_it_is_sure(clock: list[float]) -> None:
    house = House()
    session, other = house.session(), "0f3a3ad4-3b3c-4b7e-9d4e-0c5f3a1b2c3d"
    assert said(session, house.event("turn.transcript", other, text="Hello", speculative=True)) == []
    told = said(session, house.event("turn.token", other, text="Hi"))
    assert [m["type"] for m in told] == ["turn.transcript", "turn.token"]


def test_who_had_paused_when_the_line_was_cut_is_answered(clock: list[float]) -> None:
    house = House()
    session, _ = paused(house)
    assert session.leave(stopped=False) is None
    assert house.confirmed == [house.turn()] and house.dropped == []
    other = House()
    session, _ = paused(other)
    session.leave(stopped=True)
    assert other.confirmed == [] and other.dropped == [other.turn()]
