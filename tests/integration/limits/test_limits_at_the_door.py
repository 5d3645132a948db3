"""At the door: headers, refusals that say when to come back, storage that is never passed, and the view of it all."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
import redis
from flask import Flask
from werkzeug.test import TestResponse

from api.door import limits
from pipelines.stores import events
from pipelines.stores.database import tenant_session
from pipelines.stores.objects import ObjectStore
from pipelines.stores.organisation import quotas, rates, usage
from schemas.events import Subject
from schemas.settings import get_settings
from schemas.tables.tenancy import Tier
from tests.integration.limits.acting import Door, at_once

MakeDoor = Callable[..., Door]
GB = 1 << 30


def told(client: "redis.Redis", tenant: UUID) -> list[tuple[str, str]]:
    found = events.replay(client, Subject.tenant(tenant))
    return [(event.name, event.data["resource"]) for event in found if event.name.startswith("quota.")]


def code(response: TestResponse) -> tuple[int, str | None]:
    return response.status_code, (response.get_json() or {}).get("code")


@pytest.fixture
def full(admin: psycopg.Connection) -> Callable[[Door, int], None]:
    """Return what fills a tenant's storage with documents but for so many bytes."""

    def fill(door: Door, but_for: int) -> None:
        limit = GB * quotas.limits(door.tenant_id).max_storage_gb
        admin.execute(
            "INSERT INTO documents (tenant_id, user_id, filename, file_type, file_size, content_sha256)"
            " VALUES (%s, 'u', 'big.txt', 'txt', %s, 'none')",
            (door.tenant_id, limit - but_for),
        )

    return fill


@pytest.fixture
def redis_away(monkeypatch: pytest.MonkeyPatch, nowhere: "redis.Redis") -> Iterator[None]:
    monkeypatch.setattr(limits, "get_redis", lambda: nowhere)
    yield
    limits._Redis.away_until = 0.0


def test_every_answer_says_what_is_left(door: MakeDoor) -> None:
    here = door()
    limit = quotas.RATES[Tier.STANDARD].key
    left, began = [], time.monotonic()
    for _ in range(3):
        headers = here.get().headers
        assert headers["RateLimit-Limit"] == str(limit)
        assert 1 <= int(headers["RateLimit-Reset"]) <= 60
        left.append(int(headers["RateLimit-Remaining"]))
    # What has come back meanwhile is little, but where the machine is busy.
    back = math.ceil((time.monotonic() - began) * limit / 60)
    assert all(limit - n <= found <= limit - n + back for n, found in enumerate(left, 1)), (left, back)


def test_an_error_counts_and_says_it_too(door: MakeDoor) -> None:
    response = door().get("/api/documents?limit=x")
    assert response.status_code == 422
    assert "RateLimit-Remaining" in response.headers


