"""A question that was asked before is answered at once, as long as nothing that the answer rests on has changed."""

from uuid import UUID

import psycopg
import pytest

from pipelines.stores import events
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import documents
from pipelines.stores.organisation import tenants
from pipelines.stores.redis import get_redis
from schemas.events import Subject
from schemas.settings import get_settings
from schemas.tables.dialogue import CachedAnswer, TurnStatus
from tests.integration.caching.conftest import Visitor, hit, learn
from workers import turn
from workers.dialogue import turning

QUESTION = "With which code does the safe in the office open?"


def kept(admin: psycopg.Connection, tenant: UUID) -> int:
    return admin.execute("SELECT FROM cached_answers WHERE tenant_id = %s", (tenant,)).rowcount


def told(visitor: Visitor, conversation: UUID) -> list[str]:
    found = events.replay(get_redis(), Subject.conversation(visitor.tenant_id, conversation))
    names = [event.name for event in found]
    return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]


def test_the_same_question_is_answered_at_once_and_alike(visitor: Visitor, admin: psycopg.Connection) -> None:
    first = visitor.ask(QUESTION)
    again = visitor.ask(f"  {QUESTION.upper()[:1]}{QUESTION[1:]} ")
    assert (hit(first), hit(again)) == (None, "exact")
    assert "4711" in (first.answer or "")
    assert (again.answer, again.citations, again.passages) == (first.answer, first.citations, first.passages)
    assert (again.provider, again.model, again.cost_usd) == (first.provider, first.model, 0)
    assert set(again.cache) >= {"kept_at", "saved_ms", "saved_usd"}
    assert told(visitor, again.conversation_id) == told(visitor, first.conversation_id)
    said = admin.execute("SELECT role, content FROM messages WHERE turn_id = %s ORDER BY role DESC", (again.turn_id,))
    assert [row[0] for row in said] == ["user", "assistant"]


@pytest.mark.parametrize(
    "asked",
    ["Please tell me, with which code does the safe in the office open?", "With which code is the safe in office open"],
)
def test_a_question_that_asks_the_same_is_answered_alike(visitor: Visitor, asked: str) -> None:
    first = visitor.ask(QUESTION)
    again = visitor.ask(asked)
    assert hit(again) == "near"
    assert (again.answer, again.citations) == (first.answer, first.citations)


def test_what_differs_in_a_name_a_number_or_a_negation_is_another_question(visitor: Visitor) -> None:
    visitor.ask(QUESTION)
    for other in (
        "With which code does the safe in the cellar open?",
        "With which code does the safe in office 2 open?",
        "With which code does the safe in the office not open?",
        "With which code did the safe in the office open?",
        "With which code does the office in the safe open?",
    ):
        assert hit(visitor.ask(other)) is None, other


def test_what_was_said_before_keeps_the_cache_out(visitor: Visitor) -> None:
    first = visitor.ask(QUESTION)
    again = visitor.ask(QUESTION, conversation_id=first.conversation_id)
    assert hit(again) is None
    assert hit(visitor.ask(QUESTION, conversation_id=first.conversation_id, use_memory=False)) == "exact"


def test_other_tenants_assistants_languages_and_ways_of_asking_have_their_own(
    visitor: Visitor, another: Visitor, admin: psycopg.Connection
) -> None:
    admin.execute(
        "INSERT INTO agents (tenant_id, assistant_key, name) VALUES (%s, 'other', 'Ada')", (visitor.tenant_id,)
    )
    visitor.ask(QUESTION)
    assert hit(visitor.ask(QUESTION, assistant_key="other")) is None
    assert hit(visitor.ask(QUESTION, language="de")) is None
    assert hit(another.ask(QUESTION)) is None
    spoken = visitor.ask(QUESTION, spoken=True)
    assert (spoken.status, spoken.cache.get("hit")) == (TurnStatus.RUNNING, None)


