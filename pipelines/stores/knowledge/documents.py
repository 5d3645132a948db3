"""Documents: starting them, keeping what is learned of them, letting their newest version answer, deleting them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import cast, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Session

from pipelines.stores.ingest.parts import Part, StageRef
from schemas.errors.providers import ProviderUnavailable
from schemas.errors.requests import NotFound
from schemas.tables.knowledge import UPLOADED, Document, DocumentStage, DocumentVersion, Stage
from schemas.tables.tenancy import Tenant

BUNDLE_UNITS = 100
"""Small documents that start together: one embedding request carries their texts."""

EXPRESS_PLACES = 4


def get(session: Session, doc_id: UUID) -> Document:
    """Return the tenant's document. Raises NotFound."""
    document = session.scalar(select(Document).where(Document.doc_id == doc_id))
    if document is None:
        raise NotFound("There is no document with this id.")
    return document


def uploaded(session: Session, doc_id: UUID) -> Document:
    """Return a document proper; what makes an entry findable is changed with that. Raises NotFound."""
    document = get(session, doc_id)
    if document.source != UPLOADED:
        raise NotFound("There is no document with this id.")
    return document


def many(session: Session, doc_ids: Collection[UUID]) -> dict[UUID, Document]:
    """Return the tenant's documents by their ids; those that are gone are not there."""
    return {found.doc_id: found for found in session.scalars(select(Document).where(Document.doc_id.in_(doc_ids)))}


def tagged(session: Session, tenant_id: UUID, tags: Sequence[str]) -> list[UUID]:
    """Return the tenant's documents that have any of these tags in their metadata."""
    has_any = func.jsonb_exists_any(Document.metadata_["tags"], cast(list(tags), ARRAY(TEXT)))
    return list(session.scalars(select(Document.doc_id).where(Document.tenant_id == tenant_id, has_any)))


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
                "UPDATE documents SET title = coalesce(metadata->>'title', :title), content_preview = :preview,"
                " pages = :pages WHERE tenant_id = :tenant AND doc_id = :doc"
            ),
            rows,
        )


@dataclass(frozen=True)
class Sizes:
    """How long a document's chunks are at most, and how much each repeats of the one before, in tokens."""

    tokens: int
    overlap: int


def options(session: Session, refs: Sequence[StageRef]) -> dict[UUID, dict[str, Any]]:
    """Return, by document, with which options the versions are made."""
    rows = session.execute(
        select(DocumentVersion.doc_id, DocumentVersion.options)
        .where(DocumentVersion.tenant_id == refs[0].tenant_id)
        .where(tuple_(DocumentVersion.doc_id, DocumentVersion.version).in_([(ref.doc_id, ref.version) for ref in refs]))
    )
    return dict(rows.tuples().all())


def cut_to(session: Session, cut: Mapping[StageRef, Sizes]) -> None:
    """Keep to which sizes the versions are cut."""
    for sizes in set(cut.values()):
        refs = [ref for ref, of in cut.items() if of == sizes]
        noted = {"chunk_tokens": sizes.tokens, "chunk_overlap": sizes.overlap}
        session.execute(
            update(DocumentVersion)
            .where(DocumentVersion.tenant_id == refs[0].tenant_id)
            .where(
                tuple_(DocumentVersion.doc_id, DocumentVersion.version).in_([(ref.doc_id, ref.version) for ref in refs])
            )
            .values(options=DocumentVersion.options.concat(noted))
            .execution_options(synchronize_session=False)
        )


def embedded_by(session: Session, model: str, asked: Mapping[StageRef, int]) -> None:
    """Keep which model embeds the versions, and for how many of their chunks it was `asked`.

    Raises ProviderUnavailable where another part of a version was embedded by another model: then it is done again.
    """
    rows = [
        {"tenant": ref.tenant_id, "doc": ref.doc_id, "version": ref.version, "model": model, "asked": count}
        for ref, count in asked.items()
    ]
    if not rows:
        return
    done = session.execute(
        text(
            "UPDATE document_versions SET embedding_model = :model, embedded_count = embedded_count + :asked"
            " WHERE tenant_id = :tenant AND doc_id = :doc AND version = :version"
            " AND coalesce(embedding_model, :model) = :model"
        ),
        rows,
    )
    # Documents of several parts come alone.
    if len(rows) == 1 and not done.rowcount:  # type: ignore[attr-defined]
        raise ProviderUnavailable("The embedding model was changed while this document was in work.")


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
    # A worker that completes a part locks its row first and the document's then: so do we, or the two block each other.
    session.execute(select(DocumentStage.part).where(DocumentStage.doc_id == doc_id).with_for_update())
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
