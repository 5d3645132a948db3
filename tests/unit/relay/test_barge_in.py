"""What becomes of an answer that somebody speaks into."""

import random
from contextlib import suppress

import pytest

from api.spoken.barge_in import BargeIn, BargeInOptions, Step, is_echo
from schemas.errors.providers import StoreUnavailable
from schemas.errors.sound import NoSpeech
from tests.unit.relay.house import (
    EndReason,
    FalseAlarm,
    House,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    said,
    speech,
    stopped,
    voiced,
)


def of(house: House, kind: str) -> list[dict[str, object]]:
    return [message for message in house.told if message["type"] == kind]


def test_speech_ducks_then_holds_then_cuts_and_the_history_keeps_what_was_heard(clock: list[float]) -> None:
    house = House()
    session = house.speaking()
    clock[0] += 3
    house.hear(session, voiced(32))
    assert [m["type"] for m in house.told] == ["playback.duck"] and 0 < house.told[0]["gain"] < 1
    house.hear(session, voiced(192), SpeechStarted(0.0))
    assert house.kinds() == ["playback.duck", "playback.pause", "state", "turn.speech_started"]
    assert house.told[1]["played_ms"] == 3000 and house.states() == ["hearing"]
    clock[0] += 1
    house.hear(session, voiced(1000))
    assert house.told[-1] == {
        "type": "turn.cancelled",
        "turn_id": house.turn(),
        "reason": "barge_in",
        "played_ms": 3000,
    }
    # 30 % of the sentence was heard: its first letters end in the middle of "three".
    assert house.cut == [(house.turn(), "One two", 3000)]
    assert house.states() == ["hearing"] and house.cancelled == []


def test_a_sound_too_short_for_speech_lets_the_answer_go_on(clock: list[float]) -> None:
    house = House()
    session = house.speaking()
    for _ in range(2):
        house.hear(session, voiced(32), voiced(64))
        house.hear(session, FalseAlarm(0.0, 64))
    assert house.kinds() == ["playback.duck", "playback.resume"] * 2
    assert house.cut == [] and session.status()["state"] == "speaking"


def test_a_backchannel_resumes_the_answer_where_it_stopped(clock: list[float]) -> None:
    house = House()
    session = house.speaking(seconds=4)
    answer = house.turn()
    clock[0] += 1
    house.hear(session, voiced(200), SpeechStarted(0.0))
    said(session, house.sound(answer, seq=1, seconds=1, last=True))
    mm = speech(0.4)
    house.hear(session, SpeechPaused(0.4, mm))
    assert house.started[-1]["speculative"] is True
    assert not house.started[-1]["speculative_generation"]
    clock[0] += 0.5
    assert said(session, house.event("turn.transcript", house.turn(), text="Mm-hm.", speculative=True)) == []
    house.hear(session)
    assert house.kinds()[-2:] == ["playback.resume", "state"]
    assert of(house, "playback.resume")[0]["played_ms"] == 1000
    assert house.states() == ["hearing", "speaking"]
    # What came meanwhile is still there, and goes out now.
    assert [m["seq"] for m in session.due()] == [1]
    assert house.dropped == [house.turn()] and house.cut == [] and house.cancelled == []
    house.hear(session, stopped(mm))
    assert house.told[-1] == {"type": "turn.speech_stopped", "duration_ms": 400, "dismissed": True}
    assert len(house.started) == 2 and session.status() == {"state": "speaking", "turn_id": answer}


def test_words_cut_the_answer_before_the_new_turn_goes_on(clock: list[float]) -> None:
    house = House()
    session = house.speaking()
    first = house.turn()
    house.hear(session, voiced(200), SpeechStarted(0.0))
    words = speech(0.6)
    house.hear(session, SpeechPaused(0.6, words))
    said(session, house.event("turn.transcript", house.turn(), text="Stop, please.", speculative=True))
    house.hear(session)
    assert house.cut == [(first, "", 0)] and house.confirmed == []
    house.hear(session, stopped(words))
    assert house.did == ["start", "cut_off", "confirm"]
    assert house.confirmed == [house.turn()] and len(house.started) == 2
    told = [m["text"] for m in session.due() if m["type"] == "turn.transcript"]
    assert told == ["Stop, please."]
    assert house.states() == ["hearing", "thinking"]