def test_a_changed_assistant_answers_anew(visitor: Visitor, admin: psycopg.Connection) -> None:
    visitor.ask(QUESTION)
    assert hit(visitor.ask(QUESTION)) == "exact"
    admin.execute("UPDATE agents SET instructions = 'Be brief.' WHERE tenant_id = %s", (visitor.tenant_id,))
    assert hit(visitor.ask(QUESTION)) is None
    with tenant_session(visitor.tenant_id) as session:
        tenants.get(session, visitor.tenant_id).custom_settings = {"model_policy": {"avoid": ["grok"]}}
    assert hit(visitor.ask(QUESTION)) is None
    assert hit(visitor.ask(QUESTION)) == "exact"


def test_what_is_known_now_is_answered(visitor: Visitor, admin: psycopg.Connection) -> None:
    visitor.ask(QUESTION)
    doc_id = learn(visitor.tenant_id, "The cellar is dry.")
    assert kept(admin, visitor.tenant_id) == 0
    assert hit(visitor.ask(QUESTION)) is None
    assert hit(visitor.ask(QUESTION)) == "exact"
    with tenant_session(visitor.tenant_id) as session:
        documents.remove(session, doc_id)
    assert kept(admin, visitor.tenant_id) == 0


def test_an_answer_is_not_kept_for_knowledge_that_came_while_it_was_made(
    visitor: Visitor, admin: psycopg.Connection
) -> None:
    turn_id = visitor.start(QUESTION)
    turn.retrieve(str(visitor.tenant_id), str(turn_id))
    learn(visitor.tenant_id, "The safe in the office opens with the code 1234.")
    turn.generate(str(visitor.tenant_id), str(turn_id))
    assert "4711" in (visitor.turn(turn_id).answer or "")
    assert kept(admin, visitor.tenant_id) == 0


def test_it_goes_with_the_conversation_it_came_from(visitor: Visitor, admin: psycopg.Connection) -> None:
    first = visitor.ask(QUESTION)
    admin.execute("DELETE FROM conversations WHERE conversation_id = %s", (first.conversation_id,))
    assert kept(admin, visitor.tenant_id) == 0


def test_a_refusal_is_not_kept(visitor: Visitor, admin: psycopg.Connection) -> None:
    assert "don't know" in (visitor.ask("Who won the football match on Sunday?").answer or "")
    assert kept(admin, visitor.tenant_id) == 0


def test_a_policy_and_a_setting_turn_it_off(
    visitor: Visitor, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.ask(QUESTION)
    with tenant_session(visitor.tenant_id) as session:
        tenants.get(session, visitor.tenant_id).custom_settings = {"model_policy": {"cache": False}}
    assert [hit(visitor.ask(QUESTION)) for _ in range(2)] == [None, None]
    with tenant_session(visitor.tenant_id) as session:
        tenants.get(session, visitor.tenant_id).custom_settings = {}
    monkeypatch.setenv("AURA_ANSWER_CACHE", "0")
    get_settings.cache_clear()
    assert hit(visitor.ask(QUESTION)) is None
    monkeypatch.undo()
    get_settings.cache_clear()
    assert hit(visitor.ask(QUESTION)) == "exact"


def test_an_old_answer_is_made_anew(visitor: Visitor, admin: psycopg.Connection) -> None:
    visitor.ask(QUESTION)
    admin.execute(
        "UPDATE cached_answers SET created_at = now() - interval '2 days' WHERE tenant_id = %s", (visitor.tenant_id,)
    )
    assert hit(visitor.ask(QUESTION)) is None
    assert hit(visitor.ask(QUESTION)) == "exact"


def test_a_spoken_answer_from_the_cache_has_its_sentences_spoken(visitor: Visitor) -> None:
    visitor.ask(QUESTION, spoken=True)
    again = visitor.ask(QUESTION, spoken=True)
    assert (again.status, again.cache["hit"]) == (TurnStatus.RUNNING, "exact")
    taken = turning.take_sentence(visitor.tenant_id, again.turn_id, 0)
    assert taken is not None
    assert "4711" in taken.sentence.text


def test_nothing_of_another_tenant_is_ever_found(visitor: Visitor, another: Visitor, admin: psycopg.Connection) -> None:
    """Also where a row of theirs has the very key: row level security hides it."""
    visitor.ask(QUESTION)
    with tenant_session(another.tenant_id) as session:
        assert session.query(CachedAnswer).count() == 0
