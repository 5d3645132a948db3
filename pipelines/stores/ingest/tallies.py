"""What has become of a batch's files: counted in SQL, and listed a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from schemas.tables.batches import Batch, BatchState

WINDOW_S = 60.0


@dataclass(frozen=True)
class Tally:
    """How many of a batch's items stand where, and what they came to.

    `refused` never became a document, `deleted` no longer is one. `units` are what queued and running documents
    count in admission (a short text 1, any other 16); `units_per_s` and `documents_per_s` what was processed of
    the batch in the last minute, or since its first document was begun where that is shorter.
    """

    total: int
    queued: int
    running: int
    processed: int
    failed: int
    cancelled: int
    refused: int
    deleted: int
    bytes: int
    chunks: int
    units: int
    documents_per_s: float
    units_per_s: float
    setbacks: int
    setback: str | None

    @property
    def open(self) -> int:
        return self.queued + self.running

    def counts(self) -> dict[str, int]:
        """Return the totals as clients see them."""
        names = ("total", "queued", "running", "processed", "failed", "cancelled", "refused", "deleted")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class ItemRow:
    """One file of a batch and what has become of it."""

    item: int
    filename: str
    folder: str
    url: str | None
    doc_id: UUID | None
    status: str
    code: str | None
    detail: str | None
    chunks: int


def tally(session: Session, batch: Batch) -> Tally:
    """Count a batch's items by where they stand."""
    row = session.execute(text(_TALLY), {"id": batch.batch_id, "intake": batch.intake, "window_s": WINDOW_S}).one()
    return Tally(*row)


def remaining_s(batch: Batch, tally: Tally) -> tuple[float | None, str | None]:
    """Return in how many seconds the batch will be done, or None and the reason why nobody can say.

    What is left, in units, over the units processed in each second of the last minute: it assumes that what
    comes is like what came, and that the tenant's share of the machine stays what it is.
    """
    if batch.state in (BatchState.COMPLETED, BatchState.CANCELLED):
        return 0.0, None
    if batch.state == BatchState.PAUSED:
        return None, "the batch is paused"
    if batch.intake:
        return None, "its files are still being taken in"
    if tally.open == 0:
        return (None, "it is open for more files") if batch.is_open else (0.0, None)
    if tally.units_per_s == 0:
        return None, "none of its documents was finished in the last minute"
    return round(tally.units / tally.units_per_s, 1), None


def items(session: Session, batch: Batch, limit: int, after: int, status: str | None) -> Sequence[ItemRow]:
    """Return the batch's items behind the number `after`, in order, those of one status only where it is given."""
    asked = {"id": batch.batch_id, "intake": batch.intake, "limit": limit, "after": after, "status": status}
    return [ItemRow(*row) for row in session.execute(text(_ITEMS), asked)]


_STATUS = """
CASE WHEN d.doc_id IS NOT NULL THEN d.processing_status
     WHEN i.error_code IS NOT NULL THEN 'refused'
     WHEN i.url IS NOT NULL AND CAST(:intake AS boolean) THEN 'queued'
     ELSE 'deleted' END
"""

_RECENT = "started_at IS NOT NULL AND processed_at > now() - :window_s * interval '1 s'"

_TALLY = f"""
SELECT total, queued, running, processed, failed, cancelled, refused, deleted, bytes, chunks, units,
       round(recent / seconds, 2)::float, (recent_units / seconds)::float, setbacks, setback
FROM (
    SELECT count(*)::int AS total,
           count(*) FILTER (WHERE status = 'queued')::int AS queued,
           count(*) FILTER (WHERE status = 'running')::int AS running,
           count(*) FILTER (WHERE status = 'processed')::int AS processed,
           count(*) FILTER (WHERE status = 'failed')::int AS failed,
           count(*) FILTER (WHERE status = 'cancelled')::int AS cancelled,
           count(*) FILTER (WHERE status = 'refused')::int AS refused,
           count(*) FILTER (WHERE status = 'deleted')::int AS deleted,
           coalesce(sum(file_size), 0)::bigint AS bytes,
           coalesce(sum(chunks_count), 0)::int AS chunks,
           coalesce(sum(units) FILTER (WHERE status IN ('queued', 'running')), 0)::int AS units,
           count(*) FILTER (WHERE status = 'processed' AND {_RECENT}) AS recent,
           coalesce(sum(units) FILTER (WHERE status = 'processed' AND {_RECENT}), 0) AS recent_units,
           least(:window_s, greatest(1, extract(epoch FROM now() - min(started_at))))::numeric AS seconds,
           count(*) FILTER (WHERE status = 'running' AND error_code IS NOT NULL)::int AS setbacks,
           max(error_detail) FILTER (WHERE status = 'running') AS setback
    FROM (
        SELECT {_STATUS} AS status, d.file_size, d.chunks_count, d.units, d.started_at, d.processed_at,
               d.error_code, d.error_detail
        FROM batch_items i LEFT JOIN documents d ON d.tenant_id = i.tenant_id AND d.doc_id = i.doc_id
        WHERE i.batch_id = :id
    ) items
) counted
"""

_ITEMS = f"""
SELECT item, filename, folder, url, doc_id, status, code, detail, chunks FROM (
    SELECT i.item, i.filename, i.folder, i.url, i.doc_id, {_STATUS} AS status,
           coalesce(i.error_code, d.error_code) AS code, coalesce(i.error_detail, d.error_detail) AS detail,
           coalesce(d.chunks_count, 0) AS chunks
    FROM batch_items i LEFT JOIN documents d USING (tenant_id, doc_id)
    WHERE i.batch_id = :id AND i.item > :after
    ORDER BY i.item
) found
WHERE CAST(:status AS text) IS NULL OR status = :status
ORDER BY item LIMIT :limit
"""
