"""A deleted tenant is gone everywhere, the receipt says so, and nobody else's things have moved."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from uuid import UUID

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pipelines.stores import events
from pipelines.stores.database import get_engine, tenant_session
from pipelines.stores.objects import ObjectStore
from pipelines.stores.organisation import tenant_deletion
from pipelines.stores.organisation.rates import UNFLUSHED
from pipelines.stores.organisation.tenant_tables import tenant_tables
from pipelines.stores.redis import get_redis
from schemas.errors.providers import StoreUnavailable
from schemas.events import Event, EventName, Subject
from schemas.settings import get_settings
from schemas.tables.dialogue import TurnStage
from tests.integration.lifecycle.conftest import Owner
from tests.integration.lifecycle.leaving import ask, messages, receipt
from workers import send, tenants, upkeep

Holdings = Callable[[UUID], dict[str, Any]]
NewOwner = Callable[[str], Owner]


def test_everything_is_gone_and_the_other_tenant_has_what_it_had(
    client: FlaskClient, new_owner: NewOwner, holdings: Holdings, settle: Callable[[UUID], None]
) -> None:
    other, leaving = new_owner("other"), new_owner("leaving")
    ask(client, leaving)
    before, others = holdings(leaving.tenant_id), holdings(other.tenant_id)
    assert {name for name, found in before.items() if not found} == set()

    tenants.delete(str(leaving.tenant_id))

    assert {name: found for name, found in holdings(leaving.tenant_id).items() if found} == {}
    assert holdings(other.tenant_id) == others
    found = receipt(leaving.tenant_id)
    assert found.rows == {table.name: len(before[table.name]) for table in tenant_tables() if table.name in before}
    assert found.rows["document_chunks"] == 40
    assert (found.objects, found.queued_messages) == (len(leaving.objects), 3)
    # The events of the ended turn, and the flag that stops its steps, are made and removed on the way.
    assert found.redis_keys >= len(before["keys"])
    assert found.left is not None
    assert (found.left.total, set(found.left.rows)) == (0, set(found.rows))
    assert found.finished_at is not None
    assert found.verified_at is None

    settle(leaving.tenant_id)
    tenants.delete(str(leaving.tenant_id))
    verified = receipt(leaving.tenant_id)
    assert verified.verified_at is not None
    assert (verified.found_late, verified.rows) == (0, found.rows)
    assert holdings(other.tenant_id) == others


def test_no_trace_of_the_text_is_left_anywhere(
    client: FlaskClient, new_owner: NewOwner, admin: psycopg.Connection
) -> None:
    """But for the name on the receipt, the database's every row and the folder's every name are searched."""
    owner = new_owner("trace")
    half = Path(unquote(urlparse(get_settings().resolved_objects_url).path)) / str(owner.tenant_id) / "broken#1"
    half.write_bytes(b"half of an upload that never ended")
    ask(client, owner)
    tenants.delete(str(owner.tenant_id))
    tables = admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    holders = [
        name
        for (name,) in tables
        if admin.execute(
            f"SELECT FROM {name} t WHERE t::text LIKE %s OR t::text LIKE %s LIMIT 1",
            (f"%{owner.canary}%", f"%{owner.tenant_id}%"),
        ).fetchone()
        is not None
    ]
    assert holders == ["tenant_deletions"]
    assert not half.parent.exists()


def test_a_deletion_that_failed_half_way_goes_on_where_it_was(
    client: FlaskClient, new_owner: NewOwner, holdings: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = new_owner("half")
    ask(client, owner)
    before = holdings(owner.tenant_id)
    real, calls_made = ObjectStore.delete_some, []

    def once_broken(self: ObjectStore, prefix: str, at_most: int) -> int:
        calls_made.append(prefix)
        if len(calls_made) == 2:
            raise StoreUnavailable
        return real(self, prefix, 1)

    monkeypatch.setattr(ObjectStore, "delete_some", once_broken)
    tenants.delete(str(owner.tenant_id))
    between = holdings(owner.tenant_id)
    assert (len(between["tenants"]), len(between["documents"]), len(between["objects"])) == (1, 0, 2)
    assert receipt(owner.tenant_id).finished_at is None

    tenants.delete(str(owner.tenant_id))
    assert {name for name, found in holdings(owner.tenant_id).items() if found} == set()
    found = receipt(owner.tenant_id)
    assert found.rows == {table.name: len(before[table.name]) for table in tenant_tables() if table.name in before}
    assert (found.objects, found.queued_messages) == (3, 3)


def test_a_large_tenant_is_deleted_in_slices(
    client: FlaskClient, new_owner: NewOwner, holdings: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each task does a bounded part and wakes the next; no statement takes more rows than a batch has."""
    owner = new_owner("large")
    ask(client, owner)
    monkeypatch.setattr(tenants, "SLICE_S", 0.0)
    monkeypatch.setattr(tenant_deletion, "ROWS_A_BATCH", 7)
    runs = 0
    while receipt(owner.tenant_id).finished_at is None:
        get_redis().delete("upkeep")
        tenants.delete(str(owner.tenant_id))
        runs += 1
        assert len(messages("workers.tenants.delete", owner.tenant_id)) == 1
        assert runs < 200
    rows = receipt(owner.tenant_id).rows
    assert rows["document_chunks"] == 40
    batches = [math.ceil(count / 7) for table, count in rows.items() if table not in tenant_deletion.LAST]
    assert runs >= sum(batches)
    assert {name for name, found in holdings(owner.tenant_id).items() if found} == set()