def test_what_was_said_is_waited_for_though_it_is_over(clock: list[float]) -> None:
    house = House()
    session = house.speaking()
    first, words = house.turn(), speech(0.6)
    house.hear(session, voiced(300), SpeechStarted(0.0))
    house.hear(session, stopped(words))
    assert house.cut == [] and len(house.started) == 2
    clock[0] += 1
    session.pass_time()
    assert house.cut == []
    said(session, house.event("turn.transcript", house.turn(), text="How much is it?", speculative=True))
    session.pass_time()
    assert house.cut == [(first, "", 0)]
    assert house.kinds()[-3:] == ["turn.cancelled", "turn.speech_stopped", "state"]
    assert house.confirmed == [house.turn()]


@pytest.mark.parametrize(("voiced_ms", "cut"), [(250, False), (900, True)])
def test_a_transcript_that_never_comes_holds_no_answer_for_ever(
    clock: list[float], voiced_ms: float, cut: bool
) -> None:
    house = House()
    session = house.speaking()
    house.hear(session, voiced(250), SpeechStarted(0.0))
    house.hear(session, stopped(0.4, voiced_ms=voiced_ms))
    for _ in range(40):
        clock[0] += 0.1
        session.pass_time()
    assert bool(house.cut) is cut
    assert house.states()[-1] == ("thinking" if cut else "speaking")
    assert session.status()["state"] != "hearing"


def test_a_store_that_is_away_does_not_leave_an_answer_held(clock: list[float]) -> None:
    house = House()
    session = house.speaking()
    house.away = True
    house.hear(session, voiced(250), SpeechStarted(0.0))
    house.hear(session, stopped(0.4, voiced_ms=250))
    session.pass_time()
    assert house.states() == ["hearing", "speaking"]


def test_a_cough_in_which_no_speech_was_found_resumes_it(clock: list[float]) -> None:
    house = House()
    session = house.speaking()
    house.hear(session, voiced(250), SpeechStarted(0.0))
    house.hear(session, SpeechPaused(0.4, speech(0.4)))
    said(session, house.event("turn.failed", house.turn(), code=NoSpeech.code))
    house.hear(session)
    assert house.kinds()[-2:] == ["playback.resume", "state"] and house.cut == []


def test_the_answers_own_words_heard_again_resume_it(clock: list[float]) -> None:
    house = House()
    session = house.speaking(text="You can rent a city bike for twelve euros a day.")
    clock[0] += 2
    house.hear(session, voiced(250), SpeechStarted(0.0))
    house.hear(session, SpeechPaused(0.8, speech(0.8)))
    said(session, house.event("turn.transcript", house.turn(), text="rent a city bike", speculative=True))
    house.hear(session)
    assert house.kinds()[-2:] == ["playback.resume", "state"] and house.cut == []


def test_the_ears_know_what_is_played(clock: list[float]) -> None:
    house = House()
    session = house.speaking(seconds=3)
    house.hear(session)
    assert house.ears.played_s == pytest.approx(3, abs=0.1)
    deaf = House()
    deaf.hear(deaf.speaking(seconds=3, knows_echo=False))
    assert deaf.ears.played_s == 0


def test_who_goes_on_after_a_backchannel_holds_the_answer_at_once(clock: list[float]) -> None:
    house = House()
    session = house.speaking()
    house.hear(session, voiced(200), SpeechStarted(0.0))
    house.hear(session, SpeechPaused(0.4, speech(0.4)))
    said(session, house.event("turn.transcript", house.turn(), text="Okay.", speculative=True))
    house.hear(session)
    house.hear(session, SpeechResumed(0.7), voiced(432))
    assert house.kinds()[-2:] == ["playback.pause", "state"]
    house.hear(session, voiced(1024))
    assert len(house.cut) == 1
    house.hear(session, stopped(2.0))
    assert house.started[-1]["utterance"] == bytes(64_000)


def test_who_speaks_again_before_they_were_understood_has_the_floor(clock: list[float]) -> None:
    house = House()
    session = house.speaking()
    house.hear(session, voiced(250), SpeechStarted(0.0))
    house.hear(session, stopped(0.5))
    house.hear(session, voiced(64))
    house.hear(session, voiced(200), SpeechStarted(1.0))
    assert len(house.cut) == 1
    house.hear(session, stopped(1.0))
    assert house.started[-1]["utterance"] == bytes(48_000)


