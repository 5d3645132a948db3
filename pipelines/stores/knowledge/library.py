"""Finding documents among a tenant's: listings by what somebody asks for, and those that failed for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, literal, literal_column, select, tuple_
from sqlalchemy.orm import Session

from schemas.tables.knowledge import UPLOADED, Document, Status

ENDED_BADLY = (Status.FAILED, Status.CANCELLED)
Place = tuple[datetime, UUID]
# Written out, as the index of listings is of these only.
_IS_UPLOADED = Document.source == literal_column(f"'{UPLOADED}'")


@dataclass(frozen=True)
class Wanted:
    """What documents are asked for; None asks for all."""

    status: str | None = None
    code: str | None = None
    batch_id: UUID | None = None
    filename_part: str | None = None
    assistant_key: str | None = None
    tag: str | None = None


def listing(session: Session, limit: int, after: Place | None = None, wanted: Wanted | None = None) -> list[Document]:
    """Return the tenant's documents, newest first, `limit` at most, those older than `after`."""
    query = _older(select(Document).where(_IS_UPLOADED), after, limit)
    asked = wanted or Wanted()
    if asked.status:
        query = query.where(Document.processing_status == asked.status)
    if asked.code:
        query = query.where(Document.processing_status.in_(ENDED_BADLY), Document.error_code == asked.code)
    if asked.batch_id:
        query = query.where(Document.batch_id == asked.batch_id)
    if asked.filename_part:
        query = query.where(Document.filename.icontains(asked.filename_part, autoescape=True))
    if asked.assistant_key:
        query = query.where(Document.assistant_key == asked.assistant_key)
    if asked.tag:
        query = query.where(Document.metadata_["tags"].contains([asked.tag]))
    return list(session.scalars(query))


def dead(session: Session, limit: int, after: Place | None, code: str | None) -> list[Document]:
    """Return documents that failed for good, newest first, `limit` at most, those older than `after`."""
    query = _older(select(Document), after, limit).where(Document.processing_status == Status.FAILED)
    return list(session.scalars(query.where(Document.error_code == code) if code else query))


def dead_by_code(session: Session) -> dict[str, int]:
    """Return how many documents failed for good, by code, the most frequent first."""
    rows = session.execute(
        select(func.coalesce(Document.error_code, "error").label("code"), func.count().label("documents"))
        .where(Document.processing_status == Status.FAILED)
        .group_by(Document.error_code)
        .order_by(func.count().desc(), Document.error_code)
    )
    return {row.code: row.documents for row in rows}


def dead_ids(
    session: Session, at_most: int, ids: Sequence[UUID] | None, code: str | None, batch_id: UUID | None
) -> list[UUID]:
    """Return documents that failed for good and match all that is asked, oldest first."""
    query = select(Document.doc_id).where(Document.processing_status == Status.FAILED)
    if ids is not None:
        query = query.where(Document.doc_id.in_(ids))
    if code:
        query = query.where(Document.error_code == code)
    if batch_id:
        query = query.where(Document.batch_id == batch_id)
    return list(session.scalars(query.order_by(Document.created_at, Document.doc_id).limit(at_most)))


def _older(query: Select[tuple[Document]], after: Place | None, limit: int) -> Select[tuple[Document]]:
    ordered = query.order_by(Document.created_at.desc(), Document.doc_id.desc()).limit(limit)
    if after is None:
        return ordered
    return ordered.where(tuple_(Document.created_at, Document.doc_id) < tuple_(*map(literal, after)))
