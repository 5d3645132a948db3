"""The routes of webhooks: endpoints, their secrets, the log of deliveries, and sending again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from schemas.events import EventName
from tests.integration.people import Person, code
from tests.integration.webhooks.conftest import Log, enqueue
from tests.integration.webhooks.receiver import Receiver
from workers import send
from workers.posting.post import Post

PUBLIC = "https://93.184.216.34/hook"


@pytest.fixture
def awake(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the post of this process do what a worker does when it is woken."""
    monkeypatch.setattr(send, "webhooks", lambda tenant_id: post.nudge())


def made(person: Person, url: str = PUBLIC, **fields: object) -> dict[str, object]:
    answer = person.post("/api/webhooks", json={"url": url, **fields})
    assert answer.status_code == 201, answer.json
    return answer.json or {}


def test_an_endpoint_is_made_seen_changed_and_deleted(ada: Person, awake: None) -> None:
    endpoint = made(ada, events=["document.*", "lead.captured"], description="CRM", headers={"X-Key": "theirs"})
    path = f"/api/webhooks/{endpoint['id']}"
    assert str(endpoint["secret"]).startswith("whsec_")
    seen = ada.get(path).json or {}
    assert "secret" not in seen and "theirs" not in str(seen)
    assert (seen["events"], seen["header_names"], seen["is_active"]) == (
        ["document.*", "lead.captured"],
        ["X-Key"],
        True,
    )
    assert (ada.get("/api/webhooks").json or {})["endpoints"] == [seen]
    changed = ada.request("PATCH", path, json={"description": "other", "headers": {}, "max_in_flight": 3}).json or {}
    assert changed == {**seen, "description": "other", "header_names": [], "max_in_flight": 3}
    paused = ada.request("PATCH", path, json={"is_active": False}).json or {}
    assert (paused["is_active"], paused["disabled_reason"]) == (False, "admin")
    assert code(ada.post(f"{path}/test")) == (409, "endpoint_disabled")
    assert (ada.post(f"{path}/enable").json or {})["disabled_reason"] is None
    gone = ada.request("DELETE", path).json or {}
    assert (gone["url"], gone["deliveries_deleted"]) == (PUBLIC, 0)
    assert code(ada.get(path)) == (404, "not_found")
    entries = (ada.get("/api/tenant/audit").json or {})["entries"]
    acts = [entry["action"] for entry in entries if entry["action"].startswith("webhook.")]
    assert acts == ["webhook.deleted", "webhook.enabled", "webhook.changed", "webhook.changed", "webhook.made"]
    assert "whsec_" not in str(entries) and "theirs" not in str(entries)


def test_secrets_are_sealed_in_the_row(ada: Person, admin: psycopg.Connection) -> None:
    endpoint = made(ada, headers={"Authorization": "Bearer theirs"})
    (row,) = admin.execute(
        "SELECT w::text FROM webhook_endpoints w WHERE endpoint_id = %s", (endpoint["id"],)
    ).fetchone()  # type: ignore[misc]
    assert str(endpoint["secret"]).removeprefix("whsec_") not in row and "theirs" not in row


@pytest.mark.parametrize("events", [[], ["document"], ["turn.token"], ["nothing.*"], ["webhook.test"], ["*"] * 51])
def test_filters_that_let_nothing_through_are_refused(ada: Person, events: list[str]) -> None:
    assert code(ada.post("/api/webhooks", json={"url": PUBLIC, "events": events})) == (422, "invalid_request")


def test_there_are_twenty_endpoints_at_most(ada: Person) -> None:
    for _ in range(20):
        made(ada)
    assert code(ada.post("/api/webhooks", json={"url": PUBLIC})) == (409, "too_many_endpoints")


def test_only_admins_and_keys_with_the_scope_come_in(ada: Person, joined: Callable[..., Person]) -> None:
    for role in ("user", "manager"):
        assert code(joined(ada, role).get("/api/webhooks")) == (403, "forbidden")
    for scope, status in (("webhooks", 200), ("documents:write", 403)):
        key = ada.post("/api/tenant/keys", json={"name": scope, "scopes": [scope]}).json or {}
        robot = Person(ada.client, {**ada.login, "access_token": key["api_key"]}, "robot")
        assert robot.get("/api/webhooks").status_code == status


def test_a_test_is_sent_at_once_and_once(ada: Person, awake: None, receiver: Receiver) -> None:
    endpoint = made(ada, receiver.url, events=["lead.captured"])
    path = f"/api/webhooks/{endpoint['id']}/test"
    answer = ada.post(path, headers={"Prefer": "wait=150"})
    assert (answer.status_code, (answer.json or {})["status"]) == (202, "delivered")
    message = receiver.taken[0].verified_by(str(endpoint["secret"]))
    assert (message["type"], message["data"]) == ("webhook.test", {"endpoint_id": endpoint["id"]})
    receiver.reply = lambda it, _: it.say(500)
    failed = ada.post(path, headers={"Prefer": "wait=150"}).json or {}
    assert (failed["status"], failed["attempts"], failed["status_code"]) == ("failed", 1, 500)


