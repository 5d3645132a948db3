"""The session without a socket: its states, and who has the floor."""

from uuid import uuid4

import pytest

from api.spoken import asking
from api.spoken.places import Place
from api.spoken.playback import Playback
from schemas.errors.providers import StoreUnavailable
from schemas.errors.sound import NoSpeech
from tests.unit.relay.house import SECOND, House, Script, SpeechStarted, said, stopped, voiced


def test_a_turn_goes_through_all_states(clock: list[float]) -> None:
    house = House(Script([[SpeechStarted(0.0)], [stopped(2)]]))
    session = house.session()
    session.hear(SECOND)
    session.hear(SECOND)
    assert house.kinds() == ["turn.speech_started", "state", "turn.speech_stopped", "state"]
    assert house.started[0]["utterance"] == bytes(64_000) and house.started[0]["spoken"]
    turn_id = house.turn()
    said(session, house.event("turn.transcript", turn_id, text="hello"))
    assert [message["audio"] for message in said(session, house.sound(turn_id))] == [bytes(44_100)]
    said(session, house.event("turn.completed", turn_id))
    session.pass_time()
    assert house.states() == ["hearing", "thinking", "speaking"]
    clock[0] += 1.01
    session.pass_time()
    assert house.states() == ["hearing", "thinking", "speaking", "listening"]
    assert house.cancelled == []


def test_the_clients_word_decides_when_the_answer_is_over(clock: list[float]) -> None:
    house = House()
    session = house.session()
    session.ask("Tell me.")
    said(session, house.sound(house.turn(), seconds=4))
    said(session, house.event("turn.completed", house.turn()))
    clock[0] += 5
    session.played(house.turn(), 1000)
    session.pass_time()
    assert house.states()[-1] == "speaking"
    session.played(house.turn(), 4000)
    session.pass_time()
    assert house.states()[-1] == "listening"


def test_speech_after_the_answer_is_over_cancels_nothing(clock: list[float]) -> None:
    house = House(Script([[SpeechStarted(0.0)]]))
    session = house.session()
    session.ask("Tell me.")
    said(session, house.sound(house.turn(), seconds=1))
    said(session, house.event("turn.completed", house.turn()))
    clock[0] += 2
    session.hear(SECOND)
    assert "turn.cancelled" not in [message["type"] for message in house.told]


def test_speech_into_a_finished_answer_stops_its_playing_only(clock: list[float]) -> None:
    house = House(Script([[voiced(1000), SpeechStarted(0.0)]]))
    session = house.session()
    session.ask("Tell me.")
    said(session, house.sound(house.turn(), seconds=10, last=True))
    said(session, house.event("turn.completed", house.turn()))
    session.hear(SECOND)
    assert [message["reason"] for message in house.told if message["type"] == "turn.cancelled"] == ["barge_in"]
    assert house.cancelled == []


def test_nothing_of_a_cancelled_answer_is_told_any_more(clock: list[float]) -> None:
    house = House()
    session = house.session()
    session.ask("Tell me.")
    turn_id = house.turn()
    said(session, house.sound(turn_id))
    session.cancel()
    late = [house.sound(turn_id, part=1), house.event("turn.token", turn_id), house.event("turn.completed", turn_id)]
    assert [message for event in late for message in said(session, event)] == []
    assert house.cut == [(turn_id, "", 0)]


def test_an_answer_cancelled_between_two_of_its_parts_stops_there(clock: list[float]) -> None:
    house = House()
    session = house.session()
    session.ask("Tell me.")
    turn_id = house.turn()
    for part in (1, 2, 3):
        assert said(session, house.sound(turn_id, part=part)) == []
    released = session.relay(house.sound(turn_id, part=0))
    assert next(released)["part"] == 0
    session.cancel()
    assert list(released) == []


def test_a_question_in_two_breaths_is_put_together_only_while_unanswered(clock: list[float]) -> None:
    house = House(Script([[SpeechStarted(0.0)], [stopped(1)], [SpeechStarted(0.0)], [stopped(2)]]))
    session = house.session()
    for _ in range(4):
        session.hear(SECOND)
    assert [len(turn["utterance"]) for turn in house.started] == [32_000, 96_000]
    said(session, house.sound(house.turn()))
    house.ears.heard = [[SpeechStarted(0.0)], [stopped(4)]]
    session.hear(SECOND)
    session.hear(SECOND)
    assert len(house.started[-1]["utterance"]) == 128_000


