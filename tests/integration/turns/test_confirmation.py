"""A turn that begins before its speech has surely ended is answered once that is certain, or was never asked."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import psycopg
import pytest

from api.dialogue import turns as asking
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import utterances
from schemas.errors.work import LeaseLost
from schemas.events import EventName
from schemas.tables.dialogue import TurnStage, TurnStatus
from tests.integration.turns.conftest import ANSWER, QUESTION, Age, Speaker
from workers.dialogue import turning, watching


def test_it_waits_for_its_confirmation_and_is_woken_by_it(speaker: Speaker, age: Age) -> None:
    turn_id = speaker.say(speculative=True)
    assert speaker.woken("transcribe") == [str(turn_id)]
    speaker.run(turn_id, "transcribe", "retrieve", "generate")
    parked = speaker.turn(turn_id)
    assert (parked.stage, parked.question, parked.answer) == (TurnStage.GENERATE, QUESTION, None)
    assert speaker.woken("generate") == []
    age(turn_id, 12)
    watching.look()
    assert speaker.woken("generate") == [], "the sweep leaves it alone"

    assert asking.confirm_turn(speaker.caller, turn_id, {"endpoint_ms": 480.0})
    assert speaker.woken("generate") == [str(turn_id)]
    speaker.run(turn_id, "generate")
    speaker.speak(turn_id)
    ended = speaker.turn(turn_id)
    assert (ended.status, ended.answer) == (TurnStatus.COMPLETED, ANSWER)
    assert ended.timings["speculated"] is True
    assert ended.timings["endpoint_ms"] == 480.0
    assert speaker.history() == [("user", QUESTION), ("assistant", ANSWER)]


def test_what_is_not_asked_yet_is_told_to_its_session_alone_and_again_once_it_is(speaker: Speaker) -> None:
    turn_id = speaker.say(speculative=True)
    speaker.run(turn_id, "transcribe", "retrieve")
    told = {event.name: event.data.get("speculative") for event in speaker.told()}
    assert told == {EventName.TURN_TRANSCRIPT: True, EventName.TURN_RETRIEVED: True}
    assert speaker.told(tenant_wide=True) == []
    asking.confirm_turn(speaker.caller, turn_id)
    again = [event.data for event in speaker.told()[2:]]
    assert [(data["type"], data.get("speculative")) for data in again] == [
        (EventName.TURN_TRANSCRIPT, None),
        (EventName.TURN_RETRIEVED, None),
    ]
    assert again[0]["text"] == QUESTION
    assert again[0]["confidence"] == speaker.told()[0].data["confidence"]
    assert [event.name for event in speaker.told(tenant_wide=True)] == [data["type"] for data in again]


def test_webhooks_are_told_once_it_is_asked(speaker: Speaker, admin: psycopg.Connection) -> None:
    admin.execute(
        "INSERT INTO webhook_endpoints (tenant_id, url, events, secret_sealed, headers_sealed)"
        " VALUES (%s, 'https://93.184.216.34/hook', ARRAY['turn.transcript'], 'x', 'x')",
        (speaker.tenant_id,),
    )

    def owed() -> int:
        found = admin.execute("SELECT FROM webhook_deliveries WHERE tenant_id = %s", (speaker.tenant_id,))
        return found.rowcount

    turn_id = speaker.say(speculative=True)
    speaker.run(turn_id, "transcribe", "retrieve")
    assert owed() == 0
    asking.confirm_turn(speaker.caller, turn_id)
    assert owed() == 1
    plain = speaker.say()
    speaker.run(plain, "transcribe")
    assert owed() == 2


def test_a_confirmation_that_comes_early_is_no_wake_up_and_the_step_goes_on_by_itself(speaker: Speaker) -> None:
    speaker.knows(ANSWER)
    turn_id = speaker.say(speculative=True)
    speaker.run(turn_id, "transcribe")
    assert asking.confirm_turn(speaker.caller, turn_id)
    assert speaker.woken("generate") == []
    speaker.run(turn_id, "retrieve")
    assert speaker.woken("generate") == [str(turn_id)]
    assert "speculative" not in speaker.told()[-1].data


def test_to_confirm_again_changes_nothing_and_what_is_gone_cannot_be(speaker: Speaker) -> None:
    turn_id = speaker.say(speculative=True)
    speaker.run(turn_id, "transcribe", "retrieve")
    assert [asking.confirm_turn(speaker.caller, turn_id) for _ in range(3)] == [True] * 3
    assert speaker.woken("generate") == [str(turn_id)]
    assert not asking.confirm_turn(speaker.caller, uuid4())
    assert not asking.drop_turn(speaker.caller, turn_id), "it is asked"


def test_what_was_dropped_was_never_asked(speaker: Speaker, admin: psycopg.Connection) -> None:
    before = speaker.say()
    speaker.answered(before)
    told, history = len(speaker.told()), speaker.history()
    turn_id = speaker.say(speculative=True)
    speaker.run(turn_id, "transcribe", "retrieve")
    uses = admin.execute("SELECT FROM usage_events WHERE subject_id = %s", (turn_id,)).rowcount
    assert uses > 0
    assert asking.drop_turn(speaker.caller, turn_id)
    assert admin.execute("SELECT FROM turns WHERE turn_id = %s", (turn_id,)).rowcount == 0
    assert utterances.get(get_redis(), speaker.tenant_id, turn_id) is None
    assert len(speaker.told()) == told
    assert speaker.history() == history
    assert admin.execute("SELECT FROM usage_events WHERE subject_id = %s", (turn_id,)).rowcount == uses
    assert not asking.confirm_turn(speaker.caller, turn_id)
    assert not asking.drop_turn(speaker.caller, turn_id)


def test_a_step_that_runs_while_its_turn_is_dropped_ends_without_an_effect(speaker: Speaker) -> None:
    turn_id = speaker.say(speculative=True)
    taken = turning.take(speaker.tenant_id, turn_id, TurnStage.TRANSCRIBE)
    assert taken is not None
    asking.drop_turn(speaker.caller, turn_id)
    with pytest.raises(LeaseLost):
        turning.hand_on(taken.turn, TurnStage.RETRIEVE, {}, {EventName.TURN_TRANSCRIPT: {"text": ""}}, question="")
    assert speaker.woken("retrieve") == []
    assert speaker.told() == []


def test_what_nobody_confirms_is_forgotten(speaker: Speaker, age: Age, admin: psycopg.Connection) -> None:
    waits, confirmed, fresh = (speaker.say(speculative=True) for _ in range(3))
    for turn_id in (waits, confirmed, fresh):
        speaker.run(turn_id, "transcribe", "retrieve")
    asking.confirm_turn(speaker.caller, confirmed)
    for turn_id in (waits, confirmed):
        age(turn_id, 20)
    watching.look()
    left = admin.execute("SELECT turn_id FROM turns WHERE tenant_id = %s", (speaker.tenant_id,)).fetchall()
    assert {turn_id for (turn_id,) in left} == {confirmed, fresh}


def test_a_wake_up_that_was_lost_is_found(speaker: Speaker, age: Age) -> None:
    turn_id = speaker.say(speculative=True)
    speaker.run(turn_id, "transcribe", "retrieve")
    asking.confirm_turn(speaker.caller, turn_id)
    get_redis().delete("generate")
    age(turn_id, 1.5)
    watching.look()
    assert speaker.woken("generate") == [str(turn_id)]


def test_one_that_failed_is_to_be_asked_anew(speaker: Speaker) -> None:
    turn_id = speaker.say(speculative=True)
    utterances.delete(get_redis(), speaker.tenant_id, turn_id)
    speaker.run(turn_id, "transcribe")
    (failed,) = speaker.told()
    assert (failed.name, failed.data["code"], failed.data["speculative"]) == ("turn.failed", "not_heard", True)
    assert speaker.told(tenant_wide=True) == []
    assert not asking.confirm_turn(speaker.caller, turn_id)
    assert speaker.told() == []


@pytest.mark.timeout(650)
def test_confirmed_while_its_ground_is_found_it_is_woken_exactly_once(speaker: Speaker) -> None:
    rounds = 200
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            turn_id = speaker.say(speculative=True, utterance=None, question=QUESTION)
            taken = turning.take(speaker.tenant_id, turn_id, TurnStage.RETRIEVE)
            assert taken is not None
            together = Barrier(2)

            def retrieved(taken: turning.Taken = taken, together: Barrier = together) -> None:
                together.wait()
                turning.hand_on(taken.turn, TurnStage.GENERATE, {}, {EventName.TURN_RETRIEVED: {}}, passages=[])

            def confirmed(turn_id: object = turn_id, together: Barrier = together) -> bool:
                together.wait()
                return asking.confirm_turn(speaker.caller, turn_id)  # type: ignore[arg-type]

            both = pool.submit(retrieved), pool.submit(confirmed)
            both[0].result()
            assert both[1].result()
    assert len(set(speaker.woken("generate"))) == len(speaker.woken("generate")) == rounds


def test_of_a_confirmation_and_a_drop_one_wins(speaker: Speaker, admin: psycopg.Connection) -> None:
    with ThreadPoolExecutor(2) as pool:
        for _ in range(50):
            turn_id = speaker.say(speculative=True, utterance=None, question=QUESTION)
            speaker.run(turn_id, "retrieve")
            confirmed = pool.submit(asking.confirm_turn, speaker.caller, turn_id)
            dropped = pool.submit(asking.drop_turn, speaker.caller, turn_id)
            assert confirmed.result() != dropped.result()
            left = admin.execute("SELECT FROM turns WHERE turn_id = %s", (turn_id,)).rowcount
            assert left == (str(turn_id) in speaker.woken("generate")) == confirmed.result()


def test_answered_before_it_is_confirmed_it_is_kept_only_then(speaker: Speaker) -> None:
    turn_id = speaker.say(speculative=True, speculative_generation=True)
    speaker.run(turn_id, "transcribe", "retrieve")
    assert speaker.woken("generate") == [str(turn_id)]
    speaker.run(turn_id, "generate")
    speaker.speak(turn_id)
    early = speaker.turn(turn_id)
    assert (early.status, early.answer) == (TurnStatus.RUNNING, ANSWER)
    assert speaker.history() == []
    assert all(event.data["speculative"] for event in speaker.told())
    assert EventName.TURN_AUDIO in {event.name for event in speaker.told()}

    assert asking.confirm_turn(speaker.caller, turn_id)
    assert speaker.woken("generate") == [str(turn_id)], "it is not to be answered twice"
    assert speaker.turn(turn_id).status == TurnStatus.COMPLETED
    assert speaker.history() == [("user", QUESTION), ("assistant", ANSWER)]
    assert "speculative" not in speaker.told()[-1].data
    assert speaker.told()[-1].name == EventName.TURN_COMPLETED


def test_answered_early_and_dropped_nothing_is_left_of_it(speaker: Speaker, admin: psycopg.Connection) -> None:
    turn_id = speaker.say(speculative=True, speculative_generation=True)
    speaker.run(turn_id, "transcribe", "retrieve", "generate")
    assert asking.drop_turn(speaker.caller, turn_id)
    assert speaker.history() == []
    assert speaker.told() == []
    for table in ("turns", "sentences", "messages", "cached_answers", "unanswered_questions"):
        found = admin.execute(f"SELECT FROM {table} WHERE tenant_id = %s", (speaker.tenant_id,))  # type: ignore[arg-type]
        assert found.rowcount == 0, table
