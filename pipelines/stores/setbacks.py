"""When a part can not be done: it is put off, or its version is given up."""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlalchemy.orm import Session

from pipelines.stores.parts import MAX_DEFERRALS, Claim, StageRef
from pipelines.stores.stages import is_part
from schemas.errors import AuraError, Transient
from schemas.knowledge import Document, DocumentStage, Status


def defer(session: Session, claimed: Claim, error: Transient) -> bool:
    """Put the part off until the provider may answer again; the sweep starts it then.

    Returns False where it has been put off too often and the document must fail. Not counted as an
    attempt: the part did no harm.
    """
    put_off = session.scalar(select(DocumentStage.deferrals).where(is_part(claimed.ref))) or 0
    if put_off >= MAX_DEFERRALS:
        return False
    wait_s = min(300.0, max(error.retry_after_s, 2.0**put_off))
    session.execute(
        update(DocumentStage)
        .where(is_part(claimed.ref), DocumentStage.lease_token == claimed.token)
        .values(
            status=Status.QUEUED,
            lease_token=None,
            lease_until=None,
            attempts=DocumentStage.attempts - 1,
            deferrals=DocumentStage.deferrals + 1,
            due_at=func.now() + timedelta(seconds=wait_s),
            enqueued_at=text("'-infinity'"),
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Document)
        .where(_document(claimed.ref))
        .values(error_code=error.code, error_detail=error.detail)
        .execution_options(synchronize_session=False)
    )
    return True


def fail(session: Session, ref: StageRef, error: AuraError) -> bool:
    """Give the version up with a reason; its other parts stop. False where it had ended already."""
    session.execute(
        update(DocumentStage)
        .where(DocumentStage.tenant_id == ref.tenant_id, DocumentStage.doc_id == ref.doc_id)
        .where(DocumentStage.version == ref.version, DocumentStage.status != Status.PROCESSED)
        .values(status=Status.FAILED, lease_token=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    ended = session.execute(
        update(Document)
        .where(_document(ref), Document.processing_status == Status.RUNNING)
        .values(processing_status=Status.FAILED, error_code=error.code, error_detail=error.detail, express=False)
        .returning(Document.doc_id)
        .execution_options(synchronize_session=False)
    )
    return ended.one_or_none() is not None


def _document(ref: StageRef) -> ColumnElement[bool]:
    return and_(Document.tenant_id == ref.tenant_id, Document.doc_id == ref.doc_id)