def test_pieces_are_put_together_up_to_a_length(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_JOINED_S", 2.5)
    house = House(Script([[SpeechStarted(0.0)], [stopped(3)], [SpeechStarted(0.0)], [stopped(1)]]))
    session = house.session()
    for _ in range(4):
        session.hear(SECOND)
    assert [len(turn["utterance"]) for turn in house.started] == [96_000, 32_000]


def test_missing_sound_is_heard_as_silence_while_somebody_speaks(clock: list[float]) -> None:
    house = House(Script([[SpeechStarted(0.0)]]))
    session = house.session()
    clock[0] += 60
    session.pass_time()
    assert house.ears.silence_s == 0
    session.hear(SECOND)
    for _ in range(20):
        clock[0] += 0.1
        session.pass_time()
    assert 1.4 < house.ears.silence_s < 1.6


def test_a_commit_without_speech_is_an_error(clock: list[float]) -> None:
    with pytest.raises(NoSpeech):
        House().session().commit()


def test_a_store_that_is_away_leaves_the_session_listening(clock: list[float]) -> None:
    house = House(Script([[SpeechStarted(0.0)], [stopped(1)]]), away=True)
    session = house.session()
    session.hear(SECOND)
    with pytest.raises(StoreUnavailable):
        session.hear(SECOND)
    assert house.states() == ["hearing", "listening"]
    house.away = False
    session.ask("Again.")
    house.away = True
    session.cancel()
    assert house.states()[-1] == "listening"


def test_events_of_other_turns_are_told_but_their_sound_is_not_played(clock: list[float]) -> None:
    house = House()
    session = house.session()
    other = str(uuid4())
    assert said(session, house.event("turn.token", other, text="x"))[0]["text"] == "x"
    assert said(session, house.sound(other)) == []
    assert house.states() == []


def test_a_client_that_comes_back_gets_the_answer_it_was_hearing(clock: list[float]) -> None:
    house, turn_id = House(), str(uuid4())
    session = house.session(Place("1-0", "3-0", turn_id, 0, 1), Playback(turn_id, 0, 1))
    assert session.status() == {"state": "speaking", "turn_id": turn_id}
    house.events = 1
    assert said(session, house.event("turn.token", turn_id)) == []  # 2-0: told before the cut
    assert said(session, house.sound(turn_id, part=0)) == []  # 3-0: played before the cut
    assert str(session.place()) == f"3-0:3-0:{turn_id}:0.1"
    assert [message["part"] for message in said(session, house.sound(turn_id, part=1))] == [1]
    assert said(session, house.event("turn.token", turn_id, text="new"))[0]["text"] == "new"


def test_a_second_cut_before_anything_new_forgets_nothing(clock: list[float]) -> None:
    house, turn_id = House(), str(uuid4())
    before = Place("1-0", "9-0", turn_id, 2, 1)
    session = house.session(before, Playback(turn_id, 2, 1))
    assert session.place() == before
    house.events = 1
    said(session, house.event("turn.token", turn_id))
    assert session.place() == Place("2-0", "9-0", turn_id, 2, 1)


def test_a_client_that_comes_back_adopts_a_turn_it_had_not_heard_of(clock: list[float]) -> None:
    house, turn_id = House(), str(uuid4())
    session = house.session(Place("1-0", "1-0"))
    house.events = 1
    said(session, house.event("turn.transcript", turn_id, text="hello"))
    assert house.states() == ["thinking"]
    assert len(said(session, house.sound(turn_id))) == 1
    # What has come of its sound is heard before it is over.
    assert said(session, house.event("turn.failed", turn_id, code="x"))[0]["code"] == "x"
    assert house.states() == ["thinking", "speaking"]
    clock[0] += 1.1
    session.pass_time()
    assert house.states() == ["thinking", "speaking", "listening"]


def test_sound_gathers_only_while_nothing_can_be_decided(clock: list[float]) -> None:
    house = House(Script([[SpeechStarted(0.0)], [stopped(2)]]))
    session = house.session()
    assert session.rest_s == 0.1
    session.hear(SECOND)
    assert session.rest_s == 0.06
    session.hear(SECOND)
    assert session.rest_s == 0.06
    said(session, house.sound(house.turn(), seconds=5))
    assert session.rest_s == pytest.approx(0.032)  # As soon as the ears find a voice over the answer.
    assert session.ahead_s == pytest.approx(5)
    house.hear(session, voiced(64))
    assert session.rest_s == 0.02
