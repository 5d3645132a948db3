"""What is owed is written with what happened, for those who asked, and costs nothing where nobody did."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import event, text

from pipelines.stores import sealing, webhooks
from pipelines.stores.database import get_engine, operator_session, tenant_session
from pipelines.stores.redis import get_redis
from pipelines.stores.webhooks import endpoints, work
from pipelines.webhooks.schedule import Outcome
from schemas.events import Event, EventName, Subject
from tests.integration.webhooks.conftest import Log, add_endpoint, enqueue

URL = "https://93.184.216.34/"


def test_what_is_rolled_back_is_owed_to_nobody(tenant: UUID, log: Log) -> None:
    add_endpoint(tenant, URL)
    happened = Event(EventName.DOCUMENT_PROCESSED, Subject.tenant(tenant), {})
    with pytest.raises(InterruptedError), tenant_session(tenant) as session:
        assert webhooks.enqueue(session, tenant, [happened]) == 1
        raise InterruptedError
    assert log.rows(tenant) == []


def test_each_event_goes_to_those_who_want_it_under_one_id(tenant: UUID, log: Log) -> None:
    for wanted in (("*",), ("document.*",), ("document.processed", "document.*"), ("document.failed",), ("turn.*",)):
        add_endpoint(tenant, URL, wanted)
    assert enqueue(tenant, 1, EventName.DOCUMENT_PROCESSED) == 3
    assert len(set(log.rows(tenant, "event_id"))) == 1
    assert enqueue(tenant, 2, EventName.TURN_COMPLETED) == 4
    assert enqueue(tenant, 2, EventName.TURN_TOKEN) == 0, "not told at all"


def test_nobody_elses_endpoint_is_told(tenant: UUID, admin: psycopg.Connection, log: Log) -> None:
    other = admin.execute(
        "INSERT INTO tenants (organization_name, admin_email) VALUES ('', '') RETURNING tenant_id"
    ).fetchone()
    assert other is not None
    add_endpoint(other[0], URL)
    assert enqueue(tenant, 3) == 0
    assert log.rows(other[0]) == []


def test_a_thousand_events_are_one_question_where_nobody_asked_and_two_where_somebody_did(tenant: UUID) -> None:
    asked = list[str]()

    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        if "webhook" in statement:
            asked.append(statement)

    event.listen(get_engine(), "before_cursor_execute", note)
    try:
        assert enqueue(tenant, 1000) == 0
        assert len(asked) == 1
        add_endpoint(tenant, URL, ("lead.*",))
        asked.clear()
        assert enqueue(tenant, 1000) == 0
        assert len(asked) == 1, "somebody is there, but wants something else"
        add_endpoint(tenant, URL)
        asked.clear()
        assert enqueue(tenant, 1000) == 1000
        assert len(asked) == 2
    finally:
        event.remove(get_engine(), "before_cursor_execute", note)


def test_many_events_need_few_messages(tenant: UUID, servers: object) -> None:
    client = get_redis()
    assert [webhooks.must_wake(client, tenant) for _ in range(3)] == [True, False, False]
    webhooks.awake(client, tenant)
    assert webhooks.must_wake(client, tenant), "whoever has looked already did not see what came after"


def test_deliveries_are_forgotten_after_thirty_days_in_batches(tenant: UUID, log: Log) -> None:
    add_endpoint(tenant, URL)
    enqueue(tenant, 5)
    log.admin.execute("DELETE FROM webhook_deliveries WHERE created_at < now() - interval '29 days'")
    ids = [row[0] for row in log.rows(tenant, "delivery_id")]
    log.admin.execute(
        "UPDATE webhook_deliveries SET created_at = now() - interval '31 days' WHERE delivery_id = ANY(%s)", (ids[:3],)
    )
    gone = []
    for _ in range(3):
        with operator_session() as session:
            gone.append(session.scalar(text("SELECT forget_webhooks(2)")))
    assert gone == [2, 1, 0]
    assert len(log.rows(tenant)) == 2


def test_secrets_are_sealed_again_with_a_new_key(tenant: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = add_endpoint(tenant, URL, headers={"X-A": "theirs"})
    keys = sealing._keys()
    newer = {"feedbeef": bytes(32), **keys}
    monkeypatch.setattr(sealing, "_keys", lambda: newer)
    with tenant_session(tenant) as session:
        assert endpoints.reseal(session, tenant) == (2, 0)
    with tenant_session(tenant) as session:
        assert endpoints.reseal(session, tenant) == (0, 0)
    monkeypatch.setattr(sealing, "_keys", lambda: {"feedbeef": bytes(32)})
    with tenant_session(tenant) as session:
        found = endpoints.get(session, endpoint.id)
        assert sealing.unseal(found.secret_sealed, tenant, endpoints.SECRET) == endpoint.secret
        assert endpoints.headers_of(found) == {"X-A": "theirs"}


def test_who_comes_too_late_with_a_result_changes_nothing(tenant: UUID, log: Log) -> None:
    log.admin.execute("DELETE FROM webhook_deliveries")
    add_endpoint(tenant, URL)
    enqueue(tenant)
    first, second = uuid4(), uuid4()
    claimed = {}
    for taker in (first, second):
        with operator_session() as session:
            due = work.take_due(session, taker, 10, 10, 4)
        assert list(due) == [tenant], "the lease before is over"
        with operator_session() as session:
            assert work.take_due(session, taker, 10, 10, 4) == {}, "it is leased"
        with tenant_session(tenant) as session:
            (claimed[taker],) = work.load(session, taker, due[tenant])
            assert work.load(session, uuid4(), due[tenant]) == []
        if taker == first:
            log.admin.execute("UPDATE webhook_deliveries SET lease_until = now() - interval '1 s'")
    now = datetime.now(UTC)
    for taker, code, kept in ((first, 500, ("pending", 0, None)), (second, 200, ("delivered", 1, 200))):
        with tenant_session(tenant) as session:
            work.record(session, tenant, [work.Try(claimed[taker], now, now, Outcome(code), 0.5, {})])
        assert log.rows(tenant, "status, attempts, status_code") == [kept]


def test_one_taker_at_a_time_serves_an_endpoint(tenant: UUID, log: Log) -> None:
    """Only so can it keep to what the endpoint takes at once."""
    log.admin.execute("DELETE FROM webhook_deliveries")
    add_endpoint(tenant, URL)
    enqueue(tenant, 10)
    first, second = uuid4(), uuid4()

    def taken(taker: UUID, at_most: int) -> int:
        with operator_session() as session:
            return len(work.take_due(session, taker, at_most, at_most, 4).get(tenant, []))

    assert [taken(first, 2), taken(second, 10), taken(first, 10), taken(first, 10)] == [2, 0, 2, 0]
    log.admin.execute(
        "UPDATE webhook_deliveries SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL"
    )
    assert [taken(second, 10), taken(first, 10)] == [4, 0], "the leases of the first are over"
