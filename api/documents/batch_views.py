"""Batches as clients see them: what has become of their files, how fast it goes, why nothing happens."""

from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from api.documents.document_views import remedy_of
from pipelines.stores.events import reaching_redis
from pipelines.stores.ingest import tallies
from pipelines.stores.ingest.tallies import ItemRow, Tally
from pipelines.stores.redis import get_redis
from schemas.requests.documents.batches import BatchItemView, BatchSummary, BatchView, Totals
from schemas.tables.batches import Batch, BatchState, Source
from workers.process.presence import live_queues

INTAKE = "intake"


def batch_view(session: Session, batch: Batch) -> BatchView:
    """Return a batch with its totals, its speed and, where that can be said, its remaining time.

    The remaining time is what is left over what was processed in each second of the last minute, both in units
    (a short text counts 1, any other document 16); see `tallies.remaining_s`.
    """
    found = tallies.tally(session, batch)
    left_s, unknown = tallies.remaining_s(batch, found)
    return BatchView(
        **summary(batch).model_dump(),
        totals=Totals(**found.counts()),
        bytes=found.bytes,
        chunks=found.chunks,
        documents_per_s=_speed(batch, found),
        remaining_s=left_s,
        remaining_unknown=unknown,
        waiting_for=_reason(batch, found),
    )


def summary(batch: Batch) -> BatchSummary:
    """Return a batch without what has become of its documents."""
    return BatchSummary(
        id=batch.batch_id,
        name=batch.name,
        source=batch.source,
        state=batch.state,  # type: ignore[arg-type]
        priority=batch.priority,
        assistant_key=batch.assistant_key,
        is_open=batch.is_open,
        taking_in=batch.intake,
        code=batch.error_code,
        detail=batch.error_detail,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
    )


def item_view(row: ItemRow) -> BatchItemView:
    """Return one file of a batch."""
    ended_badly = row.status in ("failed", "cancelled", "refused")
    return BatchItemView(
        item=row.item,
        filename=row.filename,
        folder=row.folder,
        url=row.url,
        document_id=row.doc_id,
        status=row.status,  # type: ignore[arg-type]
        code=row.code,
        detail=row.detail,
        remedy=remedy_of(row.code)[0] if ended_badly else None,
        chunks=row.chunks,
    )


def links(job_id: object) -> dict[str, Any]:
    """Return where a job is, and where its events stream."""
    return {"job_id": str(job_id), "job": url_for("jobs.show", id=job_id), "events": url_for("jobs.events", id=job_id)}


def _speed(batch: Batch, found: Tally) -> float:
    """Return documents a second: of the last minute; of a batch that is done, over its whole time."""
    if batch.state != BatchState.COMPLETED or batch.finished_at is None:
        return found.documents_per_s
    seconds = max(1.0, (batch.finished_at - batch.created_at).total_seconds())
    return round(found.processed / seconds, 2)


def _reason(batch: Batch, found: Tally) -> str | None:
    if batch.state == BatchState.PAUSED:
        return "being resumed: it is paused"
    if batch.state != BatchState.RUNNING or found.running > found.setbacks:
        return None
    if found.setbacks:
        return found.setback
    return _reason_of_rest(batch, found)


def _reason_of_rest(batch: Batch, found: Tally) -> str | None:
    """Return what a batch waits for of which nothing is in work."""
    with reaching_redis():
        live = live_queues(get_redis())
    queue = INTAKE if batch.intake and not found.queued else "upkeep"
    if (batch.intake or found.queued) and queue not in live:
        return f"a worker: none is running for `{queue}`"
    if batch.intake:
        what = "addresses are fetched" if batch.source == Source.URL else "archive is unpacked"
        return f"its files: its {what}, {found.total} so far"
    if found.queued:
        return "its turn among your other documents"
    return "more files, until it is closed" if batch.is_open else None
