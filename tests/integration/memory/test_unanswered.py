"""Questions without an answer are listed once for all their spellings, with what came nearest."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from pipelines.ports.passages import Passage
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import unanswered
from pipelines.stores.turns import turns
from schemas.tables.dialogue import Turn, TurnStage
from tests.integration.memory.conftest import Desk
from tests.integration.people import Person, code

OFF_TOPIC = "Who painted the ceiling of the chapel?"


def questions(person: Person, query: str = "") -> list[dict[str, Any]]:
    response = person.get(f"/api/knowledge/unanswered{query}")
    assert response.status_code == 200, response.json
    return list((response.json or {})["questions"])


def test_a_refused_question_is_listed_with_what_came_nearest(shop: Person, desk: Desk) -> None:
    answer = desk.ask(shop, OFF_TOPIC)
    (found,) = questions(shop)
    assert (found["question"], found["count"], found["state"]) == (OFF_TOPIC, 1, "open")
    assert found["turn_id"] == answer["turn_id"] and found["reason"] == "refused"
    assert found["nearest"] and found["nearest"][0]["filename"] == "notes.txt" and found["nearest"][0]["text"]
    assert shop.get(f"/api/knowledge/unanswered/{found['id']}").json == found


def test_spellings_of_one_question_are_one(shop: Person, desk: Desk) -> None:
    for asked in (OFF_TOPIC, OFF_TOPIC.lower(), f"  {OFF_TOPIC[:-1]} ??", f"Please answer shortly. {OFF_TOPIC}"):
        desk.ask(shop, asked)
    (found,) = questions(shop)
    assert found["count"] == 4 and found["first_asked_at"] < found["last_asked_at"]


def test_what_was_answered_and_what_asks_nothing_is_not_listed(shop: Person, desk: Desk) -> None:
    for asked in ("How long does the warranty last?", "Hello!", "Thank you", "Call me Ada", "??"):
        desk.ask(shop, asked)
    assert questions(shop) == []


@pytest.fixture
def noted(tenant: UUID) -> Callable[..., UUID | None]:
    """Return what notes a question with a given answer."""

    def note(question: str, answer: str, confidence: float, cited: bool, search: bool = True) -> UUID | None:
        with tenant_session(tenant) as session:
            conversation = turns.open_conversation(session, tenant, "u", "default-assistant")
            turn = Turn(
                **{"tenant_id": tenant, "turn_id": uuid4(), "conversation_id": conversation, "spoken": False},
                **{"assistant_key": "default-assistant", "question": question, "confidence": confidence},
                **{"stage": TurnStage.GENERATE, "search_knowledge": search},
            )
            session.add(turn)
            session.flush()
            session.refresh(turn)
            passage = Passage("document", 1, uuid4(), "a.pdf", "Something else.", similarity=0.3)
            return unanswered.note(session, turn, answer, [{"number": 1}] if cited else [], [passage])

    return note


def test_a_low_confidence_a_refusal_or_no_source_is_no_answer(noted: Callable[..., UUID | None]) -> None:
    assert noted("What is one?", "It is this [1].", 0.9, True) is None
    assert noted("What is two?", "It is this [1].", 0.3, True) is not None
    assert noted("What is three?", "I don't know from these documents.", 0.9, False) is not None
    assert noted("What is four?", "Das steht leider nicht in den Unterlagen.", 0.9, False) is not None
    assert noted("What is five?", "From what I know.", 0.0, False, search=False) is None


def test_long_and_odd_questions_are_noted_once(noted: Callable[..., UUID | None]) -> None:
    long = "word " * 5000
    assert noted(long, "?", 0.1, False) == noted(long, "?", 0.1, False)
    assert noted("何時に開きますか？", "?", 0.1, False) is not None
    assert noted("🤷", "?", 0.1, False) is None


def test_questions_are_decided_and_opened_again(shop: Person, desk: Desk, joined: Callable[..., Person]) -> None:
    desk.ask(shop, OFF_TOPIC)
    (found,) = questions(shop)
    path = f"/api/knowledge/unanswered/{found['id']}"
    dismissed = shop.request("PATCH", path, json={"state": "dismissed"}).json or {}
    assert dismissed["state"] == "dismissed" and dismissed["decided_by"] == shop.email
    assert questions(shop) == [] and len(questions(shop, "?state=all")) == 1
    desk.ask(shop, OFF_TOPIC)
    assert questions(shop) == [], "what was dismissed stays so"
    assert questions(shop, "?state=dismissed")[0]["count"] == 2
    shop.request("PATCH", path, json={"state": "answered"})
    desk.ask(shop, OFF_TOPIC)
    assert questions(shop)[0]["count"] == 3, "what was called answered and is asked in vain again is open"
    assert shop.request("PATCH", path, json={"state": "gone"}).status_code == 422
    bob = joined(shop)
    assert bob.get("/api/knowledge/unanswered").status_code == 403
    assert bob.request("PATCH", path, json={"state": "open"}).status_code == 403
    assert code(shop.get(f"/api/knowledge/unanswered/{uuid4()}")) == (404, "not_found")


def test_questions_are_searched_and_paged(shop: Person, desk: Desk) -> None:
    for name in ("chapel", "castle", "tower"):
        desk.ask(shop, f"Who painted the ceiling of the {name}?")
    assert [each["question"] for each in questions(shop, "?q=CASTLE")] == ["Who painted the ceiling of the castle?"]
    first = shop.get("/api/knowledge/unanswered?limit=2").json or {}
    second = shop.get(f"/api/knowledge/unanswered?limit=2&after={first['next']}").json or {}
    assert [each["question"].split()[-1] for each in first["questions"] + second["questions"]] == [
        "tower?",
        "castle?",
        "chapel?",
    ]
    assert questions(shop, "?assistant_key=nobody") == []


def test_an_answered_question_becomes_a_training_pair(shop: Person, desk: Desk) -> None:
    desk.ask(shop, OFF_TOPIC)
    (found,) = questions(shop)
    path = f"/api/knowledge/unanswered/{found['id']}/answer"
    response = shop.post(path, json={"response": "Michelangelo did."})
    assert response.status_code == 201, response.json
    answered = response.json or {}
    assert answered["state"] == "answered" and questions(shop) == []
    pair = shop.get(f"/api/training/qa/{answered['answered_by']}").json or {}
    assert (pair["prompt"], pair["response"]) == (OFF_TOPIC, "Michelangelo did.")
    assert pair["assistant_key"] == found["assistant_key"]
    again = shop.post(path, json={"response": "Michelangelo, it is said."}).json or {}
    assert again["answered_by"] == answered["answered_by"], "there is one pair for a question"
    assert code(shop.post(f"/api/knowledge/unanswered/{uuid4()}/answer", json={"response": "x"})) == (404, "not_found")
