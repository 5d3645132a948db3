"""Accepting uploads: files that have been checked and stored become documents, each once, as queued work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Table, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipelines.stores import sealing
from schemas.tables.knowledge import NO_LANE, Document, Status, units_of

ROWS_AT_ONCE = 500
ENDED_BADLY = (Status.FAILED, Status.CANCELLED)


@dataclass(frozen=True)
class Upload:
    """A file that has been checked and stored, about to become the document `doc_id`."""

    user_id: str
    filename: str
    file_type: str
    file_size: int
    content_sha256: str
    assistant_key: str | None = None
    folder: str = ""
    source_url: str | None = None
    title: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    doc_id: UUID = field(default_factory=uuid4)

    @property
    def content(self) -> tuple[str, str]:
        """Return what is one document for a tenant: the assistant and the digest of the bytes."""
        return self.assistant_key or "", self.content_sha256


def known(session: Session, tenant_id: UUID, upload: Upload) -> Document | None:
    """Return the document that has the same bytes for the same assistant, if there is one."""
    return known_many(session, tenant_id, [upload]).get(upload.content)


def known_many(session: Session, tenant_id: UUID, uploads: Iterable[Upload]) -> dict[tuple[str, str], Document]:
    """Return the documents that have the same bytes for the same assistant, by `Upload.content`."""
    digests: dict[str, list[str]] = {}
    for upload in uploads:
        digests.setdefault(upload.assistant_key or "", []).append(upload.content_sha256)
    found: dict[tuple[str, str], Document] = {}
    for assistant_key, wanted in digests.items():
        rows = session.scalars(
            select(Document).where(
                Document.tenant_id == tenant_id,
                func.coalesce(Document.assistant_key, text("''")) == assistant_key,
                Document.content_sha256.in_(wanted),
            ),
            execution_options={"populate_existing": True},
        )
        found |= {(assistant_key, document.content_sha256): document for document in rows}
    return found


def accept(
    session: Session, tenant_id: UUID, upload: Upload, batch_id: UUID | None = None, priority: int = 0
) -> tuple[Document, bool]:
    """Commit one upload as queued work; as `accept_many`."""
    return accept_many(session, tenant_id, [upload], batch_id, priority)[0]


def accept_many(
    session: Session, tenant_id: UUID, uploads: Sequence[Upload], batch_id: UUID | None = None, priority: int = 0
) -> list[tuple[Document, bool]]:
    """Commit uploads as queued work; return their documents, in the order given, and whether each is new.

    The same bytes for the same assistant are one document, also among the uploads and when two callers
    race; one that had failed or was cancelled is queued again, as part of this batch.
    """
    new: set[UUID] = set()
    # In the order of the unique index, so that two callers with the same files do not wait in a circle.
    ordered = sorted(uploads, key=lambda upload: upload.content)
    for start in range(0, len(ordered), ROWS_AT_ONCE):
        rows = [_row(tenant_id, upload, batch_id, priority) for upload in ordered[start : start + ROWS_AT_ONCE]]
        inserted = session.execute(insert(_documents()).on_conflict_do_nothing().returning(_documents().c.doc_id), rows)
        new |= set(inserted.scalars())
    there = known_many(session, tenant_id, uploads)
    again = {upload.content: upload for upload in uploads if there[upload.content].processing_status in ENDED_BADLY}
    for content, upload in again.items():
        queue_again(session, there[content], batch_id, priority)
        if upload.password:
            there[content].password_sealed = seal_password(tenant_id, there[content].doc_id, upload.password)
    session.flush()
    return [(there[upload.content], upload.doc_id in new) for upload in uploads]


def queue_again(session: Session, document: Document, batch_id: UUID | None, priority: int) -> None:
    """Queue a document that failed or was cancelled, at the end of its lane."""
    document.processing_status, document.error_code, document.error_detail = Status.QUEUED, None, None
    document.batch_id, document.priority = batch_id, priority
    document.lane = batch_id or UUID(NO_LANE)
    document.queued_at = session.scalar(select(func.now()))  # type: ignore[assignment]
    document.started_at = None


def queue_all_again(session: Session, doc_ids: Sequence[UUID], batch_id: UUID | None, priority: int) -> list[UUID]:
    """Queue those of these documents that failed or were cancelled, as one act; return which they are."""
    changed = session.execute(
        update(Document)
        .where(Document.doc_id.in_(doc_ids), Document.processing_status.in_(ENDED_BADLY))
        .values(
            processing_status=Status.QUEUED,
            error_code=None,
            error_detail=None,
            batch_id=batch_id,
            lane=batch_id or UUID(NO_LANE),
            priority=priority,
            queued_at=func.now(),
            started_at=None,
        )
        .returning(Document.doc_id)
        .execution_options(synchronize_session=False)
    )
    return list(changed.scalars())


def seal_password(tenant_id: UUID, doc_id: UUID, password: str) -> str:
    """Return a file's password sealed, so that it opens for this document of this tenant only."""
    return sealing.seal(password, tenant_id, f"document:{doc_id}")


def password_of(document: Document) -> str | None:
    """Return the password that came with a document's file, if one did. Raises Unsealable."""
    if document.password_sealed is None:
        return None
    return sealing.unseal(document.password_sealed, document.tenant_id, f"document:{document.doc_id}")


def _row(tenant_id: UUID, upload: Upload, batch_id: UUID | None, priority: int) -> dict[str, Any]:
    sealed = seal_password(tenant_id, upload.doc_id, upload.password) if upload.password else None
    return {
        "tenant_id": tenant_id,
        "doc_id": upload.doc_id,
        "user_id": upload.user_id,
        "filename": upload.filename,
        "file_type": upload.file_type,
        "file_size": upload.file_size,
        "content_sha256": upload.content_sha256,
        "assistant_key": upload.assistant_key,
        "title": upload.title,
        "metadata": upload.metadata,
        "batch_id": batch_id,
        "lane": batch_id or UUID(NO_LANE),
        "priority": priority,
        "units": units_of(upload.file_type, upload.file_size),
        "folder": upload.folder,
        "source_url": upload.source_url,
        "password_sealed": sealed,
    }


def _documents() -> Table:
    table = Document.__table__
    assert isinstance(table, Table)
    return table
