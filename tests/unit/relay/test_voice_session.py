"""The session without a socket: its states, and who has the floor."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from api import realtime
from api.auth import Caller
from api.playback import Place
from api.realtime import Session
from api.talk import Acts, Talk
from pipelines.ports import Audio
from pipelines.stores.events import Published
from pipelines.turn.endpointing import EndReason, SpeechStarted, SpeechStopped
from schemas.errors import NoSpeech, StoreUnavailable

SECOND = np.zeros(16_000, np.float32)


def stopped(seconds: float) -> SpeechStopped:
    return SpeechStopped(0.0, Audio(np.zeros(int(16_000 * seconds), np.float32), 16_000), EndReason.SILENCE)


@dataclass
class Script:
    """Ears that hear what they are told, whatever is said."""

    heard: list[list[SpeechStarted | SpeechStopped]] = field(default_factory=list)
    silence_s: float = 0.0

    def feed(self, samples: NDArray[np.float32]) -> Sequence[SpeechStarted | SpeechStopped]:
        if not self.heard:
            self.silence_s += len(samples) / 16_000
        return self.heard.pop(0) if self.heard else []

    def flush(self) -> Sequence[SpeechStarted | SpeechStopped]:
        return self.feed(SECOND)


@dataclass
class House:
    """The rest of AURA as far as a session sees it."""

    ears: Script = field(default_factory=Script)
    told: list[dict[str, Any]] = field(default_factory=list)
    started: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    away: bool = False
    events: int = 0

    def session(self, resume: Place | None = None) -> Session:
        caller = Caller(uuid4(), "jo", "user")
        talk = Talk(caller, uuid4(), "desk", "en")
        acts = Acts(lambda _: caller, lambda *_: uuid4(), self.start_turn, self.cancel_turn)
        return Session(talk, self.ears, acts, self.told.append, resume or Place(), adopts=resume is not None)

    def start_turn(self, caller: Caller, conversation_id: UUID, **asked: Any) -> UUID:
        if self.away:
            raise StoreUnavailable
        self.started.append({"turn_id": uuid4(), **asked})
        return UUID(str(self.started[-1]["turn_id"]))

    def cancel_turn(self, caller: Caller, turn_id: UUID, reason: str) -> None:
        self.cancelled.append((str(turn_id), reason))
        if self.away:
            raise StoreUnavailable

    def turn(self, n: int = -1) -> str:
        return str(self.started[n]["turn_id"])

    def event(self, name: str, turn_id: str, **data: Any) -> Published:
        self.events += 1
        body = json.dumps({"type": name, "turn_id": turn_id, **data}).encode()
        return Published(f"{self.events}-0", name, body)

    def sound(self, turn_id: str, seq: int = 0, part: int = 0, seconds: float = 1.0, last: bool = False) -> Published:
        audio = base64.b64encode(bytes(int(44_100 * seconds))).decode()
        return self.event("turn.audio", turn_id, seq=seq, part=part, last=last, sample_rate_hz=22_050, audio=audio)

    def states(self) -> list[str]:
        return [str(message["state"]) for message in self.told if message["type"] == "state"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the test turn the clock; its one element is now."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def said(house: House, session: Session, event: Published) -> list[dict[str, Any]]:
    return list(session.relay(event))


def test_a_turn_goes_through_all_states(clock: list[float]) -> None:
    house = House(Script([[SpeechStarted(0.0)], [stopped(2)]]))
    session = house.session()
    session.hear(SECOND)
    session.hear(SECOND)
    assert house.started[0]["utterance"] == bytes(64_000) and house.started[0]["spoken"]
    turn_id = house.turn()
    said(house, session, house.event("turn.transcript", turn_id, text="hello"))
    assert [message["audio"] for message in said(house, session, house.sound(turn_id))] == [bytes(44_100)]
    said(house, session, house.event("turn.completed", turn_id))
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
    said(house, session, house.sound(house.turn(), seconds=4))
    said(house, session, house.event("turn.completed", house.turn()))
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
    said(house, session, house.sound(house.turn(), seconds=1))
    said(house, session, house.event("turn.completed", house.turn()))
    clock[0] += 2
    session.hear(SECOND)
    assert "turn.cancelled" not in [message["type"] for message in house.told]


def test_speech_into_a_finished_answer_stops_its_playing_only(clock: list[float]) -> None:
    house = House(Script([[SpeechStarted(0.0)]]))
    session = house.session()
    session.ask("Tell me.")
    said(house, session, house.sound(house.turn(), seconds=10))
    said(house, session, house.event("turn.completed", house.turn()))
    session.hear(SECOND)
    assert [message["reason"] for message in house.told if message["type"] == "turn.cancelled"] == ["barge_in"]
    assert house.cancelled == []


def test_nothing_of_a_cancelled_answer_is_told_any_more(clock: list[float]) -> None:
    house = House()
    session = house.session()
    session.ask("Tell me.")
    turn_id = house.turn()
    said(house, session, house.sound(turn_id))
    session.cancel()
    late = [house.sound(turn_id, part=1), house.event("turn.token", turn_id), house.event("turn.completed", turn_id)]
    assert [message for event in late for message in said(house, session, event)] == []
    assert house.cancelled == [(turn_id, "client")]


def test_an_answer_cancelled_between_two_of_its_parts_stops_there(clock: list[float]) -> None:
    house = House()
    session = house.session()
    session.ask("Tell me.")
    turn_id = house.turn()
    for part in (1, 2, 3):
        assert said(house, session, house.sound(turn_id, part=part)) == []
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
    said(house, session, house.sound(house.turn()))
    house.ears.heard = [[SpeechStarted(0.0)], [stopped(4)]]
    session.hear(SECOND)
    session.hear(SECOND)
    assert len(house.started[-1]["utterance"]) == 128_000


def test_pieces_are_put_together_up_to_a_length(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime, "MAX_JOINED_S", 2.5)
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
    assert said(house, session, house.event("turn.token", other, text="x"))[0]["text"] == "x"
    assert said(house, session, house.sound(other)) == []
    assert house.states() == []


def test_a_client_that_comes_back_gets_the_answer_it_was_hearing(clock: list[float]) -> None:
    house, turn_id = House(), str(uuid4())
    session = house.session(Place("1-0", "3-0", turn_id, 0, 1))
    assert session.status() == {"state": "speaking", "turn_id": turn_id}
    house.events = 1
    assert said(house, session, house.event("turn.token", turn_id)) == []  # 2-0: told before the cut
    assert said(house, session, house.sound(turn_id, part=0)) == []  # 3-0: played before the cut
    assert str(session.place()) == f"3-0:3-0:{turn_id}:0.1"
    assert [message["part"] for message in said(house, session, house.sound(turn_id, part=1))] == [1]
    assert said(house, session, house.event("turn.token", turn_id, text="new"))[0]["text"] == "new"


def test_a_second_cut_before_anything_new_forgets_nothing(clock: list[float]) -> None:
    house, turn_id = House(), str(uuid4())
    before = Place("1-0", "9-0", turn_id, 2, 1)
    session = house.session(before)
    assert session.place() == before
    house.events = 1
    said(house, session, house.event("turn.token", turn_id))
    assert session.place() == Place("2-0", "9-0", turn_id, 2, 1)


def test_a_client_that_comes_back_adopts_a_turn_it_had_not_heard_of(clock: list[float]) -> None:
    house, turn_id = House(), str(uuid4())
    session = house.session(Place("1-0", "1-0"))
    house.events = 1
    said(house, session, house.event("turn.transcript", turn_id, text="hello"))
    assert house.states() == ["thinking"]
    assert len(said(house, session, house.sound(turn_id))) == 1
    said(house, session, house.event("turn.failed", turn_id, code="x"))
    assert house.states() == ["thinking", "speaking", "listening"]
