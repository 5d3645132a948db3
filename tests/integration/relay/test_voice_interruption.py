"""Speech over the real socket that meets an answer, or pauses: what is held, cut, resumed, and begun early."""

import numpy as np

from schemas.events import EventName
from tests.integration.relay import voice_app
from tests.integration.relay.talking import PATIENT, Web, Workers, heard, names, recording, silence, sound_of


def test_speech_into_an_answer_stops_it_at_once(web: Web, workers: Workers) -> None:
    spoken = recording("spk1_snt3.wav")
    with web.talk() as talker:
        talker.start()
        talker.send(type="text", text="Tell me everything.")
        turn = workers.next_turn()
        workers.tell(turn, EventName.TURN_SENTENCE, seq=0, text="One two three four five six seven eight nine ten.")
        for part in range(5):
            workers.speak(turn, 0, part, sound_of(0, part, 1.0), last=part == 4)
        for _ in range(5):
            talker.expect("turn.audio")
        talker.send(type="playback", turn_id=turn["turn_id"], played_ms=1500)
        talker.say(spoken)
        assert talker.expect("playback.duck")["turn_id"] == turn["turn_id"]
        talker.expect("playback.pause")
        cancelled = talker.expect("turn.cancelled")
        assert (cancelled["turn_id"], cancelled["reason"]) == (turn["turn_id"], "barge_in")
        assert 1500 <= cancelled["played_ms"] <= 5000
        turn_id, heard, played_ms, reason = workers.next_done(voice_app.CUT)
        assert (turn_id, played_ms, reason) == (turn["turn_id"], cancelled["played_ms"], "barge_in")
        assert "One two three four five six seven eight nine ten.".startswith(heard) and heard.startswith("One two")
        # What the workers still send of it, the cancellation too, is not passed on.
        workers.speak(turn, 0, 5, sound_of(0, 5, 1.0))
        workers.tell(turn, EventName.TURN_CANCELLED, reason="barge_in")
        talker.say(silence(1.5))
        following = workers.next_turn()
        workers.answer(following)
        found = talker.until("turn.completed")
        assert {m.get("turn_id") for m in found if m["type"] not in ("state", "turn.speech_stopped")} == {
            following["turn_id"]
        }


def test_a_short_yes_lets_the_answer_go_on_where_it_stopped(web: Web, workers: Workers) -> None:
    spoken = recording("spk1_snt3.wav")
    begins = int(np.argmax(np.abs(spoken) > 0.1))
    with web.talk() as talker:
        talker.start(endpointing=PATIENT)
        talker.send(type="text", text="Tell me everything.")
        turn = workers.next_turn()
        workers.speak(turn, 0, 0, sound_of(0, 0, 1.0))
        talker.expect("turn.audio")
        talker.say(np.concatenate([silence(0.2), spoken[begins : begins + 8000], silence(0.3)]))
        talker.expect("playback.pause")
        early = workers.next_started()
        assert early["speculative"] and not early["generates"]
        workers.speak(turn, 0, 1, sound_of(0, 1, 1.0), last=True)
        talker.send(type="ping")
        assert "turn.audio" not in names(talker.until("pong"))
        workers.tell(early, EventName.TURN_TRANSCRIPT, text="Mm-hm.", language="en", confidence=0.5, speculative=True)
        resumed = talker.expect("playback.resume")
        assert resumed["turn_id"] == turn["turn_id"]
        assert heard(talker.until("turn.audio")) == sound_of(0, 1, 1.0)
        assert workers.next_done(voice_app.DROPPED) == [early["turn_id"]]
        talker.say(silence(5.5))
        assert talker.expect("turn.speech_stopped")["dismissed"] is True
        assert workers.started() == 0


def test_a_question_is_transcribed_from_its_first_pause_on(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start(endpointing=PATIENT)
        talker.say(np.concatenate([recording("spk1_snt1.wav"), silence(0.26)]))
        early = workers.next_standing(talker)
        assert early["speculative"] and early["timings"]["speech_end_ms"] < 0
        for name, data in [(EventName.TURN_TRANSCRIPT, {"text": "So?"}), (EventName.TURN_RETRIEVED, {"sources": []})]:
            workers.tell(early, name, **data, speculative=True)
        talker.send(type="ping")
        assert not {"turn.transcript", "turn.retrieved"} & set(names(talker.until("pong")))
        talker.send(type="commit")
        turn_id, timings = workers.next_done(voice_app.CONFIRMED)
        assert turn_id == early["turn_id"] and timings["endpoint_ms"] > 200
        # Confirmed, it is told once more: the client gets it once.
        workers.tell(early, EventName.TURN_TRANSCRIPT, text="So?")
        workers.complete(early)
        found = talker.until("turn.completed")
        assert names(found).count("turn.transcript") == names(found).count("turn.retrieved") == 1
        assert not any("speculative" in message for message in found)
        assert workers.started() == 0


def test_a_pause_in_mid_sentence_asks_nothing(web: Web, workers: Workers) -> None:
    head, tail = recording("spk1_snt1.wav"), recording("spk1_snt2.wav")
    with web.talk() as talker:
        talker.start(endpointing=PATIENT)
        talker.say(np.concatenate([head, silence(0.4)]))
        early = workers.next_standing(talker)
        workers.tell(early, EventName.TURN_TRANSCRIPT, text="So I was wondering and", speculative=True)
        talker.say(tail)
        talker.send(type="commit")
        assert workers.next_done(voice_app.DROPPED)[0] == early["turn_id"]
        whole = workers.next_turn()
        workers.complete(whole)
        assert whole["seconds"] > early["seconds"] + 0.5 * len(tail) / 16_000
        assert "So I was wondering and" not in [m.get("text") for m in talker.until("turn.completed")]


def test_speech_that_goes_on_while_its_beginning_is_thought_about_is_one_question(web: Web, workers: Workers) -> None:
    head, tail = recording("spk1_snt1.wav"), recording("spk1_snt2.wav")
    with web.talk() as talker:
        talker.start()
        talker.say(np.concatenate([head, silence(1.5)]))
        first = workers.next_turn()
        talker.say(np.concatenate([tail, silence(1.5)]))
        assert workers.next_cancelled() == [first["turn_id"], "barge_in"]
        whole = workers.next_turn()
        assert whole["seconds"] > first["seconds"] + 0.7 * len(tail) / 16_000
