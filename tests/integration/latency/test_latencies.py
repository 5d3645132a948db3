"""How long turns took: percentiles by stage, day and provider, of one organisation and of all; and for Prometheus."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from pipelines.stores.redis import get_redis
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn
from tests.integration.people import PASSWORD, Person, code
from workers.process import metrics

TODAY = datetime.now(UTC).date()
MADE = TODAY - timedelta(days=2)


def timings(n: int, **more: Any) -> dict[str, Any]:
    """Return a waterfall whose figures grow with `n`."""
    return {
        "transcribe": {"start_ms": 1.0, "queued_ms": 1.0 * n, "run_ms": 10.0 * n, "provider": "groq"},
        "synthesize_0": {"start_ms": 1.0, "queued_ms": 2.0, "run_ms": 5.0 * n, "provider": "elevenlabs"},
        "synthesize_12": {"start_ms": 1.0, "queued_ms": 2.0, "run_ms": 5.0 * n, "provider": "elevenlabs"},
        "generate": {"start_ms": 1.0, "queued_ms": 3.0, "run_ms": 100.0},
        "first_token_ms": 20.0 * n,
        "first_audio_ms": 30.0 * n,
        "speech_end_ms": -600.0,
        "endpoint_ms": 600.0,
        "speculated": True,
        **more,
    }


def put(admin: psycopg.Connection, tenant_id: str, waterfall: dict[str, Any], **fields: Any) -> None:
    """Give a tenant a turn with this waterfall."""
    conversation = uuid4()
    admin.execute(
        "INSERT INTO conversations (tenant_id, conversation_id, user_id, assistant_key) VALUES (%s, %s, 'jo', 'a')",
        (tenant_id, conversation),
    )
    row = {"assistant_key": "default-assistant", "spoken": True, "status": "completed", "provider": "openai"}
    row |= {"created_at": datetime.combine(MADE, datetime.min.time(), UTC), **fields}
    admin.execute(
        f"INSERT INTO turns (tenant_id, conversation_id, stage, timings, {', '.join(row)})"
        f" VALUES (%s, %s, 'generate', %s, {', '.join(['%s'] * len(row))})",
        (tenant_id, conversation, json.dumps(waterfall), *row.values()),
    )


@pytest.fixture
def busy(ada: Person, admin: psycopg.Connection) -> Person:
    """Return the admin of an organisation with 21 spoken turns of two days, a written one and one that failed."""
    for n in range(21):
        put(admin, ada.tenant_id, timings(n), created_at=datetime.combine(MADE, datetime.min.time(), UTC))
    day_after = datetime.combine(MADE + timedelta(days=1), datetime.min.time(), UTC)
    put(admin, ada.tenant_id, {"first_token_ms": 7.0}, spoken=False, assistant_key="other", created_at=day_after)
    put(admin, ada.tenant_id, timings(1000), status="failed")
    return ada


def shown(person: Person, path: str = "/api/analytics/latency", **query: Any) -> dict[str, Any]:
    response = person.get(path, query_string={"since": MADE.isoformat(), "until": TODAY.isoformat(), **query})
    assert response.status_code == 200, response.json
    return dict(response.json or {})


def of(rows: list[dict[str, Any]], stage: str, measure: str, **more: str) -> tuple[int, float, float]:
    """Return the figures of one row."""
    (found,) = [row for row in rows if {"stage": stage, "measure": measure, **more}.items() <= row.items()]
    return found["turns"], found["p50_ms"], found["p95_ms"]


def test_percentiles_of_stages_and_moments(busy: Person) -> None:
    found = shown(busy, kind="spoken")["overall"]
    assert of(found, "transcribe", "run") == (21, 100.0, 190.0)
    assert of(found, "transcribe", "queued") == (21, 10.0, 19.0)
    assert of(found, "synthesize", "run") == (42, 50.0, 95.0)
    assert of(found, "turn", "first_token") == (21, 200.0, 380.0)
    assert of(found, "turn", "endpoint") == (21, 600.0, 600.0)
    assert of(found, "turn", "speech_to_sound") == (21, 900.0, 1170.0)


def test_days_providers_assistants_and_kinds_are_told_apart(busy: Person) -> None:
    found = shown(busy)
    days = {row["day"] for row in found["by_day"]}
    assert days == {MADE.isoformat(), (MADE + timedelta(days=1)).isoformat()}
    assert of(found["by_day"], "turn", "first_token", day=MADE.isoformat())[0] == 21
    assert of(found["by_provider"], "transcribe", "run", provider="groq") == (21, 100.0, 190.0)
    assert of(found["by_provider"], "synthesize", "run", provider="elevenlabs")[0] == 42
    assert of(found["by_provider"], "generate", "run", provider="openai") == (21, 100.0, 100.0)
    assert of(found["overall"], "turn", "first_token")[0] == 22
    assert of(shown(busy, assistant_key="other")["overall"], "turn", "first_token") == (1, 7.0, 7.0)
    assert of(shown(busy, kind="written")["overall"], "turn", "first_token") == (1, 7.0, 7.0)
    later = (MADE + timedelta(days=2)).isoformat()
    assert shown(busy, since=later)["overall"] == []


def test_what_a_client_heard_counts_before_what_was_made(ada: Person, admin: psycopg.Connection) -> None:
    put(admin, ada.tenant_id, timings(10, first_audio_sent_ms=310.0, first_audio_heard_ms=350.0))
    put(admin, ada.tenant_id, {"audio_0_ms": 90.0, "speech_end_ms": -10, "first_token_ms": "soon", "retrieve": {}})
    found = shown(ada)["overall"]
    assert of(found, "turn", "first_audio_heard") == (1, 350.0, 350.0)
    assert of(found, "turn", "speech_to_sound") == (2, 525.0, pytest.approx(907.5))


def test_only_who_may_see_analytics_sees_their_own(
    busy: Person, joined: Callable[..., Person], founder: Callable[..., Person]
) -> None:
    assert code(joined(busy).get("/api/analytics/latency")) == (403, "forbidden")
    assert shown(founder())["overall"] == []
    too_many = {"since": "2026-01-01", "until": "2026-06-01"}
    assert code(busy.get("/api/analytics/latency", query_string=too_many)) == (422, "invalid_request")


def test_the_operator_sees_all_and_nobody_else_does(
    busy: Person, founder: Callable[..., Person], admin: psycopg.Connection, operator: Person
) -> None:
    other = founder()
    put(admin, other.tenant_id, timings(1))
    assert code(busy.get("/admin/latency")) == (403, "forbidden")
    found = shown(operator, "/admin/latency")
    mine = [row for row in found["by_tenant"] if row["tenant_id"] == busy.tenant_id]
    theirs = [row for row in found["by_tenant"] if row["tenant_id"] == other.tenant_id]
    assert of(mine, "turn", "speech_to_sound")[0] == 21 and of(theirs, "turn", "first_token") == (1, 20.0, 20.0)
    assert of(found["overall"], "transcribe", "run")[0] >= 22
    assert {row["day"] for row in found["by_day"]} >= {MADE.isoformat()}
    assert {row["stage"] for row in found["by_tenant"]} == {"turn"}


@pytest.fixture
def operator(app: Flask, door: FlaskClient) -> Person:
    """Return who runs the platform."""
    email = f"operator-{uuid4().hex[:8]}@example.org"
    made = app.test_cli_runner().invoke(args=["operator", "add", email], input=f"{PASSWORD}\n")
    assert made.exit_code == 0, made.output
    return Person(
        door,
        door.post("/api/login", json={"email": email, "password": PASSWORD, "tenant_subdomain": "default"}).json or {},
        email,
    )


def test_metrics_are_for_the_operator_or_a_token_and_name_no_tenant(
    busy: Person, door: FlaskClient, operator: Person, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    ended = Turn(status="completed", spoken=True, provider="openai", timings=timings(10), tenant_id=busy.tenant_id)
    before = values(operator.get("/metrics").text)
    metrics.turn(ended)
    metrics.heard({"first_audio_sent_ms": 310.0, "first_audio_heard_ms": 400.0}, "openai")
    metrics.refused("too_busy")
    get_redis().rpush("transcribe", "a message")
    response = operator.get("/metrics")
    get_redis().delete("transcribe")
    now = values(response.text)
    grown = {name: value - before.get(name, 0.0) for name, value in now.items() if value != before.get(name, 0.0)}
    assert grown['aura_turns_total{kind="spoken",status="completed"}'] == 1
    assert grown['aura_turn_stage_run_seconds_sum{provider="groq",stage="transcribe"}'] == pytest.approx(0.1)
    assert grown['aura_turn_stage_queue_seconds_count{stage="synthesize"}'] == 2
    assert grown['aura_turn_moment_seconds_sum{moment="first_audio_heard",provider="openai"}'] == pytest.approx(0.4)
    assert grown["aura_speech_to_sound_seconds_sum"] == pytest.approx(0.9)
    assert grown['aura_refusals_total{reason="too_busy"}'] == 1
    assert now['aura_queue_messages{queue="transcribe"}'] >= 1 and now["aura_voice_sessions_open"] == 0
    assert busy.tenant_id not in response.text and response.content_type.startswith("text/plain; version=0.0.4")

    assert door.get("/metrics").status_code == 401
    assert code(busy.get("/metrics")) == (403, "forbidden")
    monkeypatch.setenv("AURA_METRICS_TOKEN", "scrape-me")
    get_settings.cache_clear()
    assert door.get("/metrics", headers={"Authorization": "Bearer scrape-me"}).status_code == 200
    assert door.get("/metrics", headers={"Authorization": "Bearer scrape-you"}).status_code == 401
    monkeypatch.undo()
    get_settings.cache_clear()


def values(text: str) -> dict[str, float]:
    """Return what the exposition says, by series."""
    lines = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}
