"""Of an answer that was cut while it was heard the conversation remembers what was heard, and no more."""

import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from api.dialogue import turns as asking
from deploy.ephemeral import wait_until
from schemas.events import EventName
from schemas.tables.dialogue import TurnStatus
from tests.integration.providers.fakes import FarEnd
from tests.integration.turns.conftest import ANSWER, QUESTION, Speaker

HEARD = "The museum opens at nine. It closes"


def chat_messages(far_end: FarEnd) -> list[dict[str, str]]:
    """Return what the model was asked last."""
    asked = [one.json for one in far_end.asked if one.path.endswith("/chat/completions")]
    return asked[-1]["messages"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("heard", [HEARD, ""])
def test_a_completed_answer_is_remembered_as_far_as_it_was_heard(speaker: Speaker, heard: str) -> None:
    turn_id = speaker.say()
    speaker.answered(turn_id)
    assert speaker.history() == [("user", QUESTION), ("assistant", ANSWER)]
    assert asking.cut_off(speaker.caller, turn_id, heard, 2100.4)
    assert speaker.history() == [("user", QUESTION), *([("assistant", heard)] if heard else [])]
    cut = speaker.turn(turn_id)
    assert (cut.status, cut.answer, cut.heard_text) == (TurnStatus.COMPLETED, ANSWER, heard)
    assert cut.interrupted_at is not None
    assert cut.timings["played_ms"] == 2100
    assert speaker.told()[-1].name == EventName.TURN_COMPLETED, "it had ended: nothing more is told"


def test_the_next_question_tells_that_the_last_answer_was_cut(speaker: Speaker, far_end: FarEnd) -> None:
    first = speaker.say()
    speaker.answered(first)
    assert "interrupted" not in json.dumps(chat_messages(far_end))
    asking.cut_off(speaker.caller, first, HEARD, 2100)
    second = speaker.say()
    speaker.answered(second)
    messages = chat_messages(far_end)
    assert "The user interrupted your last answer" in messages[0]["content"]
    assert [(one["role"], one["content"]) for one in messages[1:3]] == [("user", QUESTION), ("assistant", HEARD)]
    third = speaker.say()
    speaker.answered(third)
    assert "interrupted" not in chat_messages(far_end)[0]["content"], "only the last one counts"


def test_an_answer_of_which_nothing_was_heard_is_no_message_of_the_next_prompt(
    speaker: Speaker, far_end: FarEnd
) -> None:
    first = speaker.say()
    speaker.answered(first)
    asking.cut_off(speaker.caller, first, "", 0)
    speaker.answered(speaker.say())
    messages = chat_messages(far_end)
    assert [one["role"] for one in messages] == ["system", "user", "user"]
    assert "The user interrupted your last answer" in messages[0]["content"]


def test_an_answer_that_is_still_made_ends_there(speaker: Speaker) -> None:
    turn_id = speaker.say()
    speaker.run(turn_id, "transcribe", "retrieve")
    speaker.admin.execute(
        "INSERT INTO sentences (tenant_id, turn_id, seq, text) VALUES (%s, %s, 0, 'The museum opens at nine.')",
        (speaker.tenant_id, turn_id),
    )
    assert asking.cut_off(speaker.caller, turn_id, "The museum opens", 700)
    cut = speaker.turn(turn_id)
    assert (cut.status, cut.answer) == (TurnStatus.CANCELLED, "The museum opens at nine.")
    assert speaker.history() == [("user", QUESTION), ("assistant", "The museum opens")]
    assert speaker.told()[-1].data["reason"] == "barge_in"
    speaker.run(turn_id, "generate")
    speaker.speak(turn_id)
    assert speaker.turn(turn_id).status == TurnStatus.CANCELLED
    assert speaker.history() == [("user", QUESTION), ("assistant", "The museum opens")]


def test_it_may_be_cancelled_before_it_is_cut_off(speaker: Speaker) -> None:
    turn_id = speaker.say()
    speaker.run(turn_id, "transcribe", "retrieve")
    assert asking.cancel_turn(speaker.caller, turn_id)
    assert speaker.history() == [], "nothing was heard of it"
    assert asking.cut_off(speaker.caller, turn_id, "The", 100)
    assert speaker.history() == [("user", QUESTION), ("assistant", "The")]
    assert [event.name for event in speaker.told()].count(EventName.TURN_CANCELLED) == 1


def test_what_the_session_measured_is_in_the_waterfall_and_what_is_there_stays(speaker: Speaker) -> None:
    turn_id = speaker.say(timings={"speech_end_ms": -310.0, "endpoint_ms": 290.0})
    speaker.answered(turn_id)
    asking.timed(speaker.caller, turn_id, {"first_audio_sent_ms": 812.0, "endpoint_ms": 1.0})
    timings = speaker.turn(turn_id).timings
    assert (timings["speech_end_ms"], timings["endpoint_ms"], timings["first_audio_sent_ms"]) == (-310.0, 290.0, 812.0)
    assert timings["first_audio_ms"] == timings["audio_0_ms"]
    assert {"start_ms", "queued_ms", "run_ms", "provider"} <= timings["transcribe"].keys()
    completed = next(event.data for event in speaker.told() if event.name == EventName.TURN_COMPLETED)
    assert completed["timings"]["speech_end_ms"] == -310.0


def test_who_was_not_understood_is_asked_to_say_it_again(speaker: Speaker, far_end: FarEnd) -> None:
    spoken = far_end.reply

    def reply(exchange) -> None:  # type: ignore[no-untyped-def]
        if exchange.asked.path.endswith("/transcriptions"):
            exchange.send_json({"error": {"message": "down"}}, 500)
        else:
            spoken(exchange)

    far_end.reply = reply
    turn_id = speaker.say(language="de")
    speaker.run(turn_id, "transcribe")
    assert speaker.woken("synthesize") == [str(turn_id)]
    assert speaker.turn(turn_id).status == TurnStatus.RUNNING, "it ends when that is said"
    speaker.speak(turn_id)
    told = [(event.name, event.data) for event in speaker.told()]
    assert told[0][0] == EventName.TURN_SENTENCE
    assert "noch einmal" in told[0][1]["text"]
    assert EventName.TURN_AUDIO in {name for name, _ in told}
    assert told[-1][0] == EventName.TURN_FAILED
    assert told[-1][1]["code"] == "not_heard"
    assert speaker.turn(turn_id).status == TurnStatus.FAILED
    assert speaker.history() == []


def test_silence_is_not_answered_aloud(speaker: Speaker, far_end: FarEnd) -> None:
    from tests.integration.turns.conftest import reply_with

    far_end.reply = reply_with(said="")
    turn_id = speaker.say()
    speaker.run(turn_id, "transcribe")
    assert [(event.name, event.data["code"]) for event in speaker.told()] == [("turn.failed", "no_speech")]
    assert speaker.woken("synthesize") == []


def test_where_nothing_can_be_spoken_the_text_arrives(speaker: Speaker, far_end: FarEnd) -> None:
    others = far_end.reply

    def reply(exchange) -> None:  # type: ignore[no-untyped-def]
        if "text-to-speech" in exchange.asked.path:
            exchange.send_json({"detail": "down"}, 500)
        else:
            others(exchange)

    far_end.reply = reply
    turn_id = speaker.say()
    speaker.answered(turn_id)
    assert (speaker.turn(turn_id).status, speaker.turn(turn_id).answer) == (TurnStatus.COMPLETED, ANSWER)
    audio = [event.data for event in speaker.told() if event.name == EventName.TURN_AUDIO]
    assert [one["code"] for one in audio] == ["not_spoken"] * 3


def test_a_sentence_that_ends_waits_for_its_turn_without_holding_its_own_row(
    speaker: Speaker, servers: tuple[str, str, str]
) -> None:
    """Who ends a turn takes the turn's row, then its sentences'; in the other order both would wait for each other."""
    turn_id = speaker.say()
    speaker.run(turn_id, "transcribe", "retrieve", "generate")
    with (
        psycopg.connect(servers[0].rpartition("/")[0] + "/aura") as ending,
        ThreadPoolExecutor(1) as beside,
    ):
        ending.execute("SELECT FROM turns WHERE turn_id = %s FOR UPDATE", (turn_id,))
        spoken = beside.submit(speaker.speak, turn_id)
        waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE turns SET timings%'"
        wait_until(lambda: speaker.admin.execute(waits).fetchone() is not None, 120, "the sentence waits for its turn")
        ending.execute("SELECT FROM sentences WHERE turn_id = %s FOR UPDATE NOWAIT", (turn_id,))
        ending.rollback()
        spoken.result(120)
    assert speaker.turn(turn_id).status == TurnStatus.COMPLETED
