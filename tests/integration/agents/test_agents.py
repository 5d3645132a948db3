"""Assistants are set up, changed by who has read them, copied, and deleted with what only they know or without it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from tests.integration.people import Person, code
from tests.integration.stores.conftest import Library

AGENTS = "/api/agents"
FULL: dict[str, Any] = {
    "name": "Bib",
    "greeting": "Hello there.",
    "instructions": "Be brief.\nNever guess.",
    "persona": {"formality": 0.9, "detail": 0, "energy": 1, "language": "de-AT"},
    "voice_id": "amy",
    "voice_speed": 1.25,
    "language": "de",
    "knowledge_filter": {
        "doc_ids": ["6f4ad0f2-6e69-4a0c-9f2c-0f9d2b9d7a10"],
        "tags": ["shop"],
        "file_types": ["pdf", "qa"],
        "sources": ["training_data", "document_chunks"],
        "created_after": "2026-01-01T00:00:00Z",
    },
    "model_policy": {"prefer": ["groq"], "avoid": ["grok"], "max_cost_usd_per_answer": 0.01, "hedge": True},
    "is_active": True,
}


def new(admin: Person, **fields: Any) -> dict[str, Any]:
    response = admin.post(AGENTS, json={"assistant_key": f"a-{uuid4().hex}", "name": "Bib", **fields})
    assert response.status_code == 201, response.get_data(as_text=True)
    assert response.headers["Location"] == f"{AGENTS}/{response.get_json()['assistant_key']}"
    return dict(response.get_json())


def patch(person: Person, key: str, if_match: str | None = None, **fields: Any) -> Any:
    headers = {} if if_match is None else {"If-Match": if_match}
    return person.request("PATCH", f"{AGENTS}/{key}", json=fields, headers=headers)


@pytest.mark.parametrize("path", ["/api/agents", "/agents"])
def test_what_is_set_is_shown(ada: Person, path: str) -> None:
    made = ada.post(path, json={"assistant_key": "bib-halder", **FULL}).get_json()
    shown = ada.get(f"{path}/bib-halder").get_json()
    assert shown == made
    for name, value in FULL.items():
        if isinstance(value, dict):
            assert {key: shown[name][key] for key in value} == value, name
        else:
            assert shown[name] == value, name
    assert (shown["kind"], shown["revision"]) == ("custom", 1)


def test_rows_keep_what_was_said_and_no_more(ada: Person, admin: psycopg.Connection) -> None:
    """An empty object means that nothing is limited, preferred or asked for."""
    plain = new(ada)
    some = new(ada, persona={"energy": 0.5}, model_policy={"hedge": False}, knowledge_filter={"tags": ["a", "b"]})
    question = "SELECT persona, model_policy, knowledge_filter FROM agents WHERE tenant_id = %s AND assistant_key = %s"
    assert admin.execute(question, (ada.tenant_id, plain["assistant_key"])).fetchone() == ({}, {}, {})
    kept = admin.execute(question, (ada.tenant_id, some["assistant_key"])).fetchone()
    assert kept == ({"energy": 0.5}, {"hedge": False}, {"tags": ["a", "b"]})


@pytest.mark.parametrize(
    "fields",
    [
        {"assistant_key": "Big"},
        {"assistant_key": "a b"},
        {"assistant_key": "-a"},
        {"assistant_key": "a/b"},
        {"assistant_key": "a" * 64},
        {"assistant_key": ""},
        {"name": " "},
        {"name": "a\nb"},
        {"instructions": "a" * 20_001},
        {"greeting": "a" * 1_001},
        {"persona": {"energy": 1.1}},
        {"persona": {"language": "klingon!"}},
        {"voice_speed": 9},
        {"language": "1"},
        {"kind": "receptionist"},
        {"knowledge_filter": {"sources": ["everything"]}},
        {"knowledge_filter": {"doc_ids": ["1"]}},
        {"knowledge_filter": {"created_after": "2026-01-01T00:00:00"}},
        {"knowledge_filter": {"tags": ["a,b"]}},
        {"model_policy": {"max_cost_usd_per_answer": -1}},
        {"model_policy": {"prefer": ["a b"]}},
    ],
)
def test_what_is_no_assistant_is_refused(ada: Person, fields: dict[str, Any]) -> None:
    response = ada.post(AGENTS, json={"assistant_key": "bib", "name": "Bib", **fields})
    assert code(response) == (422, "invalid_request")


def test_a_key_is_of_one_assistant_of_an_organisation(founder: Callable[..., Person]) -> None:
    here, there = founder(), founder()
    key = new(here)["assistant_key"]
    assert code(here.post(AGENTS, json={"assistant_key": key, "name": "Bib"})) == (409, "conflict")
    assert there.post(AGENTS, json={"assistant_key": key, "name": "Bib"}).status_code == 201
    assert code(patch(here, key, assistant_key="other")) == (422, "invalid_request")
    assert patch(here, key, assistant_key=key).status_code == 200


def test_a_change_is_made_to_what_was_read(ada: Person) -> None:
    made = new(ada, voice_id="amy", persona={"energy": 1}, greeting="Hi.")
    key = made["assistant_key"]
    shown = ada.get(f"{AGENTS}/{key}")
    etag = shown.headers["ETag"]
    first = patch(ada, key, etag, name="Bob", voice_id=None, persona={"detail": 1})
    assert first.status_code == 200 and first.headers["ETag"] != etag
    found = first.get_json()
    assert (found["name"], found["voice_id"], found["greeting"], found["revision"]) == ("Bob", None, "Hi.", 2)
    assert (found["persona"]["energy"], found["persona"]["detail"]) == (None, 1)
    assert code(patch(ada, key, etag, name="Late")) == (412, "changed_meanwhile")
    assert code(patch(ada, key, "nonsense", name="Late")) == (412, "changed_meanwhile")
    assert patch(ada, key, "*", greeting="Hello.").get_json()["revision"] == 3
    assert patch(ada, key, greeting="Hello.", name=None).get_json()["revision"] == 3
    assert code(ada.request("DELETE", f"{AGENTS}/{key}", headers={"If-Match": etag})) == (412, "changed_meanwhile")
    assert ada.get(f"{AGENTS}/{key}").get_json()["name"] == "Bob"


def test_a_copy_is_set_as_its_original_and_owns_nothing_of_it(ada: Person) -> None:
    made = new(ada, **FULL)
    Library().accept(UUID(ada.tenant_id), assistant_key=made["assistant_key"])
    path = f"{AGENTS}/{made['assistant_key']}/duplicate"
    copy = ada.post(path, json={"assistant_key": "copy"}).get_json()
    left_out = {"id", "assistant_key", "name", "created_at", "updated_at"}
    assert {k: v for k, v in copy.items() if k not in left_out} == {k: v for k, v in made.items() if k not in left_out}
    assert (copy["assistant_key"], copy["name"]) == ("copy", "Bib (copy)")
    assert ada.request("DELETE", f"{AGENTS}/copy").status_code == 200
    assert code(ada.post(path, json={"assistant_key": made["assistant_key"]})) == (409, "conflict")
    assert code(ada.post(f"{AGENTS}/nobody/duplicate", json={"assistant_key": "x"})) == (404, "unknown_assistant")


def test_listings_are_paged(ada: Person) -> None:
    made = [new(ada)["assistant_key"] for _ in range(4)]
    first = ada.get(f"{AGENTS}?limit=3").get_json()
    rest = ada.get(f"{AGENTS}?limit=3&after={first['next']}").get_json()
    assert [each["assistant_key"] for each in first["agents"] + rest["agents"]] == ["default-assistant", *made]
    assert rest["next"] is None


def test_who_chats_sees_names_and_greetings_of_active_ones(ada: Person, joined: Callable[..., Person]) -> None:
    user, manager = joined(ada), joined(ada, role="manager")
    shown, hidden = new(ada, **FULL), new(ada, is_active=False)
    cards = user.get(AGENTS).get_json()["agents"]
    assert [set(card) for card in cards] == [{"assistant_key", "name", "greeting", "language"}] * 2
    assert cards[1] == {name: shown[name] for name in cards[1]}
    assert user.get(f"{AGENTS}/{shown['assistant_key']}").get_json() == cards[1]
    assert code(user.get(f"{AGENTS}/{hidden['assistant_key']}")) == (404, "unknown_assistant")
    assert code(user.post(AGENTS, json={"assistant_key": "a", "name": "A"})) == (403, "forbidden")
    assert code(patch(user, shown["assistant_key"], name="A")) == (403, "forbidden")
    assert code(user.request("DELETE", f"{AGENTS}/{shown['assistant_key']}")) == (403, "forbidden")
    assert len(manager.get(AGENTS).get_json()["agents"]) == 3
    assert patch(manager, hidden["assistant_key"], name="A").status_code == 200


def test_a_key_that_reads_documents_does_not_read_assistants(door: FlaskClient, ada: Person) -> None:
    for scope, status in (("documents:read", 403), ("chat", 200), ("ai:write", 200)):
        made = ada.post("/api/tenant/keys", json={"name": "robot", "scopes": [scope]}).get_json()
        robot = Person(door, {**ada.login, "access_token": made["api_key"]}, "robot")
        assert robot.get(AGENTS).status_code == status, scope


def test_an_assistant_that_is_switched_off_is_not_asked(ada: Person) -> None:
    key = new(ada, is_active=False)["assistant_key"]
    assert code(ada.post("/api/chat", json={"message": "Hi?", "assistant_key": key})) == (409, "assistant_inactive")


def test_the_assistant_that_answers_where_none_is_named_stays(ada: Person) -> None:
    for query in ("", "?documents=delete", "?documents=shared"):
        assert code(ada.request("DELETE", f"{AGENTS}/default-assistant{query}")) == (409, "conflict")
    assert ada.get(f"{AGENTS}/default-assistant").status_code == 200


@pytest.fixture
def owning(ada: Person) -> tuple[str, UUID]:
    """Return the key of an assistant, and its document; it has a pair too, and others have theirs."""
    key = new(ada)["assistant_key"]
    for owner in (key, None, "default-assistant"):
        pair = {"prompt": f"Why {owner}?", "response": "So.", "assistant_key": owner}
        assert ada.post("/api/training/qa", json=pair).status_code == 201
        Library().store(UUID(ada.tenant_id), ["a text"])
    doc_id = Library().store(UUID(ada.tenant_id), [f"text {n} of {key}" for n in range(3)])
    assert ada.post("/api/knowledge/ingest", json={"text": "Words.", "assistant_key": key}).status_code == 202
    return key, doc_id


def owners(admin: psycopg.Connection, tenant_id: str, table: str) -> list[str | None]:
    rows = admin.execute(f"SELECT assistant_key FROM {table} WHERE tenant_id = %s", (tenant_id,))  # type: ignore[arg-type]
    return sorted((row[0] for row in rows), key=str)


def test_who_owns_knowledge_goes_with_it_or_shares_it(
    ada: Person, owning: tuple[str, UUID], admin: psycopg.Connection
) -> None:
    key, doc_id = owning
    admin.execute("UPDATE documents SET assistant_key = %s WHERE doc_id = %s", (key, doc_id))
    admin.execute("UPDATE document_chunks SET assistant_key = %s WHERE doc_id = %s", (key, doc_id))
    path = f"{AGENTS}/{key}"
    assert code(ada.request("DELETE", path)) == (409, "assistant_in_use")
    assert code(ada.request("DELETE", f"{path}?documents=keep")) == (422, "invalid_request")
    assert owners(admin, ada.tenant_id, "training_data").count(key) == 1
    receipt = ada.request("DELETE", f"{path}?documents=delete").get_json()
    assert (receipt["documents_deleted"], receipt["documents_shared"]) == (3, 0)
    for table in ("documents", "document_chunks", "training_data"):
        found = owners(admin, ada.tenant_id, table)
        assert key not in found and found, table
    assert code(ada.get(path)) == (404, "unknown_assistant")
    real = "SELECT l.lexeme, count(*) FROM document_chunks c, unnest(c.lexemes) l WHERE tenant_id = %s GROUP BY 1"
    kept = "SELECT lexeme, chunks FROM term_frequencies WHERE tenant_id = %s AND chunks <> 0"
    counted = [sorted(admin.execute(each, (ada.tenant_id,)).fetchall()) for each in (real, kept)]
    assert counted[0] == counted[1]


def test_shared_knowledge_is_everybodys(ada: Person, owning: tuple[str, UUID], admin: psycopg.Connection) -> None:
    key, doc_id = owning
    admin.execute("UPDATE documents SET assistant_key = %s WHERE doc_id = %s", (key, doc_id))
    admin.execute("UPDATE document_chunks SET assistant_key = %s WHERE doc_id = %s", (key, doc_id))
    before = len(owners(admin, ada.tenant_id, "documents"))
    receipt = ada.request("DELETE", f"{AGENTS}/{key}?documents=shared").get_json()
    assert (receipt["documents_deleted"], receipt["documents_shared"]) == (0, 3)
    assert len(owners(admin, ada.tenant_id, "documents")) == before
    for table in ("documents", "document_chunks", "training_data"):
        assert key not in owners(admin, ada.tenant_id, table), table


def test_what_is_in_work_is_shared_too(ada: Person, admin: psycopg.Connection) -> None:
    """A worker that has read whose document it is stores nothing of it any more."""
    key = new(ada)["assistant_key"]
    doc_id = Library().accept(UUID(ada.tenant_id), assistant_key=key)
    Library().admit()
    assert ada.request("DELETE", f"{AGENTS}/{key}?documents=shared").status_code == 200
    (row,) = admin.execute("SELECT processing_status, assistant_key FROM documents WHERE doc_id = %s", (doc_id,))
    assert row == ("queued", None)
    stages = admin.execute("SELECT status FROM document_stages WHERE doc_id = %s", (doc_id,)).fetchall()
    assert stages == [("failed",)]


def test_what_all_have_already_is_not_shared_twice(ada: Person) -> None:
    key = new(ada)["assistant_key"]
    for owner in (None, key):
        pair = {"prompt": "Why?", "response": f"For {owner}.", "assistant_key": owner}
        assert ada.post("/api/training/qa", json=pair).status_code == 201
    assert code(ada.request("DELETE", f"{AGENTS}/{key}?documents=shared")) == (409, "conflict")
    assert len(ada.get("/api/training/qa").get_json()["entries"]) == 2
    assert ada.get(f"{AGENTS}/{key}").status_code == 200


def test_acts_are_written_down(ada: Person) -> None:
    key = new(ada)["assistant_key"]
    patch(ada, key, name="Bob")
    ada.post(f"{AGENTS}/{key}/duplicate", json={"assistant_key": "copy"})
    ada.request("DELETE", f"{AGENTS}/{key}")
    entries = ada.get("/api/tenant/audit").get_json()["entries"]
    acts = [entry for entry in entries if entry["target_kind"] == "agent"][::-1]
    assert [(act["action"], act["target_id"]) for act in acts] == [
        ("agent.made", key),
        ("agent.changed", key),
        ("agent.duplicated", "copy"),
        ("agent.deleted", key),
    ]
    assert (acts[1]["before"]["name"], acts[1]["after"]["name"]) == ("Bib", "Bob")