def test_without_resuming_speech_cuts_at_once(clock: list[float]) -> None:
    house = House()
    session = house.speaking(barge_in=BargeInOptions(300, resume=False))
    house.hear(session, voiced(256))
    assert house.kinds() == ["playback.duck"]
    house.hear(session, voiced(288))
    assert house.kinds() == ["playback.duck", "turn.cancelled", "state"]


def test_a_commit_means_it(clock: list[float]) -> None:
    house = House()
    session = house.speaking()
    house.hear(session, voiced(250), SpeechStarted(0.0))
    house.ears.heard.append([stopped(0.4, EndReason.COMMITTED)])
    session.commit()
    assert house.did == ["cut_off", "start"]


def test_an_answer_heard_to_its_end_while_it_was_ducked_is_over(clock: list[float]) -> None:
    house = House()
    session = house.speaking(seconds=1)
    said(session, house.event("turn.completed", house.turn()))
    house.hear(session, voiced(32))
    clock[0] += 1.1
    session.pass_time()
    assert house.states() == ["listening"]
    house.hear(session, voiced(200), SpeechStarted(0.0))
    assert house.states() == ["listening", "hearing"] and house.cut == []


def test_all_that_was_heard_is_no_cut(clock: list[float]) -> None:
    house = House()
    session = house.speaking(seconds=1)
    said(session, house.event("turn.completed", house.turn()))
    session.played(house.turn(), 1000)
    clock[0] -= 1  # The client is ahead of our reckoning.
    session.played(house.turn(), 1000)
    session.cancel()
    assert house.cut == []


def test_nothing_leaves_a_session_stuck(clock: list[float]) -> None:
    """Whatever is heard in whatever order, half a minute later the person is listened to."""
    for seed in range(150):
        dice, house = random.Random(seed), House()
        session = house.speaking(seconds=2, knows_echo=False)
        for _ in range(dice.randrange(1, 12)):
            utterance = speech(0.5)
            event = dice.choice(
                [
                    [voiced(dice.choice([32, 200, 1000]))],
                    [SpeechStarted(0.0)],
                    [SpeechPaused(0.1, utterance)],
                    [SpeechResumed(0.2)],
                    [stopped(utterance, voiced_ms=dice.choice([100, 2000]))],
                    [SpeechPaused(0.1, utterance), stopped(utterance)],
                    [],
                ]
            )
            with suppress(StoreUnavailable):
                house.hear(session, *event)
            if dice.random() < 0.3 and len(house.started) > 1:
                name, data = dice.choice(
                    [("turn.transcript", {"text": "yeah"}), ("turn.transcript", {"text": "no, tell me"})]
                )
                list(said(session, house.event(name, house.turn(), **data)))
            house.away = dice.random() < 0.1
            clock[0] += dice.random()
        house.away = False
        house.hear(session, stopped(0.5))
        for _ in range(60):
            for turn in house.started:
                list(said(session, house.event("turn.completed", str(turn["turn_id"]))))
            clock[0] += 0.5
            session.pass_time()
            list(session.due())
        assert session.status()["state"] == "listening", seed


@pytest.mark.parametrize(
    ("heard", "played", "echo"),
    [
        ("rent a city bike", "You can rent a city bike here.", True),
        ("bike", "You can rent a city bike here.", False),
        ("what does a bike cost", "You can rent a city bike here.", False),
        ("a city bike here please stop", "You can rent a city bike here.", False),
        ("", "You can rent.", False),
    ],
)
def test_an_echo_is_what_was_played(heard: str, played: str, echo: bool) -> None:
    assert is_echo(heard, played) is echo


def test_the_step_of_a_later_sound_is_its_own() -> None:
    barge_in = BargeIn(BargeInOptions())
    assert [barge_in.voiced(ms, 0.0) for ms in (32, 64, 192, 224)] == [Step.DUCK, None, Step.HOLD, None]
    assert barge_in.understood("mm-hm", 0.3, "") is Step.GO_ON
    assert [barge_in.voiced(ms, 0.0) for ms in (32, 192, 1000)] == [Step.DUCK, Step.HOLD, Step.CUT]