def test_who_asks_too_fast_is_told_when_to_come_back(door: MakeDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    # One call a second: more than that is asked on any machine.
    limit = 60
    rates_here = {**quotas.RATES, Tier.STANDARD: replace(quotas.RATES[Tier.STANDARD], key=limit)}
    monkeypatch.setattr(quotas, "RATES", rates_here)
    here = door()
    answers = [here.get() for _ in range(limit + 50)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 0 < len(refused) <= 50
    for answer in refused:
        assert code(answer) == (429, "too_many_requests")
        assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"] == "1"
        assert answer.headers["RateLimit-Remaining"] == "0"


def test_two_keys_share_the_tenants_rate(door: MakeDoor, app: Flask, client: "redis.Redis") -> None:
    one = door()
    other = Door(app, one.tenant_id)
    for each in (one, other):
        assert each.get().status_code == 200
    keys = {key.decode().rpartition("rate:")[2] for key in client.keys(f"aura:{one.tenant_id}:rate:*")}
    assert keys == {"tenant", f"key:{one.key_id}", f"key:{other.key_id}"}


def test_who_asks_on_their_own_machine_is_not_limited(app: Flask) -> None:
    answer = app.test_client().get("/api/documents")
    assert answer.status_code == 200
    assert "RateLimit-Limit" not in answer.headers


def test_without_redis_requests_go_on(door: MakeDoor, redis_away: None) -> None:
    here = door()
    answers = [here.get() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert "RateLimit-Limit" not in answers[0].headers


def test_a_used_up_month_is_refused_until_it_ends(door: MakeDoor, client: "redis.Redis") -> None:
    here = door(max_api_calls_monthly=5)
    answers = [here.get() for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert code(answers[-1]) == (429, "quota_exceeded")
    assert abs(int(answers[-1].headers["Retry-After"]) - quotas.month_left_s()) < 60
    assert told(client, here.tenant_id) == [("quota.warning", "api_calls"), ("quota.exceeded", "api_calls")]
    # What is used up can still be looked at.
    assert here.get("/api/tenant/usage").get_json()["api_calls"]["percent"] > 100


def test_a_used_up_month_stays_so_when_redis_is_emptied(door: MakeDoor, client: "redis.Redis") -> None:
    here = door(max_api_calls_monthly=5)
    for _ in range(5):
        here.get()
    usage.flush_calls(client)
    client.flushall()
    assert code(here.get()) == (429, "quota_exceeded")


def test_a_new_limit_holds_within_seconds(door: MakeDoor, admin: psycopg.Connection) -> None:
    here = door(max_api_calls_monthly=1)
    assert [here.get().status_code for _ in range(2)] == [200, 429]
    admin.execute("UPDATE tenants SET max_api_calls_monthly = 100 WHERE tenant_id = %s", (here.tenant_id,))
    _, kept = quotas._known[here.tenant_id]
    quotas._known[here.tenant_id] = (-quotas.TRUSTED_FOR_S, kept)
    assert here.get().status_code == 200


def test_uploads_at_once_never_pass_the_storage(
    door: MakeDoor, full: Callable[[Door, int], None], client: "redis.Redis"
) -> None:
    here = door(max_storage_gb=1)
    full(here, 70)
    answers = at_once(40, lambda i: here.upload(b"%010d" % i))
    assert [answer.status_code for answer in answers].count(202) == 7
    assert {code(answer) for answer in answers if answer.status_code != 202} == {(429, "quota_exceeded")}
    with tenant_session(here.tenant_id) as session:
        assert usage.room(session) == usage.Room(GB, GB)
    store = ObjectStore(get_settings())
    assert store.delete_prefix(f"{here.tenant_id}/") == 7
    assert set(told(client, here.tenant_id)) == {("quota.warning", "storage"), ("quota.exceeded", "storage")}
    assert len(told(client, here.tenant_id)) == 2


def test_what_is_deleted_makes_room_at_once(door: MakeDoor, full: Callable[[Door, int], None]) -> None:
    here = door(max_storage_gb=1)
    full(here, 15)
    first = here.upload(b"a" * 10)
    assert first.status_code == 202
    assert code(here.upload(b"b" * 10)) == (429, "quota_exceeded")
    here.open("DELETE", f"/api/documents/{first.get_json()['job_id']}")
    assert here.upload(b"b" * 10).status_code == 202


def test_the_same_file_again_needs_no_room(door: MakeDoor, full: Callable[[Door, int], None]) -> None:
    here = door(max_storage_gb=1)
    full(here, 10)
    first, again = here.upload(b"a" * 10), here.upload(b"a" * 10)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.get_json()["job_id"] == again.get_json()["job_id"]


def test_the_view_of_usage_shows_all_of_it(door: MakeDoor, client: "redis.Redis") -> None:
    here = door(max_api_calls_monthly=50, max_monthly_cost_usd="2.00")
    here.upload(b"a" * 100)
    spent = usage.Spent(1000, 100, cost_usd=0.5)
    with tenant_session(here.tenant_id) as session:
        usage.record(session, "chat", "openai", "gpt-5.4-mini", spent)
        usage.hold(session, "chat", "openai", "gpt-5.4-mini", 0.3, 300)
    rates.enter_session(client, here.tenant_id, "one", 10)
    found = here.get("/api/tenant/usage").get_json()
    assert found["api_calls"] == {"used": 2, "limit": 50, "percent": 4}
    assert found["cost_usd"] == {"used": 0.5, "limit": 2, "percent": 25}
    assert found["storage_bytes"] == {"used": 100, "limit": 10 * GB, "percent": 0}
    assert found["sessions"] == {"used": 1, "limit": 10, "percent": 10}
    assert (found["documents"], found["users"]["used"], found["tier"]) == (1, 0, "standard")
    assert [(use["model"], use["calls"], use["input_tokens"], use["cost_usd"]) for use in found["models"]] == [
        ("gpt-5.4-mini", 1, 1000, "0.500000")
    ]


def test_another_month_is_empty_and_no_month_is_refused(door: MakeDoor) -> None:
    here = door()
    found = here.get("/api/tenant/usage?month=2025-01").get_json()
    assert (found["month"], found["api_calls"]["used"], found["models"]) == ("2025-01", 0, [])
    assert found["cost_usd"]["limit"] is None
    for month in ("2025-13", "2025", "0000-01", "2025-01-01", "x"):
        assert code(here.get(f"/api/tenant/usage?month={month}")) == (422, "invalid_request")
