"""Documents: accepting an upload, showing where it stands, replacing its chunks, deleting it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipelines.stores.stages import StageRef
from schemas.errors import NotFound
from schemas.knowledge import Document, DocumentStage, DocumentVersion, Stage, Status
from schemas.tenancy import Tenant


@dataclass(frozen=True)
class Upload:
    """A file that has been checked and stored, about to become a document."""

    user_id: str
    filename: str
    file_type: str
    file_size: int
    content_sha256: str
    assistant_key: str | None = None


@dataclass(frozen=True)
class Progress:
    """How far a stage is: `done` of `total` pages or chunks."""

    stage: Stage
    done: int
    total: int


def known(session: Session, tenant_id: UUID, upload: Upload) -> Document | None:
    """Return the document that has the same bytes for the same assistant, if there is one."""
    return session.scalar(
        select(Document).where(
            Document.tenant_id == tenant_id,
            func.coalesce(Document.assistant_key, "") == (upload.assistant_key or ""),
            Document.content_sha256 == upload.content_sha256,
        )
    )


def accept(session: Session, tenant_id: UUID, doc_id: UUID, upload: Upload) -> tuple[Document, bool]:
    """Commit the upload as queued work and return its document and whether it is new.

    The same bytes for the same assistant are one document, also when two uploads race; one that
    had failed is queued again.
    """
    session.execute(
        insert(Document)
        .values(
            tenant_id=tenant_id,
            doc_id=doc_id,
            user_id=upload.user_id,
            filename=upload.filename,
            file_type=upload.file_type,
            file_size=upload.file_size,
            content_sha256=upload.content_sha256,
            assistant_key=upload.assistant_key,
        )
        .on_conflict_do_nothing()
    )
    document = known(session, tenant_id, upload)
    assert document is not None
    if document.processing_status == Status.FAILED:
        document.processing_status, document.error_code, document.error_detail = Status.QUEUED, None, None
    return document, document.doc_id == doc_id


def get(session: Session, doc_id: UUID) -> Document:
    """Return the tenant's document. Raises NotFound."""
    document = session.scalar(select(Document).where(Document.doc_id == doc_id))
    if document is None:
        raise NotFound("There is no document with this id.")
    return document


def listing(session: Session, limit: int, after: tuple[datetime, UUID] | None = None) -> list[Document]:
    """Return the tenant's documents, newest first, `limit` at most, those older than `after`."""
    query = select(Document).order_by(Document.created_at.desc(), Document.doc_id.desc()).limit(limit)
    if after:
        query = query.where(tuple_(Document.created_at, Document.doc_id) < tuple_(*map(literal, after)))
    return list(session.scalars(query))


def progress(session: Session, doc_id: UUID) -> Progress | None:
    """Return how far the newest version's latest stage is, or None before it is admitted."""
    version = session.scalar(select(func.max(DocumentVersion.version)).where(DocumentVersion.doc_id == doc_id))
    if version is None:
        return None
    size = func.coalesce(DocumentStage.span_to - DocumentStage.span_from, 1)
    rows = session.execute(
        select(
            DocumentStage.stage,
            func.sum(size).filter(DocumentStage.status == Status.PROCESSED),
            func.sum(size),
        )
        .where(DocumentStage.doc_id == doc_id, DocumentStage.version == version)
        .group_by(DocumentStage.stage)
    )
    found = {Stage(stage): Progress(Stage(stage), int(done or 0), int(total)) for stage, done, total in rows}
    latest = [found[stage] for stage in Stage if stage in found]
    return latest[-1] if latest else None


def waiting_before(session: Session, document: Document) -> int:
    """Return how many of the tenant's documents are queued before this one."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Document)
            .where(Document.processing_status == Status.QUEUED, Document.created_at < document.created_at)
        )
        or 0
    )


def described(session: Session, ref: StageRef, title: str, preview: str) -> None:
    """Keep what extraction learned about a document."""
    session.execute(
        update(Document)
        .where(Document.tenant_id == ref.tenant_id, Document.doc_id == ref.doc_id)
        .values(title=title, content_preview=preview)
    )


def embedded_by(session: Session, ref: StageRef, model: str) -> None:
    """Keep which model embeds the version."""
    session.execute(update(DocumentVersion).where(_version(ref)).values(embedding_model=model))


def embedding_model(session: Session, ref: StageRef) -> str:
    """Return the model whose vectors the version has."""
    model = session.scalar(select(DocumentVersion.embedding_model).where(_version(ref)))
    if model is None:
        raise NotFound("The version has no vectors.")
    return model


def switch(session: Session, ref: StageRef, chunks: int, tokens: int) -> Document:
    """Make the ref's version the one that answers, and move the tenant's knowledge version."""
    document = get(session, ref.doc_id)
    document.version, document.processing_status = ref.version, Status.PROCESSED
    document.chunks_count, document.tokens_count = chunks, tokens
    document.error_code, document.error_detail = None, None
    document.processed_at = session.scalar(select(func.now()))
    touch_knowledge(session)
    return document


def touch_knowledge(session: Session) -> None:
    """Say that what the tenant knows has changed, so that no cache answers from before."""
    session.execute(update(Tenant).values(knowledge_version=Tenant.knowledge_version + 1))


def remove(session: Session, doc_id: UUID) -> None:
    """Delete the document's row and, by cascade, its versions, work and chunks. Raises NotFound."""
    gone = session.execute(delete(Document).where(Document.doc_id == doc_id).returning(Document.doc_id))
    if gone.one_or_none() is None:
        raise NotFound("There is no document with this id.")
    touch_knowledge(session)


def admit(session: Session, in_flight: int, per_tenant: int) -> list[StageRef]:
    """Start queued documents, fairly over all tenants, and return what is to be enqueued."""
    rows = session.execute(
        text("SELECT tenant_id, doc_id, version FROM admit_documents(:in_flight, :per_tenant)"),
        {"in_flight": in_flight, "per_tenant": per_tenant},
    )
    return [StageRef(tenant_id, doc_id, version, Stage.EXTRACT) for tenant_id, doc_id, version in rows]


def take_due(session: Session, idle: Sequence[str], at_most: int = 500) -> list[StageRef]:
    """Return parts that are due and that nobody holds, over all tenants, marked as enqueued now."""
    rows = session.execute(
        text("SELECT * FROM take_due_stages(:idle, :at_most)"), {"idle": list(idle), "at_most": at_most}
    )
    return [
        StageRef(tenant_id, doc_id, version, Stage(stage), part) for tenant_id, doc_id, version, stage, part in rows
    ]


def _version(ref: StageRef) -> ColumnElement[bool]:
    return and_(
        DocumentVersion.tenant_id == ref.tenant_id,
        DocumentVersion.doc_id == ref.doc_id,
        DocumentVersion.version == ref.version,
    )