def test_a_rotation_brings_a_second_secret(ada: Person) -> None:
    endpoint = made(ada)
    rotated = ada.post(f"/api/webhooks/{endpoint['id']}/rotate")
    assert rotated.status_code == 201
    body = rotated.json or {}
    assert body["secret"] != endpoint["secret"]
    until = datetime.fromisoformat(body["previous_secret_until"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < until < timedelta(hours=24, minutes=1)


def test_the_log_tells_all_tries_with_what_was_sent_and_answered(
    ada: Person, awake: None, post: Post, receiver: Receiver, log: Log
) -> None:
    receiver.reply = lambda it, _: it.say(503, b"later", x_trace="abc")
    endpoint = made(ada, receiver.url)
    tenant = UUID(ada.tenant_id)
    enqueue(tenant)
    for tries in (1, 2):
        post.nudge()
        log.wait_tries(tenant, tries)
        if tries == 1:
            log.make_due(tenant)
    (listed,) = (ada.get(f"/api/webhooks/{endpoint['id']}/deliveries").json or {})["deliveries"]
    assert (listed["status"], listed["attempts"], listed["status_code"]) == ("pending", 2, 503)
    detail = ada.get(f"/api/webhooks/deliveries/{listed['id']}").json or {}
    assert detail["payload"]["id"] == listed["event_id"] == receiver.taken[0].id
    assert [each["attempt"] for each in detail["tries"]] == [1, 2]
    for each in detail["tries"]:
        assert (each["status_code"], each["response_body"], each["response_headers"]["x-trace"]) == (
            503,
            "later",
            "abc",
        )
        assert each["request_headers"]["webhook-id"] == listed["event_id"] and "v1," not in str(each["request_headers"])


def test_the_log_is_paged_and_filtered(ada: Person, awake: None, post: Post, receiver: Receiver, log: Log) -> None:
    endpoint = made(ada, receiver.url)
    tenant, path = UUID(ada.tenant_id), f"/api/webhooks/{endpoint['id']}/deliveries"
    for name in (EventName.DOCUMENT_PROCESSED, EventName.LEAD_CAPTURED):
        enqueue(tenant, 5, name)
    post.nudge()
    log.wait(tenant, "delivered", 10)
    seen, after = list[str](), ""
    while after is not None:
        page = ada.get(f"{path}?limit=3{f'&after={after}' if after else ''}").json or {}
        seen += [each["id"] for each in page["deliveries"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) == 10
    for query, count in (
        ("type=lead.captured", 5),
        ("status=delivered", 10),
        ("status=failed", 0),
        ("since=2099-01-01T00:00:00Z", 0),
        ("until=2099-01-01T00:00:00Z", 10),
    ):
        assert len((ada.get(f"{path}?{query}").json or {})["deliveries"]) == count, query
    for query in ("status=nothing", "since=yesterday", "since=2026-01-01T00:00:00", "after=x", "limit=0"):
        assert ada.get(f"{path}?{query}").status_code == 422, query


def test_one_delivery_or_a_time_is_sent_again(
    ada: Person, awake: None, post: Post, receiver: Receiver, log: Log
) -> None:
    endpoint = made(ada, receiver.url)
    tenant, path = UUID(ada.tenant_id), f"/api/webhooks/{endpoint['id']}"
    enqueue(tenant, 3)
    post.nudge()
    log.wait(tenant, "delivered", 3)
    (first, *_) = (ada.get(f"{path}/deliveries").json or {})["deliveries"]
    again = ada.post(f"/api/webhooks/deliveries/{first['id']}/replay")
    assert again.status_code == 202
    assert ((again.json or {})["replay_of"], (again.json or {})["event_id"]) == (first["id"], first["event_id"])
    log.wait(tenant, "delivered", 4)
    assert [taken.id for taken in receiver.taken].count(first["event_id"]) == 2
    now = datetime.now(UTC)
    hour = {"from": (now - timedelta(hours=1)).isoformat(), "to": (now + timedelta(hours=1)).isoformat()}
    assert ada.post(f"{path}/replay", json={**hour, "status": "failed"}).json == {"queued": 0}
    assert ada.post(f"{path}/replay", json=hour).json == {"queued": 3}, "replays are not replayed"
    log.wait(tenant, "delivered", 7)
    assert ada.post(f"{path}/replay", json={**hour, "to": hour["from"]}).status_code == 422
    past = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}
    assert ada.post(f"{path}/replay", json=past).json == {"queued": 0}


def test_what_still_waits_is_not_doubled_by_a_replay(ada: Person, awake: None, log: Log) -> None:
    endpoint = made(ada)
    tenant = UUID(ada.tenant_id)
    ada.request("PATCH", f"/api/webhooks/{endpoint['id']}", json={"is_active": True})
    enqueue(tenant, 2)
    hour = {"from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
    assert ada.post(f"/api/webhooks/{endpoint['id']}/replay", json=hour).json == {"queued": 0}


def test_events_can_be_looked_up(ada: Person) -> None:
    found = {each["name"]: each["group"] for each in (ada.get("/api/webhooks/event-types").json or {})["event_types"]}
    assert found["document.processed"] == "document.*" and "turn.token" not in found


def test_what_nobody_has_is_not_found(ada: Person, founder: Callable[..., Person]) -> None:
    other = made(founder())
    for one in (other["id"], uuid4()):
        for method, path in (
            ("GET", f"/api/webhooks/{one}"),
            ("DELETE", f"/api/webhooks/{one}"),
            ("POST", f"/api/webhooks/{one}/rotate"),
            ("POST", f"/api/webhooks/{one}/test"),
            ("GET", f"/api/webhooks/{one}/deliveries"),
            ("GET", f"/api/webhooks/deliveries/{one}"),
            ("POST", f"/api/webhooks/deliveries/{one}/replay"),
        ):
            assert code(ada.request(method, path)) == (404, "not_found"), path