def test_many_workers_at_once_delete_once(client: FlaskClient, new_owner: NewOwner, holdings: Holdings) -> None:
    owner = new_owner("many")
    ask(client, owner)
    before = holdings(owner.tenant_id)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(tenants.delete, [str(owner.tenant_id)] * 12))
    found = receipt(owner.tenant_id)
    assert found.rows == {table.name: len(before[table.name]) for table in tenant_tables() if table.name in before}
    assert (found.objects, found.queued_messages, found.found_late) == (3, 3, 0)


def test_a_deletion_that_another_worker_holds_is_left_to_it(client: FlaskClient, new_owner: NewOwner) -> None:
    owner = new_owner("held")
    ask(client, owner)
    with tenant_deletion.alone(owner.tenant_id) as ours:
        assert ours
        tenants.delete(str(owner.tenant_id))
        assert receipt(owner.tenant_id).started_at is None
    tenants.delete(str(owner.tenant_id))
    assert receipt(owner.tenant_id).finished_at is not None


def test_what_is_written_late_is_found_by_the_second_look(
    client: FlaskClient, new_owner: NewOwner, holdings: Holdings, store: ObjectStore, settle: Callable[[UUID], None]
) -> None:
    owner = new_owner("late")
    ask(client, owner)
    tenants.delete(str(owner.tenant_id))
    [second] = [m for m in messages("workers.tenants.delete", owner.tenant_id) if m["headers"]["eta"]]
    assert second["headers"]["expires"] is None
    first = receipt(owner.tenant_id)

    store.put(f"{owner.tenant_id}/documents/{owner.doc_id}/v1/late", b"written by a worker that did not know")
    late = Event(EventName.TURN_TOKEN, Subject.conversation(owner.tenant_id, owner.conversation_id), {"text": "late"})
    events.publish(get_redis(), late)
    send.turn(owner.tenant_id, owner.turn_id, TurnStage.RETRIEVE)
    get_redis().sadd(UNFLUSHED, f"{owner.tenant_id}:2026-01")
    with pytest.raises(IntegrityError), tenant_session(owner.tenant_id) as session:
        session.execute(
            text("INSERT INTO usage_months (tenant_id, month) VALUES (:t, '2026-02-01')"), {"t": owner.tenant_id}
        )
    tenants.delete(str(owner.tenant_id))
    assert receipt(owner.tenant_id) == first  # It is too early to be sure that nobody writes any more.

    settle(owner.tenant_id)
    tenants.delete(str(owner.tenant_id))
    found = receipt(owner.tenant_id)
    # The object, the stream and its size, the message, and the counter.
    assert (found.found_late, found.objects, found.queued_messages) == (5, first.objects + 1, 4)
    assert found.verified_at is not None
    assert {name for name, there in holdings(owner.tenant_id).items() if there} == set()
    assert not get_redis().sismember(UNFLUSHED, f"{owner.tenant_id}:2026-01")
    tenants.delete(str(owner.tenant_id))
    assert receipt(owner.tenant_id) == found


def test_a_row_added_during_the_deletion_is_counted_or_refused(
    client: FlaskClient, new_owner: NewOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer who comes between the last batch and the end does not leave a row behind, nor one uncounted."""
    owner = new_owner("between")
    ask(client, owner)
    real = ObjectStore.remove_folder

    def add_then_remove(self: ObjectStore, prefix: str) -> None:
        with tenant_session(owner.tenant_id) as session:
            session.execute(
                text("INSERT INTO agents (tenant_id, assistant_key, name) VALUES (:t, 'late', 'Late')"),
                {"t": owner.tenant_id},
            )
        self.put(f"{owner.tenant_id}/late", b"late")
        monkeypatch.setattr(ObjectStore, "remove_folder", real)

    monkeypatch.setattr(ObjectStore, "remove_folder", add_then_remove)
    tenants.delete(str(owner.tenant_id))
    found = receipt(owner.tenant_id)
    assert (found.rows["agents"], found.objects) == (2, 4)
    assert found.left is not None
    assert found.left.total == 0


def test_the_sweep_sends_a_deletion_again_that_nobody_holds(
    client: FlaskClient, new_owner: NewOwner, admin: psycopg.Connection
) -> None:
    owner = new_owner("swept")
    ask(client, owner)
    get_redis().delete("upkeep")
    upkeep.sweep()
    assert messages("workers.tenants.delete", owner.tenant_id) == []
    admin.execute(
        "UPDATE tenants SET deletion_requested_at = now() - interval '1 min' WHERE tenant_id = %s", (owner.tenant_id,)
    )
    upkeep.sweep()
    assert len(messages("workers.tenants.delete", owner.tenant_id)) == 1


def test_who_follows_a_document_or_a_turn_is_told_of_its_end(client: FlaskClient, new_owner: NewOwner) -> None:
    owner = new_owner("followed")
    document = Subject.document(owner.tenant_id, owner.doc_id)
    conversation = Subject.conversation(owner.tenant_id, owner.conversation_id)
    with get_redis().pubsub() as pubsub:
        pubsub.subscribe(document.key, conversation.key)
        for _ in range(2):
            assert pubsub.get_message(timeout=60)["type"] == "subscribe"
        ask(client, owner)
        tenants.delete(str(owner.tenant_id))
        told = [events.announced(pubsub.get_message(timeout=60)["data"]) for _ in range(2)]
    assert {(event.name, event.data.get("turn_id")) for event in told} == {
        ("document.deleted", None),
        ("turn.cancelled", str(owner.turn_id)),
    }


def test_no_connection_is_kept(client: FlaskClient, new_owner: NewOwner) -> None:
    owner = new_owner("pool")
    ask(client, owner)
    tenants.delete(str(owner.tenant_id))
    assert get_engine().pool.checkedout() == 0
