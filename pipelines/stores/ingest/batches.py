"""Batches: documents that came together, followed as one job. What each holds is in `batch_items`.

Items that came as files are numbered from 0. Each archive and each list of addresses has numbers of its
own, from a multiple of SOURCE_ITEMS: what is taken in later by a worker never meets what is added meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, literal, select, text, tuple_, update
from sqlalchemy.orm import Session

from pipelines.stores import sealing
from pipelines.stores.ingest.accepting import ENDED_BADLY, queue_all_again
from schemas.errors.requests import NotFound, NotReady
from schemas.errors.uploads import BatchClosed, TooManyFiles
from schemas.tables.batches import Batch, BatchItem, BatchState, Source
from schemas.tables.knowledge import Document

SOURCE_ITEMS = 1_000_000
MAX_SOURCES = 2_000
OPEN_STATES = (BatchState.RUNNING, BatchState.PAUSED)
DELETED = NotFound.code
LEFT_OPEN = "1 day"
"""After so long a batch counts as closed, though nobody closed it."""


@dataclass(frozen=True)
class Item:
    """A file of a batch as it arrived: a document, the reason why it is none, or an address yet to be fetched."""

    filename: str
    folder: str = ""
    url: str | None = None
    doc_id: UUID | None = None
    error_code: str | None = None
    error_detail: str | None = None


def begin(
    session: Session,
    tenant_id: UUID,
    user_id: str,
    source: Source,
    *,
    name: str = "",
    assistant_key: str | None = None,
    priority: int = 0,
    is_open: bool = False,
    batch_id: UUID | None = None,
) -> Batch:
    """Add a batch and return it."""
    batch = Batch(
        tenant_id=tenant_id,
        batch_id=batch_id or uuid4(),
        user_id=user_id,
        source=source,
        name=name,
        assistant_key=assistant_key,
        priority=priority,
        is_open=is_open,
        options={},
    )
    session.add(batch)
    session.flush()
    return batch


def get(session: Session, batch_id: UUID) -> Batch:
    """Return the tenant's batch. Raises NotFound."""
    batch = session.scalar(select(Batch).where(Batch.batch_id == batch_id))
    if batch is None:
        raise NotFound("There is no batch with this id.")
    return batch


def to_fill(session: Session, batch_id: UUID) -> Batch:
    """Return a batch that takes more files; until the transaction ends nobody else adds any.

    Raises NotFound, BatchClosed.
    """
    batch = locked(session, batch_id)
    if not batch.is_open or batch.state not in OPEN_STATES:
        raise BatchClosed
    return batch


def locked(session: Session, batch_id: UUID) -> Batch:
    """Return the batch; until the transaction ends nobody else changes it. Raises NotFound."""
    batch = session.scalar(
        select(Batch).where(Batch.batch_id == batch_id).with_for_update(), execution_options={"populate_existing": True}
    )
    if batch is None:
        raise NotFound("There is no batch with this id.")
    return batch


def listing(session: Session, limit: int, after: tuple[datetime, UUID] | None = None) -> list[Batch]:
    """Return the tenant's batches of documents, newest first, `limit` at most, those older than `after`."""
    query = (
        select(Batch)
        .where(Batch.source != Source.ENTRIES)
        .order_by(Batch.created_at.desc(), Batch.batch_id.desc())
        .limit(limit)
    )
    if after:
        query = query.where(tuple_(Batch.created_at, Batch.batch_id) < tuple_(*map(literal, after)))
    return list(session.scalars(query))


def add_items(session: Session, batch: Batch, items: Sequence[Item], first: int | None = None) -> int:
    """Add items, numbered from `first`, or after those that came as files; return the first's number."""
    if first is None:
        last = session.scalar(
            select(func.max(BatchItem.item)).where(BatchItem.batch_id == batch.batch_id, BatchItem.item < SOURCE_ITEMS)
        )
        first = 0 if last is None else last + 1
    rows = [
        {"tenant_id": batch.tenant_id, "batch_id": batch.batch_id, "item": number, **vars(item)}
        for number, item in enumerate(items, first)
    ]
    if rows:
        session.execute(insert(BatchItem), rows)
    return first


def require_places(session: Session, batch: Batch, adding: int, at_most: int) -> None:
    """Raise TooManyFiles where the batch has no places for so many more."""
    if adding + size(session, batch.batch_id) > at_most:
        raise TooManyFiles(f"A batch holds {at_most:,} files at most.")


def size(session: Session, batch_id: UUID) -> int:
    """Return how many items the batch has."""
    return session.scalar(select(func.count()).select_from(BatchItem).where(BatchItem.batch_id == batch_id)) or 0


def add_source(session: Session, batch: Batch, kind: Source, urls: Sequence[str] = (), archive: str = "") -> int:
    """Let workers take in an archive (the name of its object), or these addresses; return their first item."""
    sources: list[dict[str, Any]] = list(batch.options.get("sources", []))
    if len(sources) >= MAX_SOURCES:
        raise TooManyFiles(f"A batch holds {MAX_SOURCES:,} archives and lists of addresses at most.")
    first = (int(batch.options.get("last_source", 0)) + 1) * SOURCE_ITEMS
    add_items(session, batch, [Item(url, url=url) for url in urls], first)
    batch.options = {
        **batch.options,
        "sources": [*sources, {"kind": kind, "first": first, "archive": archive}],
        "last_source": first // SOURCE_ITEMS,
    }
    batch.intake = True
    batch.due_at = session.scalar(select(func.now()))  # type: ignore[assignment]
    session.flush()
    return first


