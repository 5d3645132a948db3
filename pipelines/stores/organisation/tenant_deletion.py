"""The end of a tenant: asked for, carried out in batches, counted again, and kept as a receipt.

The tenant's own row goes last, in the transaction that counted nothing left: until then the sweep finds
it, so whoever dies on the way is followed by another.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import cast
from uuid import UUID

import redis
from sqlalchemy import Table, delete, func, select, text, tuple_
from sqlalchemy.orm import Session

from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.events import reaching_redis
from pipelines.stores.operations import audit
from pipelines.stores.operations.audit import Actor
from pipelines.stores.organisation.rates import UNFLUSHED
from pipelines.stores.organisation.tenant_tables import counted, tenant_tables
from schemas.errors.requests import Conflict, NotFound
from schemas.requests.organisation.lifecycle import Holdings, Receipt
from schemas.tables.base import DEFAULT_TENANT_ID
from schemas.tables.records import AuditEntry, TenantDeletion
from schemas.tables.tenancy import Tenant

ROWS_A_BATCH = 2000
KEYS_A_BATCH = 500

VERIFY_AFTER_S = 300
"""Above the hard time limit of a task: whatever ran when the tenant ended can write no more by then."""

LAST = (Tenant.__tablename__, AuditEntry.__tablename__)
"""Tables that are emptied by the tenant's own end: nobody may delete from the log."""


class StillThere(Exception):
    """Something was written while the tenant was being deleted."""


def request(session: Session, tenant_id: UUID, actor: Actor) -> TenantDeletion:
    """Close the tenant's door and write down that it is to be deleted; asking twice is asking once.

    Raises NotFound, and Conflict for the default tenant, which is the deployment's own.
    """
    if tenant_id == UUID(DEFAULT_TENANT_ID):
        raise Conflict("The default organisation belongs to the deployment and cannot be deleted.")
    tenant = session.get(Tenant, tenant_id, with_for_update=True)
    if tenant is None:
        raise NotFound("There is no organisation with this id.")
    found = session.get(TenantDeletion, tenant_id)
    if found is not None:
        return found
    tenant.is_active, tenant.deletion_requested_at = False, func.now()
    deletion = TenantDeletion(
        tenant_id=tenant_id,
        organization_name=tenant.organization_name,
        # No name and no address: the receipt outlives the person's account.
        requested_by=f"{actor.kind} {actor.id or ''}".strip(),
    )
    session.add(deletion)
    audit.record(session, tenant_id, actor, "tenant.deletion_requested", "tenant", tenant_id)
    session.flush()
    session.refresh(deletion)
    return deletion


def get(session: Session, tenant_id: UUID) -> TenantDeletion:
    """Return the deletion of a tenant, in work or done. Raises NotFound."""
    found = session.get(TenantDeletion, tenant_id)
    if found is None:
        raise NotFound("The deletion of an organisation with this id was not asked for.")
    return found


def receipt(deletion: TenantDeletion) -> Receipt:
    """Return the receipt as far as it has been written."""
    return Receipt.model_validate(deletion.receipt)


def take_due(session: Session) -> Sequence[UUID]:
    """Return the tenants whose deletion was asked for a while ago and has not come to its end."""
    return session.scalars(text("SELECT take_due_deletions()")).all()


@contextmanager
def alone(tenant_id: UUID) -> Iterator[bool]:
    """Hold the tenant's deletion while inside; False where another worker does."""
    with operator_session() as session:
        key = func.hashtextextended(f"aura.deletion.{tenant_id}", 0)
        yield bool(session.scalar(select(func.pg_try_advisory_xact_lock(key))))


def is_due(tenant_id: UUID) -> bool:
    """Return whether there is something to do: a deletion to carry out, or one whose second look is due."""
    settled = func.now() - timedelta(seconds=VERIFY_AFTER_S)
    with tenant_session(tenant_id) as session:
        found = session.execute(
            select(TenantDeletion, func.coalesce(TenantDeletion.finished_at <= settled, True))
        ).one_or_none()
    return found is not None and found[1] and receipt(found[0]).verified_at is None


def remove_rows(tenant_id: UUID) -> int:
    """Delete a batch of the tenant's rows from the first table that has any, and return how many.

    Those that others depend on come last, so no row goes uncounted by a cascade.
    """
    for table in reversed(_emptied_tables()):
        with tenant_session(tenant_id) as session:
            if gone := _delete(session, table, tenant_id, ROWS_A_BATCH):
                _add(session, tenant_id, Holdings(rows={table.name: gone}))
                return gone
    return 0


