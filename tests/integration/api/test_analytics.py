"""What turns came to, for charts, and the queues: of one's own organisation, and for the operator."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from tests.integration.people import Person, code
from workers.send import QUEUES

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def put(admin: psycopg.Connection, tenant_id: str, rating: tuple[str, int] | None = None, **fields: Any) -> None:
    """Give a tenant a turn, with what somebody thought of it."""
    conversation, turn = uuid4(), uuid4()
    admin.execute(
        "INSERT INTO conversations (tenant_id, conversation_id, user_id, assistant_key) VALUES (%s, %s, 'jo', 'a')",
        (tenant_id, conversation),
    )
    row = {"assistant_key": "front", "spoken": False, "status": "completed", "stage": "generate", **fields}
    row = {"created_at": TODAY, "confidence": 0.72, "cache": "{}", "confirmed_at": TODAY} | row
    admin.execute(
        f"INSERT INTO turns (tenant_id, conversation_id, turn_id, {', '.join(row)})"
        f" VALUES (%s, %s, %s, {', '.join(['%s'] * len(row))})",
        (tenant_id, conversation, turn, *row.values()),
    )
    if rating:
        admin.execute(
            "INSERT INTO feedback (tenant_id, turn_id, user_id, scale, rating) VALUES (%s, %s, 'jo', %s, %s)",
            (tenant_id, turn, *rating),
        )


@pytest.fixture
def busy(ada: Person, admin: psycopg.Connection) -> Person:
    """Return the admin of an organisation with six turns of two days and two assistants."""
    put(admin, ada.tenant_id, ("thumbs", 1), confidence=1.0)
    put(admin, ada.tenant_id, ("stars", 2), confidence=0.1, unanswered_id=uuid4())
    put(admin, ada.tenant_id, ("stars", 3), cache=json.dumps({"hit": "exact"}), spoken=True)
    put(admin, ada.tenant_id, status="failed", confidence=None)
    put(admin, ada.tenant_id, status="cancelled", assistant_key="back", created_at=TODAY - timedelta(days=1))
    # One that was begun before its speech had ended, and never was asked.
    put(admin, ada.tenant_id, confirmed_at=None)
    return ada


def shown(person: Person, **query: str) -> dict[str, Any]:
    since = (TODAY - timedelta(days=1)).date().isoformat()
    response = person.get("/api/analytics/turns", query_string={"since": since, **query})
    assert response.status_code == 200, response.json
    return dict(response.json or {})


def test_turns_are_counted_by_day_and_by_assistant(busy: Person) -> None:
    found = shown(busy)
    total = found["total"]
    assert (total["turns"], total["completed"], total["failed"], total["cancelled"]) == (5, 3, 1, 1)
    assert (total["spoken"], total["cache_hits"], total["unanswered"]) == (1, 1, 1)
    assert (total["liked"], total["disliked"]) == (1, 1)
    assert total["confidence"] == pytest.approx((1.0 + 0.1 + 0.72) / 3)
    assert found["confidences"] == [0, 1, 0, 0, 0, 0, 0, 1, 0, 1]
    assert [(one["day"], one["turns"]) for one in found["by_day"]] == [
        ((TODAY - timedelta(days=1)).date().isoformat(), 1),
        (TODAY.date().isoformat(), 4),
    ]
    assert [(one["assistant_key"], one["turns"]) for one in found["by_assistant"]] == [("front", 4), ("back", 1)]
    assert shown(busy, assistant_key="back")["total"]["turns"] == 1


def test_another_organisation_counts_its_own_turns_only(busy: Person, founder: Callable[..., Person]) -> None:
    found = shown(founder())
    assert found["total"]["turns"] == 0 and found["total"]["confidence"] is None
    assert found["by_day"] == found["by_assistant"] == []


def test_only_who_may_see_analytics_sees_turns_and_only_the_operator_sees_queues(
    ada: Person, joined: Callable[..., Person]
) -> None:
    assert code(joined(ada).get("/api/analytics/turns")) == (403, "forbidden")
    assert code(ada.get("/admin/queues")) == (403, "forbidden")


def test_the_operator_sees_what_waits_in_every_queue_and_who_takes_from_it(operator: Person) -> None:
    found = operator.get("/admin/queues").json or {}
    assert [one["name"] for one in found["queues"]] == list(QUEUES)
    assert found["status"] == ("ok" if all(one["workers"] for one in found["queues"]) else "degraded")
    assert found["flower_url"] is None


def test_the_audit_log_is_searched_by_act_actor_and_time(ada: Person, door: FlaskClient) -> None:
    made = ada.post("/api/tenant/keys", json={"name": "crm", "scopes": ["chat"]})
    assert made.status_code == 201

    def acts(**query: str) -> list[str]:
        return [one["action"] for one in (ada.get("/api/tenant/audit", query_string=query).json or {})["entries"]]

    assert acts(action="api_key.") == ["api_key.made"]
    assert acts(action="%") == []
    assert "api_key.made" in acts(actor=ada.email[:8])
    assert acts(actor="nobody-of-this-name") == acts(since="2099-01-01T00:00:00Z") == []