def seal_password(batch: Batch, password: str) -> None:
    """Keep the password that opens the files of an archive, sealed for this batch."""
    batch.password_sealed = sealing.seal(password, batch.tenant_id, f"batch:{batch.batch_id}")


def password_of(batch: Batch) -> str | None:
    """Return the password that came with the batch's archive, if one did. Raises Unsealable."""
    if batch.password_sealed is None:
        return None
    return sealing.unseal(batch.password_sealed, batch.tenant_id, f"batch:{batch.batch_id}")


def close(session: Session, batch_id: UUID) -> Batch:
    """Take no more files into the batch. Raises NotFound, NotReady where it has ended."""
    return _changed(session, batch_id, OPEN_STATES, is_open=False)


def pause(session: Session, batch_id: UUID) -> Batch:
    """Begin no more of its documents; what is in work is finished. Raises NotFound, NotReady."""
    return _changed(session, batch_id, OPEN_STATES, state=BatchState.PAUSED)


def resume(session: Session, batch_id: UUID) -> Batch:
    """Go on with a paused batch. Raises NotFound, NotReady."""
    return _changed(session, batch_id, OPEN_STATES, state=BatchState.RUNNING, enqueued_at=func.now())


def retry(session: Session, batch_id: UUID) -> tuple[Batch, int]:
    """Queue again what failed or was cancelled, and fetch refused addresses again; return how many.

    Raises NotFound, NotReady where there is nothing of the kind.
    """
    batch = locked(session, batch_id)
    items = select(BatchItem.doc_id).where(BatchItem.batch_id == batch_id, BatchItem.doc_id.is_not(None))
    ended = select(Document.doc_id).where(Document.doc_id.in_(items), Document.processing_status.in_(ENDED_BADLY))
    again = queue_all_again(session, list(session.scalars(ended)), batch_id, batch.priority)
    count = len(again) + _retry_urls(session, batch)
    if not count:
        raise NotReady("Nothing in this batch failed or was cancelled.")
    batch.state, batch.finished_at, batch.told_at = BatchState.RUNNING, None, None
    batch.error_code = batch.error_detail = None
    session.flush()
    return batch, count


def _retry_urls(session: Session, batch: Batch) -> int:
    if not batch.intake:
        # What was fetched and then deleted by somebody is not to come back.
        session.execute(
            update(BatchItem)
            .where(BatchItem.batch_id == batch.batch_id, BatchItem.url.is_not(None), BatchItem.doc_id.is_(None))
            .where(BatchItem.error_code.is_(None))
            .values(error_code=DELETED, error_detail="The document was deleted.")
            .execution_options(synchronize_session=False)
        )
    again = session.scalars(
        update(BatchItem)
        .where(BatchItem.batch_id == batch.batch_id, BatchItem.url.is_not(None), BatchItem.doc_id.is_(None))
        .where(BatchItem.error_code != DELETED)
        .values(error_code=None, error_detail=None)
        .returning(BatchItem.item)
        .execution_options(synchronize_session=False)
    ).all()
    firsts = {item // SOURCE_ITEMS * SOURCE_ITEMS for item in again}
    there = {source["first"] for source in batch.options.get("sources", [])}
    sources = [*batch.options.get("sources", [])]
    sources += [{"kind": Source.URL, "first": first, "archive": ""} for first in sorted(firsts - there)]
    if firsts:
        batch.options = {**batch.options, "sources": sources}
        batch.intake, batch.attempts = True, 0
        batch.due_at = session.scalar(select(func.now()))  # type: ignore[assignment]
    return len(again)


def settle(session: Session, batch_ids: Sequence[UUID]) -> list[UUID]:
    """Complete those of the tenant's batches of which nothing is left to do, and return which became so just now.

    Each is returned once in its life (and once more after a retry), so whoever gets it tells it. Call it in a
    transaction that begins after the ends of the documents were committed: of two last documents one then sees
    the other. Cheap while documents are left: the first one found ends the look.
    """
    if not batch_ids:
        return []
    done = session.execute(text(_SETTLE), {"ids": list(batch_ids), "left_open": LEFT_OPEN})
    return list(done.scalars())


# The two looks at indexes of a few rows come first; only where they find nothing are the items asked,
# whose documents may be in work for another batch.
_SETTLE = """
UPDATE batches b SET state = 'completed', is_open = false, finished_at = now()
WHERE b.batch_id = ANY(:ids) AND b.state IN ('running', 'paused') AND NOT b.intake
  AND (NOT b.is_open OR b.created_at < now() - CAST(:left_open AS interval))
  AND NOT EXISTS (SELECT FROM documents d WHERE d.tenant_id = b.tenant_id AND d.lane = b.batch_id
                  AND d.processing_status = 'queued')
  AND NOT EXISTS (SELECT FROM documents d WHERE d.tenant_id = b.tenant_id AND d.batch_id = b.batch_id
                  AND d.processing_status = 'running')
  AND NOT EXISTS (SELECT FROM batch_items i JOIN documents d USING (tenant_id, doc_id)
                  WHERE i.tenant_id = b.tenant_id AND i.batch_id = b.batch_id
                  AND d.processing_status IN ('queued', 'running'))
RETURNING b.batch_id
"""


def _changed(session: Session, batch_id: UUID, from_states: Sequence[str], **values: object) -> Batch:
    get(session, batch_id)
    batch = session.scalar(
        update(Batch)
        .where(Batch.batch_id == batch_id, Batch.state.in_(from_states))
        .values(**values)
        .returning(Batch)
        .execution_options(populate_existing=True)
    )
    if batch is None:
        raise NotReady("The batch has ended already.")
    return batch
