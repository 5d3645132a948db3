"""A spoken conversation over the real socket on a real server: what is said, what is sent."""

import base64
import io
import json
import wave
from uuid import uuid4

import numpy as np
import pytest

from schemas.events import EventName
from tests.integration.relay.talking import (
    RATE_HZ,
    SPEECH,
    Web,
    Workers,
    heard,
    names,
    recording,
    silence,
    sound_of,
)


def test_a_spoken_question_is_heard_answered_and_spoken(web: Web, workers: Workers) -> None:
    spoken = recording("spk1_snt1.wav")
    with web.talk() as talker:
        ready = talker.start(language="en-GB", assistant_key="desk")
        assert ready["state"] == "listening" and ready["resumed"] is True
        talker.say(np.concatenate([silence(0.5), spoken, silence(1.5)]))
        turn = workers.next_turn()
        assert (turn["conversation_id"], turn["spoken"]) == (ready["conversation_id"], True)
        assert (turn["question"], turn["language"]) == (None, "en")
        assert abs(turn["seconds"] - len(spoken) / 16_000) < 1.5
        sound = workers.answer(turn)
        found = talker.until("state", state="listening")
        kinds = names(found)
        order = ["turn.speech_started", "turn.speech_stopped", "turn.transcript", "turn.sentence", "turn.audio"]
        assert [kinds.index(kind) for kind in [*order, "turn.completed"]] == sorted(
            kinds.index(kind) for kind in [*order, "turn.completed"]
        )
        assert [m["state"] for m in found if m["type"] == "state"] == ["hearing", "thinking", "speaking", "listening"]
        assert heard(found) == sound


def test_sound_of_a_browser_in_two_channels_at_48_khz_is_heard_too(web: Web, workers: Workers) -> None:
    spoken = np.concatenate([recording("spk1_snt2.wav"), silence(1.5)])
    at_48 = np.interp(np.arange(len(spoken) * 3) / 3, np.arange(len(spoken)), spoken)
    with web.talk() as talker:
        talker.start(sample_rate_hz=48_000, channels=2)
        talker.say(np.repeat(at_48, 2), rate_hz=96_000)
        turn = workers.next_turn()
        assert abs(turn["seconds"] - len(recording("spk1_snt2.wav")) / 16_000) < 1.5


def test_silence_and_noise_start_nothing(web: Web, workers: Workers) -> None:
    noise = np.random.default_rng(1).normal(0, 0.02, 16_000 * 6).astype(np.float32)
    with web.talk() as talker:
        talker.start()
        talker.say(np.concatenate([silence(3), noise, silence(2)]))
        talker.send(type="ping")
        assert names(talker.until("pong")) == ["pong"]
        assert workers.started() == 0


