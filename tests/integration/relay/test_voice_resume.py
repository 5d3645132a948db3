"""A connection that is cut, over the real socket: nothing is missing, nothing comes twice, nothing is forgotten."""

import numpy as np

from schemas.events import EventName
from tests.integration.relay import voice_app
from tests.integration.relay.talking import PATIENT, Web, Workers, heard, names, recording, silence, sound_of
from tests.integration.relay.valkey import wait_until


def test_fifty_cuts_during_one_answer_change_neither_text_nor_sound(web: Web, workers: Workers) -> None:
    """Sentences are published out of order by as many workers; the client is cut wherever it happens to be."""
    with web.talk() as talker:
        conversation_id = talker.start()["conversation_id"]
        talker.send(type="text", text="Tell me everything.")
        talker.expect("state", state="thinking")
        place = talker.place
    turn = workers.next_turn()
    sentences, parts = 12, 8
    order = sorted(((seq, part) for seq in range(sentences) for part in range(parts)), key=lambda at: at[0] + at[1] * 2)
    for seq, part in order:
        if part == 0:
            workers.tell(turn, EventName.TURN_SENTENCE, seq=seq, text=f"Sentence {seq}.")
        workers.speak(turn, seq, part, sound_of(seq, part, 0.02), last=part == parts - 1)
    workers.complete(turn)
    found: list[dict[str, object]] = []
    cuts = 0
    while not found or found[-1]["type"] != "turn.completed":
        with web.talk() as talker:
            assert talker.start(conversation_id=conversation_id, after=place)["resumed"] is True
            for _ in range(1 + cuts % 3):
                message = talker.next()
                if message["type"] not in ("state", "ready"):
                    found.append(message)
                place = talker.place
                if message["type"] == "turn.completed":
                    break
            talker.cut()
        cuts += 1
    assert cuts >= 50
    assert heard(found) == b"".join(sound_of(seq, part, 0.02) for seq in range(sentences) for part in range(parts))
    said = [m["text"] for m in found if m["type"] == "turn.sentence"]
    assert sorted(said) == sorted(f"Sentence {seq}." for seq in range(sentences))
    assert workers.started() == 0


def test_who_comes_back_and_interrupts_has_heard_what_came_before_the_cut(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        conversation_id = talker.start()["conversation_id"]
        talker.send(type="text", text="Tell me everything.")
        turn = workers.next_turn()
        for seq, text in enumerate(["One two three four.", "Five six seven eight."]):
            workers.tell(turn, EventName.TURN_SENTENCE, seq=seq, text=text)
        workers.speak(turn, 0, 0, sound_of(0, 0, 1.0), last=True)
        talker.expect("turn.audio")
        talker.send(type="playback", turn_id=turn["turn_id"], played_ms=500)
        talker.send(type="ping")
        talker.expect("pong")
        place = talker.place
        talker.cut()
    wait_until(lambda: workers.client.keys(f"aura:*:playing:{conversation_id}") != [])
    with web.talk() as talker:
        ready = talker.start(conversation_id=conversation_id, after=place)
        assert (ready["state"], ready["turn_id"]) == ("speaking", turn["turn_id"])
        workers.speak(turn, 1, 0, sound_of(1, 0, 1.0), last=True)
        talker.expect("turn.audio", seq=1)
        talker.send(type="playback", turn_id=turn["turn_id"], played_ms=1600)
        talker.say(recording("spk1_snt3.wav"))
        cancelled = talker.expect("turn.cancelled")
        turn_id, heard_text, played_ms, _ = workers.next_done(voice_app.CUT)
        assert (turn_id, played_ms) == (turn["turn_id"], cancelled["played_ms"]) and played_ms >= 1600
        assert heard_text.startswith("One two three four. Five six")


def test_a_question_at_whose_end_the_line_was_cut_is_answered(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        conversation_id = talker.start(endpointing=PATIENT)["conversation_id"]
        talker.say(np.concatenate([recording("spk1_snt1.wav"), silence(0.4)]))
        early = workers.next_standing(talker)
        talker.expect("state", state="hearing")
        place = talker.place
        talker.cut()
    assert workers.next_done(voice_app.CONFIRMED)[0] == early["turn_id"]
    sound = workers.answer(early)
    with web.talk() as talker:
        talker.start(conversation_id=conversation_id, after=place)
        found = talker.until("turn.completed")
        assert heard(found) == sound and names(found).count("turn.transcript") == 1


def test_fifty_cuts_while_somebody_speaks_into_the_answer_lose_nothing(web: Web, workers: Workers) -> None:
    """The answer is held, resumed and held again, and the client is cut wherever it happens to be."""
    spoken = recording("spk1_snt3.wav")
    begins = int(np.argmax(np.abs(spoken) > 0.1))
    cough = np.concatenate([silence(0.1), spoken[begins : begins + 4800]])
    with web.talk() as talker:
        conversation_id = talker.start()["conversation_id"]
        talker.send(type="text", text="Tell me everything.")
        talker.expect("state", state="thinking")
        place = talker.place
    turn = workers.next_turn()
    order = [(seq, part) for seq in range(10) for part in range(8)]
    for seq, part in order:
        workers.speak(turn, seq, part, sound_of(seq, part, 0.05), last=part == 7)
    workers.complete(turn)
    found: list[dict[str, object]] = []
    cuts = 0
    while not found or found[-1]["type"] != "turn.completed":
        with web.talk() as talker:
            assert talker.start(conversation_id=conversation_id, after=place)["resumed"] is True
            if cuts % 2:
                talker.say(cough)
            for _ in range(1 + cuts % 4):
                message = talker.next()
                found += [message] if message["type"].startswith("turn.") else []
                place = talker.place
                if message["type"] in ("turn.completed", "playback.pause"):
                    break
            talker.cut()
        cuts += 1
        assert cuts < 400
    assert heard(found) == b"".join(sound_of(seq, part, 0.05) for seq, part in order)
    assert "turn.cancelled" not in names(found)