def remove_keys(client: "redis.Redis", tenant_id: UUID) -> int:
    """Delete the tenant's keys in Redis, and its names in sets, and return how many there were.

    Raises StoreUnavailable.
    """
    gone, batch = 0, list[bytes]()
    with reaching_redis():
        for key in _keys(client, tenant_id):
            batch.append(key)
            if len(batch) == KEYS_A_BATCH:
                gone += cast(int, client.unlink(*batch))
                batch.clear()
        if batch:
            gone += cast(int, client.unlink(*batch))
        if counters := list(_counters(client, tenant_id)):
            gone += cast(int, client.srem(UNFLUSHED, *counters))
    return gone


def count_keys(client: "redis.Redis", tenant_id: UUID) -> int:
    """Return how many keys in Redis are the tenant's. Raises StoreUnavailable."""
    with reaching_redis():
        return sum(1 for keys in (_keys, _counters) for _ in keys(client, tenant_id))


def note(tenant_id: UUID, removed: Holdings) -> None:
    """Add to the receipt what was removed outside the database."""
    with tenant_session(tenant_id) as session:
        _add(session, tenant_id, removed)


def close(tenant_id: UUID, outside: Callable[[], Holdings]) -> bool:
    """Delete the tenant itself where nothing else of it is left; False where something is.

    `outside` counts what it has outside the database. After a close this is the second look: it
    verifies the receipt.
    """
    try:
        with tenant_session(tenant_id) as session:
            removed = _delete_tenant(session, tenant_id)
            left = outside().model_copy(update={"rows": counted(session, tenant_id)})
            if left.total:
                raise StillThere
            _add(session, tenant_id, removed, left)
    except StillThere:
        return False
    return True


def _delete_tenant(session: Session, tenant_id: UUID) -> Holdings:
    """Delete the tenant's row with what goes by its cascade, counted; nothing where it is gone already."""
    # The lock keeps out whoever is about to add a row that refers to the tenant.
    if session.scalar(select(Tenant.tenant_id).with_for_update()) is None:
        return Holdings()
    rows = {table.name: _delete(session, table, tenant_id) for table in reversed(_emptied_tables())}
    rows |= {name: counted(session, tenant_id)[name] for name in LAST}
    session.execute(delete(Tenant).where(Tenant.tenant_id == tenant_id))
    return Holdings(rows=rows)


def _delete(session: Session, table: Table, tenant_id: UUID, at_most: int | None = None) -> int:
    """Delete rows of the tenant, `at_most` so many, and return how many."""
    statement = delete(table).where(table.c.tenant_id == tenant_id)
    if at_most is not None:
        key = tuple(table.primary_key.columns)
        some = select(*key).where(table.c.tenant_id == tenant_id).limit(at_most)
        statement = statement.where(tuple_(*key).in_(some))
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def _add(session: Session, tenant_id: UUID, removed: Holdings, left: Holdings | None = None) -> None:
    """Add to the receipt what was `removed`; with what is `left` it is finished, and verified the next time."""
    deletion = session.get_one(TenantDeletion, tenant_id, with_for_update=True)
    found, now = receipt(deletion), session.scalar(select(func.clock_timestamp()))
    for name, gone in removed.rows.items():
        found.rows[name] = found.rows.get(name, 0) + gone
    found.objects += removed.objects
    found.redis_keys += removed.redis_keys
    found.queued_messages += removed.queued_messages
    found.started_at = found.started_at or now
    if found.finished_at:
        found.found_late += removed.total
        found.verified_at = now if left else None
    elif left:
        found.finished_at = deletion.finished_at = now
    found.left = left
    deletion.receipt = found.model_dump(mode="json")


def _emptied_tables() -> list[Table]:
    kept = (*LAST, TenantDeletion.__tablename__)
    return [table for table in tenant_tables() if table.name not in kept]


def _keys(client: "redis.Redis", tenant_id: UUID) -> Iterator[bytes]:
    return client.scan_iter(match=f"aura:{tenant_id}:*", count=1000)


def _counters(client: "redis.Redis", tenant_id: UUID) -> Iterator[bytes]:
    """Yield the tenant's counters of calls that wait to be written to its row."""
    return client.sscan_iter(UNFLUSHED, match=f"{tenant_id}:*", count=1000)
