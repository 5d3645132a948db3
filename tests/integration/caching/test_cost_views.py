"""What an admin sees of costs, providers and the cache, and what the operator sees of all."""

import re
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from tests.integration.caching.conftest import Visitor, learn
from tests.integration.contract.organisations import new_operator
from tests.integration.people import Person, code

QUESTION = "With which code does the safe in the office open?"


@pytest.fixture
def spent(admin: psycopg.Connection) -> Callable[..., None]:
    """Return what writes down a call of a tenant."""

    def write(tenant_id: str, cost: str, **fields: object) -> None:
        values = {"kind": "chat", "provider": "openai", "model": "m", "subject_id": None, "held_until": None, **fields}
        admin.execute(
            "INSERT INTO usage_events (tenant_id, cost_usd, input_tokens, kind, provider, model, subject_id,"
            " held_until) VALUES (%s, %s, 10, %s, %s, %s, %s, %s)",
            (tenant_id, cost, *values.values()),
        )

    return write


def test_costs_are_told_by_what_they_were_for(ada: Person, spent: Callable[..., None]) -> None:
    spent(ada.tenant_id, "0.5")
    spent(ada.tenant_id, "0.25", provider="grok", model="g")
    spent(ada.tenant_id, "9", held_until="2099-01-01")
    learn(UUID(ada.tenant_id), "The safe in the office opens with the code 4711.")
    answered = Visitor(UUID(ada.tenant_id)).ask(QUESTION)
    spent(ada.tenant_id, "0.125", kind="speech", subject_id=answered.turn_id)
    costs = ada.get("/admin/costs").json or {}
    assert float(costs["total"]["cost_usd"]) == 0.875
    assert {name: float(one["cost_usd"]) for name, one in costs["by_provider"].items()} == {
        "openai": 0.625,
        "grok": 0.25,
        "local": 0,
    }
    assert next(iter(costs["by_provider"])) == "openai"
    assert float(costs["by_assistant"]["default-assistant"]["cost_usd"]) == 0.125
    assert float(costs["by_kind"]["speech"]["cost_usd"]) == 0.125
    assert len(costs["by_day"]) == 1
    assert costs["by_tenant"] == {}
    of_one = ada.get("/admin/costs?assistant_key=default-assistant").json or {}
    assert float(of_one["total"]["cost_usd"]) == 0.125
    assert {name: float(one["cost_usd"]) for name, one in of_one["by_provider"].items()} == {
        "openai": 0.125,
        "local": 0,
    }
    assert (ada.get("/admin/costs?assistant_key=another").json or {})["by_day"] == {}


def test_only_the_operator_sees_all(ada: Person, founder: Callable[..., Person], spent: Callable[..., None]) -> None:
    bob = founder()
    spent(bob.tenant_id, "0.5")
    assert float(((ada.get("/admin/costs").json) or {})["total"]["cost_usd"]) == 0
    assert code(ada.get("/admin/costs?scope=all")) == (403, "forbidden")
    operator = Person(ada.client, {"access_token": new_operator()}, "")
    found = operator.get("/admin/costs?scope=all").json or {}
    assert float(found["by_tenant"][bob.tenant_id]["cost_usd"]) == 0.5
    assert found["by_assistant"] == {}


@pytest.mark.parametrize(
    "query", ["since=2026-02-02&until=2026-02-01", "since=2024-01-01&until=2026-01-01", "since=never", "scope=mine"]
)
def test_days_that_make_no_sense_are_refused(ada: Person, query: str) -> None:
    assert code(ada.get(f"/admin/costs?{query}")) == (422, "invalid_request")


def test_every_provider_is_shown(ada: Person) -> None:
    found = ada.get("/admin/health").json or {}
    chat = {one["provider"]: one for one in found["providers"] if one["kind"] == "chat"}
    assert found["status"] == "ok"
    assert set(chat) == {"openai", "grok", "groq", "custom", "local"}
    assert chat["local"]["chosen"]
    assert chat["openai"]["why_not"] == "OPENAI_API_KEY is not set."


def test_the_cache_says_what_it_saved_and_can_be_emptied(ada: Person, joined: Callable[..., Person]) -> None:
    learn(UUID(ada.tenant_id), "The safe in the office opens with the code 4711.")
    visitor = Visitor(UUID(ada.tenant_id))
    for _ in range(3):
        visitor.ask(QUESTION)
    found = ada.get("/api/analytics/cache").json or {}
    assert [found[name] for name in ("turns", "exact", "near", "misses", "kept")] == [3, 2, 0, 1, 1]
    assert (found["enabled"], found["hit_rate"]) == (True, 0.6667)
    assert (ada.get("/api/analytics/cache?assistant_key=other").json or {})["turns"] == 0
    user = joined(ada)
    assert user.request("DELETE", "/api/analytics/cache").status_code == 403
    assert ada.request("DELETE", "/api/analytics/cache?assistant_key=other").json == {"dropped": 0}
    assert ada.request("DELETE", "/api/analytics/cache").json == {"dropped": 1}
    assert "hit" not in visitor.ask(QUESTION).cache


def test_an_answer_at_the_door_says_where_it_came_from(ada: Person) -> None:
    learn(UUID(ada.tenant_id), "The safe in the office opens with the code 4711.")
    Visitor(UUID(ada.tenant_id)).ask(QUESTION)
    answer = ada.post("/api/chat", json={"message": QUESTION}).json or {}
    assert (answer["cache"]["hit"], answer["route"], answer["cost"]) == ("exact", {}, 0)
    assert "4711" in answer["response"]
    streamed = ada.post("/api/chat", json={"message": QUESTION, "stream": True})
    conversation = re.fullmatch(r'<(.+)>; rel="collection"', streamed.headers["Link"])
    assert conversation and (ada.get(conversation[1]).json or {})["title"] == QUESTION
    names = [line.removeprefix("event: ") for line in streamed.text.splitlines() if line.startswith("event: ")]
    assert names == ["turn.retrieved", "turn.started", "turn.token", "turn.sentence", "turn.completed"]
