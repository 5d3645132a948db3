"""An answer is spoken with the voice and at the speed of who listens, and a filler where it is late."""

import base64
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pipelines.stores.database import tenant_session
from pipelines.stores.dialogue import preferences
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import sentences, turns
from pipelines.turn.speaking.fillers import OURS
from schemas.tables.dialogue import Sentence, TurnStatus
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from tests.integration.speech.conftest import NewTurn
from workers import fillers
from workers.dialogue import speaking

Told = Callable[[UUID], list[dict[str, Any]]]
SetUp = Callable[..., None]


def asked_of(voice: FarEnd) -> tuple[str, float | None, str]:
    """Return with which voice, at what speed and of what the far end was last asked to speak."""
    asked = voice.asked[-1]
    return asked.path.split("/")[3], (asked.json.get("voice_settings") or {}).get("speed"), asked.json["text"]


def test_a_sentence_is_spoken_as_its_assistant_is_set(
    voice: FarEnd, set_up: SetUp, new_turn: NewTurn, tenant: UUID, told: Told
) -> None:
    turn = new_turn(said="It costs 5 €.")
    speaking.sentence(tenant, turn, 0)
    assert asked_of(voice) == ("of-the-deployment", None, "It costs 5 euros.")
    set_up(voice_id="amy", voice_speed=1.1)
    turn = new_turn(said="It costs 5 €.")
    speaking.sentence(tenant, turn, 0)
    assert asked_of(voice) == ("amy", 1.1, "It costs 5 euros.")
    *sound, last = told(turn)
    assert b"".join(base64.b64decode(one["audio"]) for one in sound) == b"\1\0" * 2_205
    assert last["last"]
    with tenant_session(tenant) as session:
        timings = turns.get(session, turn).timings
    assert timings["synthesize_0"]["provider"] == "elevenlabs"
    assert timings["audio_0_ms"] > 0


def test_what_its_listener_prefers_counts_more(voice: FarEnd, set_up: SetUp, new_turn: NewTurn, tenant: UUID) -> None:
    set_up(voice_id="amy", voice_speed=1.1, language="de")
    with tenant_session(tenant) as session:
        preferences.put(session, tenant, "ada", {"voice_id": "dora", "voice_speed": 0.8})
    for user, expected in (("ada", ("dora", 0.8)), ("bob", ("amy", 1.1))):
        speaking.sentence(tenant, new_turn(user, said="5 €"), 0)
        assert asked_of(voice) == (*expected, "5 €")


def test_the_voice_of_an_account_counts_more_than_the_assistants(
    voice: FarEnd, set_up: SetUp, new_turn: NewTurn, tenant: UUID, admin: psycopg.Connection
) -> None:
    set_up(voice_id="amy")
    account = admin.execute(
        "INSERT INTO tenant_users (tenant_id, email, voice_preference) VALUES (%s, %s, 'carl') RETURNING user_id",
        (tenant, f"{tenant}@b.org"),
    ).fetchone()
    assert account is not None
    speaking.sentence(tenant, new_turn(str(account[0]), said="Hello."), 0)
    assert asked_of(voice)[0] == "carl"


def test_a_filler_is_said_where_no_sentence_is_there(
    voice: FarEnd, set_up: SetUp, new_turn: NewTurn, tenant: UUID, told: Told
) -> None:
    set_up(filler_after_ms=800)
    turn = new_turn(language="de")
    fillers.say(str(tenant), str(turn))
    (one,) = told(turn)
    assert (one["seq"], one["part"], one["last"], one["filler"]) == (-1, 0, True, True)
    assert base64.b64decode(one["audio"]) == b"\1\0" * 2_205
    assert asked_of(voice)[2] in OURS["de"]
    with tenant_session(tenant) as session:
        assert sentences.count(session, turn) == 0


def test_a_filler_is_made_once_for_all_turns(voice: FarEnd, set_up: SetUp, new_turn: NewTurn, tenant: UUID) -> None:
    set_up(filler_after_ms=800, fillers='{"en": ["Hm."]}')
    for _ in range(3):
        fillers.say(str(tenant), str(new_turn()))
    assert [asked.json["text"] for asked in voice.asked] == ["Hm."]


@pytest.mark.parametrize(
    "fields",
    [{"said": "Here."}, {"spoken": False}, {"answer": "Here."}, {"language": "xx"}],
    ids=["sentence", "text", "answer", "language"],
)
def test_no_filler_is_said_where_none_is_due(
    fields: dict[str, Any], voice: FarEnd, set_up: SetUp, new_turn: NewTurn, tenant: UUID, told: Told
) -> None:
    set_up(filler_after_ms=800)
    turn = new_turn(**fields)
    fillers.say(str(tenant), str(turn))
    assert told(turn) == []
    assert voice.asked == []


def test_no_filler_is_said_unless_the_assistant_is_set_to_it(
    voice: FarEnd, new_turn: NewTurn, tenant: UUID, told: Told
) -> None:
    turn = new_turn()
    fillers.say(str(tenant), str(turn))
    assert told(turn) == []


def test_a_filler_that_the_first_sentence_overtakes_is_not_said(
    voice: FarEnd, set_up: SetUp, new_turn: NewTurn, tenant: UUID, told: Told
) -> None:
    set_up(filler_after_ms=800, fillers='{"en": ["A slow one."]}')
    turn = new_turn()

    def meanwhile(exchange: fakes.Exchange) -> None:
        with tenant_session(tenant) as session:
            session.add(Sentence(tenant_id=tenant, turn_id=turn, seq=0, text="Here it is."))
        fakes.pcm(b"\1\0" * 2_205)(exchange)

    voice.reply = meanwhile
    fillers.say(str(tenant), str(turn))
    assert len(voice.asked) == 1
    assert told(turn) == []


def test_a_filler_whose_voice_fails_disturbs_nothing(
    voice: FarEnd, set_up: SetUp, new_turn: NewTurn, tenant: UUID, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(filler_after_ms=800, fillers='{"en": ["Nobody can say this."]}')
    voice.reply = fakes.failure(500)
    # Else the voice that runs here would stand in.
    monkeypatch.setitem(sys.modules, "piper", None)
    turn = new_turn()
    fillers.say(str(tenant), str(turn))
    assert told(turn) == []
    with tenant_session(tenant) as session:
        assert turns.get(session, turn).status == TurnStatus.RUNNING
    assert get_redis().ping()
