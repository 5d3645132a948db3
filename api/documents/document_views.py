"""Documents as clients see them: where each stands, why it waits, why it failed and what to do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipelines.stores.events import reaching_redis
from pipelines.stores.ingest import whereabouts
from pipelines.stores.ingest.whereabouts import Progress
from pipelines.stores.knowledge.labels import tags_of
from pipelines.stores.redis import get_redis
from schemas.errors.tree import AuraError
from schemas.requests.documents.documents import DocumentView
from schemas.tables.batches import Batch, BatchState
from schemas.tables.knowledge import Document, DocumentVersion, Status
from workers.process.presence import live_queues

ADMITTING = "upkeep"
ENDED_BADLY = (Status.FAILED, Status.CANCELLED)


def document_view(session: Session, document: Document) -> DocumentView:
    """Return one document as clients see it."""
    return document_views(session, [document])[0]


def document_views(session: Session, documents: Sequence[Document]) -> list[DocumentView]:
    """Return documents as clients see them, in the order given; the questions asked do not grow with their number."""
    there = _Around(session, documents)
    return [_view(document, there) for document in documents]


def remedy_of(code: str | None) -> tuple[str | None, bool]:
    """Return what can be done about what failed with `code`, and whether the same may do better in another try."""
    error = AuraError.by_code(code or "")
    return error.remedy or None, error.may_pass


class _Around:
    """What else has to be known of these documents, read at once."""

    def __init__(self, session: Session, documents: Sequence[Document]) -> None:
        running = [document for document in documents if document.processing_status == Status.RUNNING]
        failed = [document for document in documents if document.processing_status in ENDED_BADLY]
        self.progress = whereabouts.progress(session, [*running, *failed])
        self.places = whereabouts.places(session, documents)
        self.paused = _paused(session, {document.lane for document in documents})
        self.models = _models(session, documents)

    @cached_property
    def live(self) -> frozenset[str]:
        """Return the queues that have a worker."""
        with reaching_redis():
            return frozenset(live_queues(get_redis()))


def _paused(session: Session, lanes: set[UUID]) -> set[UUID]:
    wanted = select(Batch.batch_id).where(Batch.batch_id.in_(lanes), Batch.state == BatchState.PAUSED)
    return set(session.scalars(wanted)) if lanes else set()


def _models(session: Session, documents: Sequence[Document]) -> dict[UUID, str | None]:
    rows = session.execute(
        select(DocumentVersion.doc_id, DocumentVersion.embedding_model)
        .join(Document, Document.doc_id == DocumentVersion.doc_id)
        .where(DocumentVersion.doc_id.in_([document.doc_id for document in documents]))
        .where(DocumentVersion.version == Document.version)
    )
    return {row.doc_id: row.embedding_model for row in rows}


def _view(document: Document, there: _Around) -> DocumentView:
    status, progress = document.processing_status, there.progress.get(document.doc_id)
    is_running = status == Status.RUNNING
    remedy, retryable = remedy_of(document.error_code) if status in ENDED_BADLY else (None, None)
    return DocumentView(
        id=document.doc_id,
        filename=document.filename,
        folder=document.folder,
        source_url=document.source_url,
        batch_id=document.batch_id,
        file_type=document.file_type,
        file_size=document.file_size,
        title=document.title,
        status=status,  # type: ignore[arg-type]
        searchable=document.version > 0,
        priority=document.priority,
        position=there.places.get(document.doc_id),
        stage=progress.stage if progress and is_running else None,
        done=progress.done if progress and is_running else None,
        total=progress.total if progress and is_running else None,
        worker=progress.holder if progress and is_running else None,
        attempts=progress.attempts if progress else None,
        started_at=document.started_at,
        waiting_for=_reason(document, progress, there),
        code=document.error_code,
        detail=document.error_detail,
        remedy=remedy,
        retryable=retryable,
        assistant_key=document.assistant_key,
        tags=tags_of(document),
        version=document.version,
        pages=document.pages,
        chunks=document.chunks_count,
        tokens=document.tokens_count,
        embedding_model=there.models.get(document.doc_id),
        content_preview=document.content_preview,
        created_at=document.created_at,
        processed_at=document.processed_at,
    )


def _reason(document: Document, progress: Progress | None, there: _Around) -> str | None:
    """Return in words what an unfinished document waits for; None while it is being worked on."""
    if document.processing_status == Status.QUEUED:
        if document.lane in there.paused:
            return "its batch, which is paused"
        if ADMITTING not in there.live:
            return _no_worker(ADMITTING)
        before = there.places.get(document.doc_id, 0)
        return f"its turn: {before} of your documents are before it" if before else "its turn"
    if document.processing_status != Status.RUNNING or progress is None or progress.holder:
        return None
    if progress.due_at and progress.due_at > datetime.now(UTC):
        said = document.error_detail or "The last try did not work."
        return f"{said} It is tried again at {progress.due_at.astimezone(UTC):%H:%M:%S} UTC."
    return f"a free worker for `{progress.queue}`" if progress.queue in there.live else _no_worker(progress.queue)


def _no_worker(queue: str) -> str:
    return f"a worker: none is running for `{queue}`"