def test_a_client_that_stops_sending_in_mid_sentence_is_answered(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start()
        talker.say(recording("spk1_snt1.wav"))
        turn = workers.next_turn()
        assert turn["seconds"] > 1


def test_commit_ends_the_utterance_now(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start(endpointing={"silence_ms": 5000})
        talker.say(recording("spk1_snt1.wav"))
        talker.send(type="commit")
        talker.hear_out()
        assert workers.started() > 0, "it waited for a silence"
        assert workers.next_turn()["seconds"] > 1
    with web.talk() as talker:
        talker.start()
        talker.say(silence(1))
        talker.send(type="commit")
        assert talker.expect("error")["code"] == "no_speech"


def test_a_typed_question_is_answered_by_voice(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start()
        talker.send(type="text", text="When do you open?")
        turn = workers.next_turn()
        assert (turn["question"], turn["spoken"], turn["seconds"]) == ("When do you open?", True, None)
        assert talker.expect("state", state="thinking")["turn_id"] == turn["turn_id"]
        sound = workers.answer(turn)
        assert heard(talker.until("turn.completed")) == sound


def test_sentences_spoken_in_any_order_are_heard_in_theirs(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start()
        talker.send(type="text", text="Tell me.")
        turn = workers.next_turn()
        order = [(1, 0), (2, 0), (0, 0), (1, 1), (0, 1), (2, 1), (0, 2), (2, 2), (1, 2)]
        for seq, part in order:
            workers.speak(turn, seq, part, sound_of(seq, part, 0.05), last=part == 2)
        workers.speak(turn, 1, 1, sound_of(9, 9, 0.05))  # Spoken again after a worker died: dropped.
        workers.complete(turn)
        found = talker.until("turn.completed")
        assert [(m["seq"], m["part"]) for m in found if m["type"] == "turn.audio"] == sorted(order)
        assert heard(found) == b"".join(sound_of(seq, part, 0.05) for seq, part in sorted(order))


def test_an_answer_whose_first_sentence_got_no_voice_is_still_heard(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start()
        talker.send(type="text", text="Tell me.")
        turn = workers.next_turn()
        workers.speak(turn, 1, 0, sound_of(1, 0, 0.05), last=True)
        workers.tell(turn, EventName.TURN_AUDIO, seq=0, part=0, last=True, code="provider_unavailable", detail="no")
        workers.speak(turn, 3, 0, sound_of(3, 0, 0.05), last=True)
        workers.complete(turn)
        found = talker.until("turn.completed")
        assert heard(found) == sound_of(1, 0, 0.05) + sound_of(3, 0, 0.05)


def test_cancel_stops_the_answer_and_a_failure_is_told(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start()
        talker.send(type="text", text="First.")
        first = workers.next_turn()
        talker.send(type="cancel")
        assert talker.expect("turn.cancelled")["turn_id"] == first["turn_id"]
        assert workers.next_cancelled() == [first["turn_id"], "client"]
        talker.send(type="text", text="Second.")
        second = workers.next_turn()
        talker.send(type="text", text="Third.")
        assert talker.expect("turn.cancelled")["reason"] == "asked_anew"
        third = workers.next_turn()
        workers.tell(third, EventName.TURN_FAILED, code="provider_unavailable", detail="No answer.")
        failed = talker.expect("turn.failed")
        assert (failed["turn_id"], failed["code"]) == (third["turn_id"], "provider_unavailable")
        assert second["turn_id"] != third["turn_id"]
        talker.expect("state", state="listening")


def test_a_reference_client_gets_each_answer_as_one_response(web: Web, workers: Workers) -> None:
    spoken = np.concatenate([recording("spk1_snt1.wav"), silence(0.2)])
    pcm = (spoken * 32_767).astype("<i2").tobytes()
    with web.talk("?token=jo") as talker:
        for at in range(0, len(pcm), 8000):
            talker.send(type="audio_chunk", audio=base64.b64encode(pcm[at : at + 8000]).decode())
        turn = workers.next_turn()
        assert turn["user_id"] == "jo"
        sound = workers.answer(turn)
        found = talker.until("response")
        answer = found[-1]
        assert (answer["text"], answer["sources"]) == ("The answer.", ["handbook.pdf"])
        with wave.open(io.BytesIO(base64.b64decode(answer["audio"]))) as file:
            assert (file.getframerate(), file.getnchannels()) == (RATE_HZ, 1)
            assert file.readframes(file.getnframes()) == sound
        parts = [base64.b64decode(m["audio"]) for m in found if m["type"] == "turn.audio"]
        assert b"".join(parts) == sound


def test_a_whole_file_in_a_chunk_is_an_utterance(web: Web, workers: Workers) -> None:
    file = (SPEECH / "spk1_snt1.wav").read_bytes() if SPEECH.is_dir() else pytest.skip(f"needs {SPEECH}")
    with web.talk() as talker:
        talker.send(type="audio_chunk", audio="data:audio/wav;base64," + base64.b64encode(file).decode())
        assert workers.next_turn()["seconds"] > 1
        talker.send(type="audio_chunk", audio=base64.b64encode(b"\x01\x02" * 500).decode())
        assert talker.expect("error")["code"] == "undecodable_audio"


def test_two_conversations_hear_nothing_of_each_other(web: Web, workers: Workers) -> None:
    with web.talk() as one, web.talk() as other:
        one.start()
        other.start()
        one.send(type="text", text="One.")
        turn = workers.next_turn()
        workers.answer(turn)
        one.until("turn.completed")
        other.send(type="ping")
        assert names(other.until("pong")) == ["pong"]


def test_stop_ends_the_session_and_its_answer(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start()
        talker.send(type="text", text="One.")
        turn = workers.next_turn()
        talker.send(type="stop")
        assert workers.next_cancelled() == [turn["turn_id"], "stopped"]
        assert talker.closed()[0] == 1000


def test_the_token_may_come_as_a_subprotocol_or_in_the_first_message(web: Web, workers: Workers) -> None:
    with web.talk(subprotocols=["aura.v1", "aura.token.ann"]) as talker:
        assert talker.socket.subprotocol == "aura.v1"
        talker.start()
        talker.send(type="text", text="Hello")
        assert workers.next_turn()["user_id"] == "ann"
    with web.talk("?token=query") as talker:
        talker.start(token="first")
        talker.send(type="text", text="Hello")
        assert workers.next_turn()["user_id"] == "first"


def test_a_conversation_can_be_gone_on_with_and_a_foreign_one_cannot(web: Web, workers: Workers) -> None:
    mine = str(uuid4())
    with web.talk() as talker:
        assert talker.start(conversation_id=mine)["conversation_id"] == mine
    with web.talk() as talker:
        talker.send(type="start", conversation_id=json.loads('"00000000-0000-0000-0000-00000000029a"'))
        assert talker.expect("error")["code"] == "not_found"
        # The client may start again, better.
        talker.start()
