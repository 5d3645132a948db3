"""Stopping work on documents: what is queued is not begun, what runs loses its lease.

Rows are locked in the order in which workers lock them (versions, parts, documents; each by id), so that the
two never wait for each other in a circle. Whoever finishes a part locks its version's row first: once those
are ours, no part is finished and none is added.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from pipelines.stores.ingest.batches import OPEN_STATES, locked
from schemas.errors.requests import NotReady
from schemas.errors.work import Cancelled
from schemas.tables.batches import Batch, BatchState


def cancel_batch(session: Session, batch_id: UUID) -> tuple[Batch, list[UUID]]:
    """Cancel the batch with its documents that are not processed; return it and them.

    Documents that are in work for this batch only because they had ended badly elsewhere are its own too; those
    that another batch brought are not. Raises NotFound, NotReady where it has ended.
    """
    batch = locked(session, batch_id)
    if batch.state not in OPEN_STATES:
        raise NotReady("The batch has ended already.")
    batch.state, batch.is_open, batch.intake = BatchState.CANCELLED, False, False
    batch.options = {**batch.options, "sources": []}
    batch.lease_token = batch.lease_until = None
    batch.finished_at = session.connection().scalar(text("SELECT now()"))
    session.flush()
    return batch, _cancel(session, "d.batch_id = :id", batch_id)


def cancel_document(session: Session, doc_id: UUID) -> bool:
    """Stop the work on a document; return whether there was any.

    One that answers goes on answering with the version it has.
    """
    return bool(_cancel(session, "d.doc_id = :id", doc_id))


def stop(session: Session, doc_ids: Sequence[UUID]) -> None:
    """Stop what is running of documents that the caller is about to queue again."""
    about = {"ids": list(doc_ids)}
    session.execute(text(_LOCK_VERSIONS.format(which="d.doc_id = ANY(:ids)")), about)
    session.execute(text(_STOP_PARTS.format(which="d.doc_id = ANY(:ids)")), about)


def _cancel(session: Session, which: str, id_: UUID) -> list[UUID]:
    about = {"id": id_, "code": Cancelled.code, "detail": Cancelled.sentence()}
    ended: Sequence[UUID] = session.scalars(text(_END.format(which=which, status="queued")), about).all()
    session.execute(text(_LOCK_VERSIONS.format(which=which)), about)
    session.execute(text(_STOP_PARTS.format(which=which)), about)
    return [*ended, *session.scalars(text(_END.format(which=which, status="running")), about)]


_LOCK_VERSIONS = """
SELECT 1 FROM document_versions v JOIN documents d USING (tenant_id, doc_id)
WHERE {which} AND d.processing_status = 'running'
ORDER BY v.doc_id, v.version FOR UPDATE OF v
"""

_STOP_PARTS = """
WITH open AS (
    SELECT s.tenant_id, s.doc_id, s.version, s.stage, s.part
    FROM document_stages s JOIN documents d USING (tenant_id, doc_id)
    WHERE {which} AND d.processing_status = 'running' AND s.status IN ('queued', 'running')
    ORDER BY s.doc_id, s.version, s.stage, s.part FOR UPDATE OF s
)
UPDATE document_stages s SET status = 'failed', lease_token = NULL, lease_until = NULL
FROM open o
WHERE (s.tenant_id, s.doc_id, s.version, s.stage, s.part) = (o.tenant_id, o.doc_id, o.version, o.stage, o.part)
"""

_END = """
WITH open AS (
    SELECT d.tenant_id, d.doc_id FROM documents d
    WHERE {which} AND d.processing_status = '{status}' ORDER BY d.doc_id FOR UPDATE OF d
)
UPDATE documents d SET
    processing_status = CASE WHEN d.version > 0 THEN 'processed' ELSE 'cancelled' END,
    error_code = CASE WHEN d.version > 0 THEN NULL ELSE :code END,
    error_detail = CASE WHEN d.version > 0 THEN NULL ELSE :detail END,
    wanted = '{{}}', express = false
FROM open o WHERE d.tenant_id = o.tenant_id AND d.doc_id = o.doc_id
RETURNING d.doc_id
"""
