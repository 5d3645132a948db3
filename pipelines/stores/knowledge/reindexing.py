"""Re-indexing: documents are queued again, and answer with the version they have until the new one is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pipelines.stores.ingest import cancelling
from pipelines.stores.knowledge import documents
from pipelines.stores.knowledge.documents import Sizes
from schemas.errors.requests import NotFound, NotReady
from schemas.errors.tree import Transient
from schemas.tables.batches import Batch, BatchItem
from schemas.tables.knowledge import Document, DocumentVersion, Status

IN_WORK = (Status.QUEUED, Status.RUNNING)
FIRST_SIZES = Sizes(500, 50)
"""To which versions were cut that do not say it."""


@dataclass(frozen=True)
class Wanted:
    """How documents are made again: `reread` from their files, else from what was extracted. None: as it is set."""

    reread: bool = False
    chunk_tokens: int | None = None
    chunk_overlap: int | None = None

    def options(self) -> dict[str, Any]:
        """Return what a version is to be made with, beside where its elements come from."""
        sizes = {"chunk_tokens": self.chunk_tokens, "chunk_overlap": self.chunk_overlap}
        return {name: value for name, value in sizes.items() if value is not None}


@dataclass(frozen=True)
class Chosen:
    """Which documents: these, those of a batch, those that are stale, or all where nothing is named."""

    ids: Sequence[UUID] | None = None
    batch_id: UUID | None = None
    stale_to: tuple[str, Sizes] | None = None


def one(session: Session, doc_id: UUID, wanted: Wanted) -> Document:
    """Queue a document again and return it. Raises NotFound, and NotReady where it is in work already."""
    document = session.scalar(
        select(Document).where(Document.doc_id == doc_id).with_for_update(),
        execution_options={"populate_existing": True},
    )
    if document is None:
        raise NotFound("There is no document with this id.")
    if document.processing_status in IN_WORK:
        raise NotReady("The document is in work already. Cancel that first, or wait for its end.")
    _queue(session, [doc_id], wanted, {"lane": None})
    session.refresh(document)
    return document


def many(session: Session, batch: Batch, chosen: Chosen, wanted: Wanted) -> tuple[int, int]:
    """Queue documents again as items of the batch; return how many, and how many were left out, being in work.

    Raises NotFound where one that is named is not there.
    """
    ids = _chosen(session, chosen)
    queued = _queue(session, ids, wanted, {"lane": batch.batch_id})
    session.execute(
        text(
            "INSERT INTO batch_items (tenant_id, batch_id, item, filename, folder, doc_id)"
            " SELECT d.tenant_id, :batch, row_number() OVER (ORDER BY d.created_at, d.doc_id) - 1,"
            " d.filename, d.folder, d.doc_id FROM documents d WHERE d.doc_id = ANY(:ids)"
        ),
        {"batch": batch.batch_id, "ids": queued},
    )
    return len(queued), len(ids) - len(queued)


def anew(session: Session, doc_ids: Sequence[UUID], batch_id: UUID | None = None, priority: int = 0) -> None:
    """Queue documents whose text was changed; work on what it was before is stopped. What answers goes on doing so.

    Rows are locked as a cancellation locks them: what is queued first, then what runs. One that moves on
    meanwhile is met in the next round. Raises Transient.
    """
    left = set(doc_ids)
    for _ in range(ROUNDS):
        for statuses in ([Status.QUEUED], [Status.RUNNING], [Status.PROCESSED, Status.FAILED, Status.CANCELLED]):
            if statuses == [Status.RUNNING]:
                cancelling.stop(session, list(left))
            about = {"ids": list(left), "statuses": statuses, "batch": batch_id, "priority": priority}
            left.difference_update(session.scalars(text(_ANEW), about))
            if not left:
                return
    raise Transient("This is in work right now. Try again in a moment.")


ROUNDS = 5

_ANEW = """
WITH chosen AS (
    SELECT d.tenant_id, d.doc_id FROM documents d
    WHERE d.doc_id = ANY(:ids) AND d.processing_status = ANY(:statuses)
    ORDER BY d.doc_id FOR UPDATE
)
UPDATE documents d SET
    processing_status = 'queued', error_code = NULL, error_detail = NULL, queued_at = now(), started_at = NULL,
    batch_id = coalesce(CAST(:batch AS uuid), d.batch_id),
    lane = coalesce(CAST(:batch AS uuid), '00000000-0000-0000-0000-000000000000'),
    priority = :priority, express = false
