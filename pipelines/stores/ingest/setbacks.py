"""When a part can not be done: it is put off, or its version is given up."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlalchemy.orm import Session

from pipelines.stores.ingest import pauses
from pipelines.stores.ingest.parts import MAX_DEFERRALS, Claim, StageRef
from pipelines.stores.ingest.stages import is_part
from schemas.errors.providers import RateLimited
from schemas.errors.tree import AuraError, Transient
from schemas.tables.knowledge import Document, DocumentStage, Status

LONGEST_WAIT_S = 300.0
"""Where nobody says how long, the waits double up to this."""


def defer(session: Session, claimed: Claim, error: Transient) -> bool:
    """Put the part off until the provider may answer again; the sweep starts it then.

    Returns False where it has been put off too often and the document must fail. Not counted as an
    attempt: the part did no harm. A part that is no longer ours is left alone.
    """
    ours = and_(is_part(claimed.ref), DocumentStage.lease_token == claimed.token)
    put_off = session.scalar(select(DocumentStage.deferrals).where(ours))
    if put_off is None:
        return True
    if put_off >= MAX_DEFERRALS:
        return False
    # What a provider asks for is waited out: `refusals` believes it up to ten minutes.
    wait_s = max(error.retry_after_s, min(LONGEST_WAIT_S, 2.0**put_off))
    deferred = session.execute(
        update(DocumentStage)
        .where(ours)
        .values(
            status=Status.QUEUED,
            lease_token=None,
            lease_until=None,
            attempts=DocumentStage.attempts - 1,
            deferrals=DocumentStage.deferrals + 1,
            due_at=func.now() + timedelta(seconds=wait_s),
            enqueued_at=text("'-infinity'"),
        )
        .returning(DocumentStage.part)
        .execution_options(synchronize_session=False)
    )
    if deferred.one_or_none() is None:
        return True
    waiting = {claimed.ref.doc_id}
    if isinstance(error, RateLimited):
        waiting |= pauses.put_off_others(session, claimed.ref, error.retry_after_s)
    pauses.explain(session, claimed.ref.tenant_id, waiting, error.code, error.detail)
    return True


def fail(session: Session, ref: StageRef, error: AuraError, token: UUID | None = None) -> bool:
    """Give the version up with a reason; its other parts stop. False where it had ended already.

    With the `token` of a claim also False where the part is no longer ours: a late worker decides nothing.
    """
    if token is not None and not _still_ours(session, ref, token):
        return False
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


def _still_ours(session: Session, ref: StageRef, token: UUID) -> bool:
    held = select(DocumentStage.part).where(is_part(ref), DocumentStage.lease_token == token)
    return session.scalar(held.with_for_update()) is not None


def _document(ref: StageRef) -> ColumnElement[bool]:
    return and_(Document.tenant_id == ref.tenant_id, Document.doc_id == ref.doc_id)
