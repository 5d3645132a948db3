"""What is deleted is gone: rows, events, sound, what webhooks are still owed; and the receipt has counted again."""

import json
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg

from api.dialogue import turns as starting
from api.door.auth import Caller
from pipelines.stores import events
from pipelines.stores.database import tenant_session
from pipelines.stores.dialogue import conversations, forgetting
from pipelines.stores.organisation.tenant_tables import tenant_tables
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import utterances
from schemas.errors.requests import NotFound
from schemas.events import Subject
from tests.integration.memory.conftest import Desk
from tests.integration.people import Person

SECRET = "zanzibar"
QUESTION = f"How long does the warranty of my {SECRET} last?"

KEEPS_NAMES = ("tenant_users", "login_sessions", "refresh_tokens", "audit_log", "tenants", "usage_events")
"""Tables in which the user may still be named after having been forgotten: the account itself, acts, and costs."""


def mentions(admin: psycopg.Connection, tenant_id: str, text: str) -> list[str]:
    """Return the tables in which a row of the tenant holds the text."""
    return [
        table.name
        for table in tenant_tables()
        if table.name not in KEEPS_NAMES
        and admin.execute(
            f"SELECT 1 FROM {table.name} r WHERE tenant_id = %s AND r::text ILIKE %s LIMIT 1", (tenant_id, f"%{text}%")
        ).fetchone()
    ]


def told(tenant_id: str, text: str) -> list[bytes]:
    """Return the keys in Redis that hold the text."""
    client, found = get_redis(), []
    for key in client.scan_iter(match=f"aura:{tenant_id}:*"):
        value = client.xrange(key) if client.type(key) == b"stream" else client.dump(key)
        if text.encode() in repr(value).encode():
            found.append(key)
    return found


def remembered(person: Person, desk: Desk, admin: psycopg.Connection) -> str:
    """Fill every place in which something of a user is kept, and return the conversation's id."""
    person.put_json("/api/memory/consent", {"learn": True})
    person.put_json("/api/memory/preferences", {"preferences": {"note": SECRET}})
    assert person.request("PATCH", "/api/me", json={"persona_settings": {"formality": 0.9}}).status_code == 200
    answer = desk.post(person, {"message": QUESTION}).json or {}
    given = {"turn_id": answer["turn_id"], "rating": 1, "comment": SECRET}
    assert person.post("/api/chat/feedback", json=given).status_code == 200
    tenant, conversation = UUID(person.tenant_id), UUID(answer["session_id"])
    with tenant_session(tenant) as session:
        _, said = conversations.unsummarised(session, conversation)
        about = {"turns": 1, "tokens": 9, "made_by": "extractive"}
        conversations.summarise(session, tenant, conversation, SECRET, said[-1], **about)
    utterances.put(get_redis(), tenant, UUID(answer["turn_id"]), SECRET.encode())
    return str(answer["session_id"])


def with_webhook(admin: psycopg.Connection, tenant_id: str) -> None:
    admin.execute(
        "INSERT INTO webhook_endpoints (tenant_id, url, events, secret_sealed, headers_sealed)"
        " VALUES (%s, 'https://93.184.216.34/hook', ARRAY['*'], 'x', 'x')",
        (tenant_id,),
    )


def test_forget_me_leaves_nothing(shop: Person, desk: Desk, admin: psycopg.Connection) -> None:
    with_webhook(admin, shop.tenant_id)
    conversation = remembered(shop, desk, admin)
    assert {"messages", "turns", "conversation_summaries", "user_preferences", "feedback"} <= set(
        mentions(admin, shop.tenant_id, SECRET)
    )
    assert "webhook_deliveries" in mentions(admin, shop.tenant_id, conversation)
    assert told(shop.tenant_id, SECRET)
    receipt = shop.request("DELETE", "/api/memory").json or {}
    assert receipt["complete"] is True and set(receipt["left"].values()) == {0}
    for name in ("conversations", "turns", "messages", "conversation_summaries", "user_preferences", "feedback"):
        assert receipt["deleted"][name] == 1 + (name == "messages"), name
    assert receipt["deleted"]["webhook_deliveries"] >= 1 and receipt["deleted"]["events"] >= 2
    assert mentions(admin, shop.tenant_id, SECRET) == []
    assert told(shop.tenant_id, SECRET) == told(shop.tenant_id, conversation) == []
    assert mentions(admin, shop.tenant_id, conversation) == []
    assert mentions(admin, shop.tenant_id, str(shop.login["user_id"])) == []
    assert (shop.get("/api/me").json or {})["user"]["persona_settings"] == {}
    assert (shop.get("/api/memory/consent").json or {})["learn"] is False
    entries = (shop.get("/api/tenant/audit").json or {})["entries"]
    assert any(entry["action"] == "memory.forgotten" for entry in entries)
    assert SECRET not in json.dumps(entries)


