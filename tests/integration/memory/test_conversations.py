"""Conversations, history, context and feedback: whose they are, and what a page of them holds."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.integration.memory.conftest import Desk
from tests.integration.people import Person, code

QUESTION = "How long does the warranty last?"


def listed(person: Person, query: str = "") -> list[dict[str, Any]]:
    response = person.get(f"/api/memory/conversations{query}")
    assert response.status_code == 200, response.json
    return list((response.json or {})["conversations"])


def test_conversations_are_listed_by_their_last_message(shop: Person, desk: Desk) -> None:
    first = desk.ask(shop, QUESTION)["session_id"]
    second = desk.ask(shop, "When does the shop in Bern open?")["session_id"]
    assert [each["id"] for each in listed(shop)] == [second, first]
    desk.ask(shop, "When are refunds paid?", session_id=first)
    newest, _ = listed(shop)
    assert newest["id"] == first and newest["title"] == QUESTION
    assert (newest["messages"], newest["turns"]) == (4, 2)
    assert "fourteen days" in newest["last_message"]


def test_pages_of_conversations_hold_each_once(shop: Person, desk: Desk) -> None:
    made = [desk.ask(shop, QUESTION)["session_id"] for _ in range(5)]
    seen, after = [], ""
    while True:
        page = shop.get(f"/api/memory/conversations?limit=2{after}").json or {}
        seen += [each["id"] for each in page["conversations"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == made[::-1]


def test_conversations_are_found_by_what_was_said_and_by_title(shop: Person, desk: Desk) -> None:
    first = desk.ask(shop, QUESTION)["session_id"]
    second = desk.ask(shop, "When does the shop in Bern open?")["session_id"]
    assert [each["id"] for each in listed(shop, "?q=WARRANTY")] == [first]
    assert [each["id"] for each in listed(shop, "?q=nine in the")] == [second]
    assert listed(shop, "?q=%25") == [], "a sign of LIKE is a sign"
    renamed = shop.request("PATCH", f"/api/memory/conversations/{first}", json={"title": "About my bicycle"})
    assert (renamed.json or {})["title"] == "About my bicycle"
    assert [each["id"] for each in listed(shop, "?q=bicycle")] == [first]


def test_a_conversation_is_read_backwards_page_by_page(shop: Person, desk: Desk) -> None:
    session_id = desk.ask(shop, "Question 0")["session_id"]
    for number in range(1, 5):
        desk.ask(shop, f"Question {number}", session_id=session_id)
    path = f"/api/memory/conversations/{session_id}?limit=2"
    newest = shop.get(path).json or {}
    assert [said["role"] for said in newest["history"]] == ["user", "assistant"] * 2
    assert [said["content"] for said in newest["history"][::2]] == ["Question 3", "Question 4"]
    older = shop.get(f"{path}&after={newest['next']}").json or {}
    assert [said["content"] for said in older["history"][::2]] == ["Question 1", "Question 2"]
    oldest = shop.get(f"{path}&after={older['next']}").json or {}
    assert [said["content"] for said in oldest["history"][::2]] == ["Question 0"] and oldest["next"] is None


def test_turns_tell_of_answers_with_their_sources_and_of_those_that_came_to_nothing(
    shop: Person, desk: Desk, admin: psycopg.Connection
) -> None:
    answer = desk.ask(shop, QUESTION)
    session_id = answer["session_id"]
    rated = {"turn_id": answer["turn_id"], "rating": -1, "comment": "Which warranty?"}
    assert shop.post("/api/chat/feedback", json=rated).status_code == 200
    desk.ask(shop, "Who won the chess match on the moon?", session_id=session_id)
    put = (
        "INSERT INTO turns (tenant_id, conversation_id, assistant_key, spoken, stage, question, status, confirmed_at)"
        " VALUES (%s, %s, 'a', false, 'retrieve', %s, %s, CASE WHEN %s THEN now() END)"
    )
    for question, status, is_sure in (("Never mind", "cancelled", True), ("Not said yet", "running", False)):
        admin.execute(put, (shop.tenant_id, session_id, question, status, is_sure))
    path = f"/api/memory/conversations/{session_id}/turns?limit=2"
    newest = shop.get(path).json or {}
    unknown, never = newest["turns"]
    assert unknown["unanswered_id"] and unknown["answer"]["citations"] == []
    assert (never["question"], never["status"], never["answer"]) == ("Never mind", "cancelled", None)
    (first,) = (shop.get(f"{path}&after={newest['next']}").json or {})["turns"]
    assert first["answer"]["citations"] == answer["citations"] != []
    assert (first["question"], first["rating"], first["comment"]) == (QUESTION, -1, "Which warranty?")


def test_an_answer_that_somebody_calls_bad_is_not_given_again_from_the_cache(shop: Person, desk: Desk) -> None:
    desk.ask(shop, QUESTION)
    again = desk.ask(shop, QUESTION)
    assert again["cache"]["hit"] == "exact"
    rated = {"turn_id": again["turn_id"], "rating": 1}
    shop.post("/api/chat/feedback", json=rated)
    assert desk.ask(shop, QUESTION)["cache"]["hit"] == "exact"
    shop.post("/api/chat/feedback", json={**rated, "scale": "stars", "rating": 2})
    assert desk.ask(shop, QUESTION)["cache"]["hit"] is None


def test_a_turn_names_the_files_that_alone_were_searched(
    shop: Person, known: Callable[[str, list[str]], UUID], desk: Desk
) -> None:
    saddle = known(shop.tenant_id, ["The saddle weighs 300 grams."])
    gone = uuid4()
    session_id = desk.ask(shop, "What does it weigh?", filters={"doc_ids": [str(saddle), str(gone)]})["session_id"]
    desk.ask(shop, QUESTION, session_id=session_id)
    about, of_all = (shop.get(f"/api/memory/conversations/{session_id}/turns").json or {})["turns"]
    name = (shop.get(f"/api/documents/{saddle}").json or {})["filename"]
    assert about["files"] == [{"document_id": str(saddle), "filename": name}], "a document that is gone is not named"
    assert of_all["files"] == []


def test_a_conversation_in_which_nothing_was_said_is_not_listed(shop: Person, admin: psycopg.Connection) -> None:
    admin.execute(
        "INSERT INTO conversations (tenant_id, user_id, assistant_key) VALUES (%s, %s, 'a')",
        (shop.tenant_id, shop.login["user_id"]),
    )
    assert listed(shop) == []


def test_history_and_context_are_of_all_conversations(shop: Person, desk: Desk) -> None:
    me = shop.login["user_id"]
    first = desk.ask(shop, QUESTION)["session_id"]
    second = desk.ask(shop, "When does the shop in Bern open?")["session_id"]
    for path in (f"/api/chat/history/{me}", f"/chat/history/{me}"):
        messages = (shop.get(path).json or {})["messages"]
        assert [said["conversation_id"] for said in messages] == [first, first, second, second]
    only = (shop.get(f"/api/chat/history/{me}?conversation_id={first}").json or {})["messages"]
    assert only[0]["content"] == QUESTION and len(only) == 2
    shop.put_json("/api/memory/preferences", {"preferences": {"detail": 1, "team": "blue"}})
    context = shop.get(f"/api/chat/context/{me}").json or {}
    assert context["conversation_id"] == second and context["persona"]["detail"] == 1
    assert context["preferences"] == {"detail": 1, "team": "blue"} and len(context["messages"]) == 2
    assert context["tokens"] > 0


@pytest.fixture
def bob(shop: Person, joined: Callable[..., Person]) -> Person:
    return joined(shop)


PERSONAL = (
    "/api/chat/history/{}",
    "/api/chat/context/{}",
    "/api/memory/preferences?user_id={}",
    "/api/memory/consent?user_id={}",
    "/api/memory/summaries?user_id={}",
    "/api/memory/conversations?user_id={}",
)


@pytest.mark.parametrize("path", PERSONAL)
def test_users_see_their_own_only_and_cannot_tell_who_is_there(
    path: str, shop: Person, bob: Person, joined: Callable[..., Person], desk: Desk
) -> None:
    desk.ask(shop, QUESTION)
    ada = shop.login["user_id"]
    there, nowhere = bob.get(path.format(ada)), bob.get(path.format(uuid4()))
    assert code(there) == code(nowhere) == (404, "not_found")
    assert (there.json or {})["detail"] == (nowhere.json or {})["detail"]
    assert bob.get(path.format(bob.login["user_id"])).status_code == 200
    manager = joined(shop, "manager")
    assert manager.get(path.format(ada)).status_code == 200
    blind = joined(shop, "manager", can_view_analytics=False)
    assert blind.get(path.format(ada)).status_code == 404
    assert shop.get(path.format(bob.login["user_id"])).status_code == 200
    assert shop.get(path.format(uuid4())).status_code == 404


def test_only_who_acts_for_all_changes_what_is_anothers(
    shop: Person, bob: Person, joined: Callable[..., Person], desk: Desk
) -> None:
    bobs, ada = desk.ask(bob, QUESTION)["session_id"], shop.login["user_id"]
    manager = joined(shop, "manager")
    for part in ("", "/turns"):
        assert manager.get(f"/api/memory/conversations/{bobs}{part}").status_code == 200
        assert joined(shop).get(f"/api/memory/conversations/{bobs}{part}").status_code == 404
    for person, whose in ((manager, bob.login["user_id"]), (bob, ada)):
        body = {"preferences": {"team": "red"}}
        assert person.request("PUT", f"/api/memory/preferences?user_id={whose}", json=body).status_code == 404
        assert person.request("PUT", f"/api/memory/consent?user_id={whose}", json={"learn": True}).status_code == 404
        assert person.request("DELETE", f"/api/memory?user_id={whose}").status_code == 404
        assert person.request("DELETE", f"/api/memory/preferences?user_id={whose}").status_code == 404
    for act in ({"method": "DELETE"}, {"method": "PATCH", "json": {"title": "mine"}}):
        assert manager.request(path=f"/api/memory/conversations/{bobs}", **act).status_code == 404
    adas = desk.ask(shop, QUESTION)["session_id"]
    for act in ({"method": "GET"}, {"method": "DELETE"}, {"method": "PATCH", "json": {"title": "mine"}}):
        assert bob.request(path=f"/api/memory/conversations/{adas}", **act).status_code == 404
    assert shop.request("DELETE", f"/api/memory?user_id={bob.login['user_id']}").status_code == 200
    assert listed(bob) == [] and len(listed(shop)) == 1
    shop.put_json(f"/api/memory/preferences?user_id={bob.login['user_id']}", {"preferences": {"team": "red"}})
    entries = (shop.get("/api/tenant/audit").json or {})["entries"]
    acts = [(entry["action"], entry["target_id"]) for entry in entries if entry["action"].startswith("memory.")]
    assert acts == [("memory.preferences_stated", bob.login["user_id"]), ("memory.forgotten", bob.login["user_id"])]


def test_feedback_is_given_once_and_changed(shop: Person, bob: Person, desk: Desk) -> None:
    answer = desk.ask(bob, QUESTION)
    body = {"turn_id": answer["turn_id"], "rating": 1}
    assert (bob.post("/api/chat/feedback", json=body).json or {})["scale"] == "thumbs"
    changed = bob.post("/chat/feedback", json={**body, "rating": 4, "comment": "Good"}).json or {}
    assert (changed["scale"], changed["rating"], changed["comment"]) == ("stars", 4, "Good")
    assert (bob.post("/api/chat/feedback", json={**body, "scale": "stars"}).json or {})["rating"] == 1
    (given,) = (shop.get("/api/chat/feedback").json or {})["feedback"]
    assert given["user_id"] == bob.login["user_id"] and given["scale"] == "stars"
    shown = bob.get(f"/api/memory/conversations/{answer['session_id']}").json or {}
    assert [said["rating"] for said in shown["history"]] == [None, 1]


@pytest.mark.parametrize("rating", [0, 6, -2, -1.5, "up", None, True])
def test_a_rating_has_a_scale(rating: object, shop: Person, desk: Desk) -> None:
    body = {"turn_id": str(uuid4()), "rating": rating}
    assert shop.post("/api/chat/feedback", json=body).status_code == (404 if rating is True else 422)


def test_a_thumb_is_no_star(shop: Person) -> None:
    body = {"turn_id": str(uuid4()), "rating": -1, "scale": "stars"}
    assert code(shop.post("/api/chat/feedback", json=body)) == (422, "invalid_request")


def test_nobody_rates_an_answer_that_another_user_got(shop: Person, bob: Person, desk: Desk) -> None:
    turn_id = desk.ask(shop, QUESTION)["turn_id"]
    foreign = bob.post("/api/chat/feedback", json={"turn_id": turn_id, "rating": 1})
    missing = bob.post("/api/chat/feedback", json={"turn_id": str(uuid4()), "rating": 1})
    assert code(foreign) == code(missing) == (404, "not_found")
    assert bob.get("/api/chat/feedback").status_code == 403


@pytest.mark.parametrize(
    "preferences",
    [
        {},
        {"detail": 2},
        {"detail": True},
        {"language": "no such tag"},
        {"units": "feet"},
        {"name": ""},
        {"name": 7},
        {"Bad Key": 1},
        {"a": None},
        {"a": "x" * 3000},
        {f"k{n}": 1 for n in range(101)},
    ],
)
def test_preferences_that_mean_nothing_are_refused(preferences: dict[str, Any], shop: Person) -> None:
    body = {"preferences": preferences}
    assert shop.request("PUT", "/api/memory/preferences", json=body).status_code == 422


def test_a_user_s_preferences_are_bounded(shop: Person) -> None:
    shop.put_json("/api/memory/preferences", {"preferences": {f"k{n}": n for n in range(100)}})
    more = shop.request("PUT", "/api/memory/preferences", json={"preferences": {"one_more": 1}})
    assert code(more) == (422, "invalid_request")
    assert len((shop.get("/api/memory/preferences").json or {})["preferences"]) == 100


def test_a_program_may_act_for_users_who_have_no_account(shop: Person) -> None:
    made = shop.post("/api/tenant/keys", json={"name": "bridge", "scopes": ["chat"]}).json or {}
    robot = Person(shop.client, {**shop.login, "access_token": made["api_key"]}, "robot")
    robot.put_json("/api/memory/preferences?user_id=anna@phone", {"preferences": {"name": "Anna"}})
    found = robot.get("/api/memory/preferences?user_id=anna@phone").json or {}
    assert found["user_id"] == "anna@phone" and found["preferences"][0]["value"] == "Anna"
    assert robot.request("DELETE", "/api/memory?user_id=anna@phone").status_code == 200
    assert robot.get("/api/memory/preferences?user_id=anna@phone").status_code == 404
