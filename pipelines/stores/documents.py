"""Documents: accepting an upload, showing where it stands, replacing its chunks, deleting it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipelines.stores.parts import Part, StageRef
from schemas.errors import NotFound
from schemas.knowledge import Document, DocumentStage, DocumentVersion, Stage, Status
from schemas.tenancy import Tenant

BUNDLE_UNITS = 100
"""Small documents that start together: one embedding request carries their texts."""

EXPRESS_PLACES = 4


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


def many(session: Session, doc_ids: Collection[UUID]) -> dict[UUID, Document]:
    """Return the tenant's documents by their ids; those that are gone are not there."""
    return {found.doc_id: found for found in session.scalars(select(Document).where(Document.doc_id.in_(doc_ids)))}


@dataclass(frozen=True)
class Description:
    """What extraction learned about a document."""

    ref: StageRef
    title: str
    preview: str
    pages: int | None


def described(session: Session, found: Sequence[Description]) -> None:
    """Keep what extraction learned about documents."""
    rows = [
        {
            "tenant": one.ref.tenant_id,
            "doc": one.ref.doc_id,
            "title": one.title,
            "preview": one.preview,
            "pages": one.pages,
        }
        for one in found
    ]
    if rows:
        session.execute(
            text(
                "UPDATE documents SET title = :title, content_preview = :preview, pages = :pages"
                " WHERE tenant_id = :tenant AND doc_id = :doc"
            ),
            rows,
        )


def embedded_by(session: Session, model: str, asked: Mapping[StageRef, int]) -> None:
    """Keep which model embeds the versions, and for how many of their chunks it was `asked`."""
    rows = [
        {"tenant": ref.tenant_id, "doc": ref.doc_id, "version": ref.version, "model": model, "asked": count}
        for ref, count in asked.items()
    ]
    if rows:
        session.execute(
            text(
                "UPDATE document_versions SET embedding_model = :model, embedded_count = embedded_count + :asked"
                " WHERE tenant_id = :tenant AND doc_id = :doc AND version = :version"
            ),
            rows,
        )


def embedding_models(session: Session, refs: Sequence[StageRef]) -> dict[UUID, str]:
    """Return, by document, the model whose vectors the versions have."""
    rows = session.execute(
        select(DocumentVersion.doc_id, DocumentVersion.embedding_model)
        .where(DocumentVersion.tenant_id == refs[0].tenant_id)
        .where(tuple_(DocumentVersion.doc_id, DocumentVersion.version).in_([(ref.doc_id, ref.version) for ref in refs]))
    )
    return {doc_id: model for doc_id, model in rows if model}


@dataclass(frozen=True)
class Switch:
    """A version that is to answer from now on, with what it has."""

    ref: StageRef
    chunks: int
    tokens: int


def switch(session: Session, switched: Sequence[Switch]) -> None:
    """Make the versions the ones that answer, and move the tenant's knowledge version."""
    rows = [
        {
            "tenant": one.ref.tenant_id,
            "doc": one.ref.doc_id,
            "version": one.ref.version,
            "chunks": one.chunks,
            "tokens": one.tokens,
        }
        for one in switched
    ]
    session.execute(
        text(
            "UPDATE documents SET version = :version, processing_status = 'processed', chunks_count = :chunks,"
            " tokens_count = :tokens, error_code = NULL, error_detail = NULL, processed_at = now(), express = false,"
            " wanted = '{}' WHERE tenant_id = :tenant AND doc_id = :doc"
        ),
        rows,
    )
    session.execute(
        text(
            "UPDATE document_versions SET chunks_count = :chunks, processed_at = now()"
            " WHERE tenant_id = :tenant AND doc_id = :doc AND version = :version"
        ),
        rows,
    )
    touch_knowledge(session)


def touch_knowledge(session: Session) -> None:
    """Say that what the tenant knows has changed, so that no cache answers from before."""
    session.execute(update(Tenant).values(knowledge_version=Tenant.knowledge_version + 1))


def remove(session: Session, doc_id: UUID) -> None:
    """Delete the document's row and, by cascade, its versions, work and chunks. Raises NotFound."""
    gone = session.execute(delete(Document).where(Document.doc_id == doc_id).returning(Document.doc_id))
    if gone.one_or_none() is None:
        raise NotFound("There is no document with this id.")
    touch_knowledge(session)


def admit(session: Session, all_units: int, tenant_units: int) -> list[Part]:
    """Start queued documents, fairly over all tenants, and return what is to be enqueued.

    See `migrations/sql/0004_work.sql` for the rules.
    """
    rows = session.execute(
        text("SELECT * FROM admit_documents(:all, :tenant, :bundle, :express)"),
        {"all": all_units, "tenant": tenant_units, "bundle": BUNDLE_UNITS, "express": EXPRESS_PLACES},
    )
    return [
        Part(StageRef(tenant_id, doc_id, version, Stage.EXTRACT), queue, small=units == 1)
        for tenant_id, doc_id, version, queue, units in rows
    ]


def take_due(session: Session, idle: Sequence[str], at_most: int = 500) -> list[Part]:
    """Return parts that are due and that nobody holds, over all tenants, marked as enqueued now.

    One that was begun before goes alone: it may be what stopped its worker.
    """
    rows = session.execute(
        text("SELECT * FROM take_due_stages(:idle, :at_most)"), {"idle": list(idle), "at_most": at_most}
    )
    return [
        Part(
            StageRef(tenant_id, doc_id, version, Stage(stage), part),
            queue,
            texts,
            small=units == 1 and attempts == 0,
            alone=attempts > 0,
        )
        for tenant_id, doc_id, version, stage, part, queue, texts, units, attempts in rows
    ]