def test_others_keep_what_is_theirs(
    shop: Person, joined: Callable[..., Person], desk: Desk, admin: psycopg.Connection
) -> None:
    bob = joined(shop)
    remembered(shop, desk, admin)
    other = desk.ask(bob, "How long does the warranty last?")
    bob.put_json("/api/memory/preferences", {"preferences": {"team": "blue"}})
    before = get_redis().xlen(Subject.tenant(UUID(shop.tenant_id)).key)
    shop.request("DELETE", "/api/memory")
    assert (bob.get("/api/memory/preferences").json or {})["preferences"][0]["value"] == "blue"
    assert bob.get(f"/api/memory/conversations/{other['session_id']}").status_code == 200
    kept = events.replay(get_redis(), Subject.tenant(UUID(shop.tenant_id)))
    assert 0 < len(kept) < before
    assert {event.data.get("conversation_id") for event in kept} <= {other["session_id"], None}
    assert events.replay(get_redis(), Subject.conversation(UUID(shop.tenant_id), UUID(other["session_id"])))


def test_what_one_has_asked_alone_goes_from_the_unanswered_and_what_others_asked_stays(
    shop: Person, joined: Callable[..., Person], desk: Desk
) -> None:
    bob = joined(shop)
    shared, own = "Who painted the ceiling of the chapel?", f"Which {SECRET} painted it?"
    for person, asked in ((shop, shared), (shop, own), (bob, shared.upper())):
        desk.ask(person, asked)
    found = (shop.get("/api/knowledge/unanswered").json or {})["questions"]
    assert sorted(each["count"] for each in found) == [1, 2]
    receipt = shop.request("DELETE", "/api/memory").json or {}
    assert receipt["deleted"]["unanswered_questions"] == 1
    (left,) = (shop.get("/api/knowledge/unanswered").json or {})["questions"]
    assert (left["question"], left["count"]) == (shared.upper(), 1)


def test_a_deleted_conversation_is_gone_and_the_others_stay(
    shop: Person, desk: Desk, admin: psycopg.Connection
) -> None:
    gone = remembered(shop, desk, admin)
    stays = desk.ask(shop, "How long does the warranty last?")["session_id"]
    receipt = shop.request("DELETE", f"/api/memory/conversations/{gone}").json or {}
    assert receipt["complete"] and receipt["deleted"]["messages"] == 2
    assert shop.get(f"/api/memory/conversations/{gone}").status_code == 404
    assert shop.request("DELETE", f"/api/memory/conversations/{gone}").status_code == 404
    listed = (shop.get("/api/memory/conversations").json or {})["conversations"]
    assert [each["id"] for each in listed] == [stays]
    assert mentions(admin, shop.tenant_id, SECRET) == ["user_preferences"]
    answer = shop.post("/api/chat", json={"message": "And now?", "session_id": gone})
    assert answer.status_code == 404


def test_a_turn_that_is_deleted_while_it_is_answered_leaves_nothing(
    shop: Person, desk: Desk, admin: psycopg.Connection
) -> None:
    """The worker finds that the turn is no longer its own."""
    person = Caller(UUID(shop.tenant_id), str(shop.login["user_id"]), "admin", kind="user")
    conversation = starting.open_conversation(person, "default-assistant")
    turn_id = starting.start_turn(person, conversation, assistant_key="default-assistant", question=QUESTION)
    desk.step(shop.tenant_id, turn_id, "retrieve")
    forgetting.user(get_redis(), person.tenant_id, person.user_id)
    desk.step(shop.tenant_id, turn_id, "generate")
    assert mentions(admin, shop.tenant_id, SECRET) == []
    assert told(shop.tenant_id, SECRET) == []


def test_a_question_for_a_conversation_that_was_deleted_meanwhile_is_refused(shop: Person, broker: None) -> None:
    person = Caller(UUID(shop.tenant_id), str(shop.login["user_id"]), "admin", kind="user")
    try:
        starting.start_turn(person, uuid4(), assistant_key="default-assistant", utterance=b"\0\0" * 1600)
    except NotFound:
        pass
    else:
        raise AssertionError("there is no such conversation")
    assert not list(get_redis().scan_iter(match=f"aura:{shop.tenant_id}:utterance:*"))


def test_who_goes_on_talking_is_forgotten_up_to_then(shop: Person, desk: Desk, admin: psycopg.Connection) -> None:
    """Many conversations, more than are deleted at once."""
    rows = [(shop.tenant_id, uuid4(), shop.login["user_id"]) for _ in range(2 * forgetting.AT_ONCE + 1)]
    with admin.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO conversations (tenant_id, conversation_id, user_id, assistant_key) VALUES (%s, %s, %s, 'a')",
            rows,
        )
    receipt = shop.request("DELETE", "/api/memory").json or {}
    assert receipt["complete"] and receipt["deleted"]["conversations"] == len(rows)