FROM chosen c WHERE d.tenant_id = c.tenant_id AND d.doc_id = c.doc_id
RETURNING d.doc_id
"""


def versions(session: Session, doc_id: UUID) -> list[DocumentVersion]:
    """Return the document's versions, newest first. Raises NotFound."""
    documents.get(session, doc_id)
    wanted = select(DocumentVersion).where(DocumentVersion.doc_id == doc_id).order_by(DocumentVersion.version.desc())
    return list(session.scalars(wanted))


def _chosen(session: Session, chosen: Chosen) -> list[UUID]:
    if chosen.ids is not None:
        ids = list(dict.fromkeys(chosen.ids))
        if len(documents.many(session, ids)) < len(ids):
            raise NotFound("There is no document with one of these ids.")
        return ids
    query = select(Document.doc_id)
    if chosen.batch_id is not None:
        items = select(BatchItem.doc_id).where(BatchItem.batch_id == chosen.batch_id, BatchItem.doc_id.is_not(None))
        query = query.where(Document.doc_id.in_(items))
    if chosen.stale_to is not None:
        return list(session.scalars(text(_STALE), _stale(*chosen.stale_to)))
    return list(session.scalars(query))


def _stale(model: str, sizes: Sizes) -> dict[str, object]:
    return {
        "model": model,
        "tokens": sizes.tokens,
        "overlap": sizes.overlap,
        "first_tokens": FIRST_SIZES.tokens,
        "first_overlap": FIRST_SIZES.overlap,
    }


# An edit may have been embedded by another model than the rest of its document.
_STALE = """
SELECT d.doc_id FROM documents d
JOIN document_versions v ON v.tenant_id = d.tenant_id AND v.doc_id = d.doc_id AND v.version = d.version
WHERE v.embedding_model IS DISTINCT FROM :model
   OR coalesce((v.options->>'chunk_tokens')::int, :first_tokens) <> :tokens
   OR coalesce((v.options->>'chunk_overlap')::int, :first_overlap) <> :overlap
   OR d.doc_id IN (SELECT c.doc_id FROM document_chunks c JOIN corpus_models m
                   ON m.tenant_id = c.tenant_id AND m.embedding_model = c.embedding_model
                   WHERE m.chunks > 0 AND m.embedding_model <> :model)
"""


def _queue(session: Session, ids: Sequence[UUID], wanted: Wanted, about: dict[str, Any]) -> list[UUID]:
    """Queue those of the documents that are not in work, and return which they are.

    In the order of their ids, as whoever else locks several of them.
    """
    facts = {
        **about,
        "ids": list(ids),
        "reread": wanted.reread,
        "chunk_tokens": wanted.chunk_tokens,
        "chunk_overlap": wanted.chunk_overlap,
    }
    return list(session.scalars(text(_QUEUE), facts))


# One that never was processed has nothing to be taken from: it is read. So is an entry, whose row may say more
# than its last version.
_QUEUE = """
WITH chosen AS (
    SELECT d.tenant_id, d.doc_id FROM documents d
    WHERE d.doc_id = ANY(:ids) AND d.processing_status NOT IN ('queued', 'running')
    ORDER BY d.doc_id FOR UPDATE
)
UPDATE documents d SET
    processing_status = 'queued', error_code = NULL, error_detail = NULL, queued_at = now(), started_at = NULL,
    batch_id = coalesce(CAST(:lane AS uuid), d.batch_id),
    lane = coalesce(CAST(:lane AS uuid), '00000000-0000-0000-0000-000000000000'),
    wanted = jsonb_strip_nulls(jsonb_build_object(
        'from_version', CASE WHEN d.version > 0 AND NOT :reread AND d.source = 'document_chunks' THEN d.version END,
        'chunk_tokens', CAST(:chunk_tokens AS int), 'chunk_overlap', CAST(:chunk_overlap AS int)))
FROM chosen c WHERE d.tenant_id = c.tenant_id AND d.doc_id = c.doc_id
RETURNING d.doc_id
"""
