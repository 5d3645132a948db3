"""When a provider asks to slow down, all of a tenant's parts that would ask it wait until it allows it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, select, text, tuple_, update
from sqlalchemy.orm import Session

from pipelines.stores.ingest.parts import StageRef
from schemas.errors.providers import RateLimited
from schemas.tables.knowledge import Document, DocumentStage, Stage, Status

ASKING = (Stage.EMBED, Stage.LISTEN)
"""Stages that ask a provider."""


def put_off_others(session: Session, ref: StageRef, wait_s: float) -> set[UUID]:
    """Let the tenant's parts that are queued for this stage wait `wait_s` seconds too, and return their documents."""
    due_at = session.scalar(select(func.now() + timedelta(seconds=wait_s)))
    assert due_at is not None
    # Another worker may be told the same just now: neither waits for the other.
    queued = session.execute(
        select(DocumentStage.doc_id, DocumentStage.version, DocumentStage.part)
        .where(DocumentStage.tenant_id == ref.tenant_id, DocumentStage.stage == ref.stage)
        .where(DocumentStage.status == Status.QUEUED, DocumentStage.due_at < due_at)
        .with_for_update(skip_locked=True)
    ).all()
    refs = [StageRef(ref.tenant_id, doc_id, version, ref.stage, part) for doc_id, version, part in queued]
    _wait(session, refs, due_at)
    return {each.doc_id for each in refs}


def hold_back(session: Session, refs: Sequence[StageRef]) -> set[UUID]:
    """Let new parts of one tenant and stage wait with those that wait already; return the documents that do."""
    if not refs:
        return set()
    first = refs[0]
    pause = session.execute(
        select(DocumentStage.due_at, Document.error_code, Document.error_detail)
        .join(Document, and_(Document.tenant_id == DocumentStage.tenant_id, Document.doc_id == DocumentStage.doc_id))
        .where(DocumentStage.tenant_id == first.tenant_id, DocumentStage.stage == first.stage)
        .where(DocumentStage.status == Status.QUEUED, DocumentStage.due_at > func.now())
        .where(Document.error_code == RateLimited.code)
        .order_by(DocumentStage.due_at)
        .limit(1)
    ).first()
    if pause is None:
        return set()
    due_at, code, detail = pause
    _wait(session, refs, due_at)
    explain(session, first.tenant_id, doc_ids := {ref.doc_id for ref in refs}, code, detail)
    return doc_ids


def explain(session: Session, tenant_id: UUID, doc_ids: set[UUID], code: str, detail: str) -> None:
    """Let the documents say what they wait for."""
    session.execute(
        update(Document)
        .where(Document.tenant_id == tenant_id, Document.doc_id.in_(doc_ids))
        .values(error_code=code, error_detail=detail)
        .execution_options(synchronize_session=False)
    )


def _wait(session: Session, refs: Sequence[StageRef], due_at: datetime) -> None:
    if not refs:
        return
    keys = tuple_(DocumentStage.doc_id, DocumentStage.version, DocumentStage.part)
    session.execute(
        update(DocumentStage)
        .where(DocumentStage.tenant_id == refs[0].tenant_id, DocumentStage.stage == refs[0].stage)
        .where(keys.in_([ref.key for ref in refs]))
        .values(due_at=due_at, enqueued_at=text("'-infinity'"))
        .execution_options(synchronize_session=False)
    )
