"""Tells of batches: how far they are, and once that they are done."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import text

from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.events import reaching_redis
from pipelines.stores.ingest import batches, tallies
from pipelines.stores.ingest.tallies import Tally
from pipelines.stores.redis import get_redis
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import NotFound
from schemas.events import Event, EventName, Subject
from schemas.tables.batches import Batch
from workers import announce

TOLD_EVERY = "2 s"
KEPT_S = 3600


def settle(tenant_id: UUID, batch_ids: Iterable[UUID]) -> None:
    """Complete those of the batches of which nothing is left to do, and tell it.

    Call it after the ends of documents were committed. What is missed here, the sweep finds within seconds.
    """
    wanted = list(set(batch_ids))
    if not wanted:
        return
    with tenant_session(tenant_id) as session:
        done = [batches.get(session, batch_id) for batch_id in batches.settle(session, wanted)]
        told = [_event(EventName.BATCH_COMPLETED, batch, tallies.tally(session, batch)) for batch in done]
        tell = announce.owe(session, tenant_id, told)
    tell()


def tell_progress() -> None:
    """Tell how far the batches in work are, each at most once in two seconds and only where something moved."""
    for tenant_id, batch_id in _untold():
        settle(tenant_id, [batch_id])
        _tell_progress(tenant_id, batch_id)


def _untold(at_most: int = 100) -> Sequence[tuple[UUID, UUID]]:
    with operator_session() as session:
        rows = session.execute(
            text("SELECT tenant_id, batch_id FROM take_untold_batches(CAST(:every AS interval), :at_most)"),
            {"every": TOLD_EVERY, "at_most": at_most},
        )
        return [(row.tenant_id, row.batch_id) for row in rows]


def _tell_progress(tenant_id: UUID, batch_id: UUID) -> None:
    try:
        with tenant_session(tenant_id, durable=False) as session:
            batch = batches.get(session, batch_id)
            found = tallies.tally(session, batch)
    except NotFound:
        return
    if batch.state not in batches.OPEN_STATES:
        return  # Its end was told just now.
    left_s, why_not = tallies.remaining_s(batch, found)
    pace = {"documents_per_s": found.documents_per_s, "remaining_s": left_s, "remaining_unknown": why_not}
    if _is_news(tenant_id, batch_id, {"state": batch.state, **found.counts(), "chunks": found.chunks}):
        announce.durably([_event(EventName.BATCH_PROGRESS, batch, found, **pace)])


def _event(name: EventName, batch: Batch, found: Tally, **more: object) -> Event:
    about = {"batch_id": str(batch.batch_id), "name": batch.name, "state": batch.state}
    data = {**about, **found.counts(), "chunks": found.chunks, **more}
    return Event(name, Subject.batch(batch.tenant_id, batch.batch_id), data)


def _is_news(tenant_id: UUID, batch_id: UUID, counts: dict[str, object]) -> bool:
    """Return whether anything moved since it was told last. Without Redis nothing is told anyway."""
    try:
        with reaching_redis():
            before = get_redis().set(f"aura:{tenant_id}:batch:{batch_id}:told", json.dumps(counts), ex=KEPT_S, get=True)
    except StoreUnavailable:
        return False
    return before is None or before.decode() != json.dumps(counts)  # type: ignore[union-attr]
