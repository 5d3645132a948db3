"""Ingest work: claiming a part of a stage by lease, and committing its effect with what follows.

A worker that dies leaves a lease that runs out; a worker that comes back late finds its token
replaced and is refused. So every part takes effect once, however often it is started.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from schemas.errors import AuraError, LeaseLost, TooManyAttempts, Transient
from schemas.knowledge import Document, DocumentStage, DocumentVersion, Stage, Status

MAX_ATTEMPTS = {Stage.EXTRACT: 3, Stage.CHUNK: 3, Stage.EMBED: 6, Stage.STORE: 6}
"""Claims of one part that may end in silence before the document is given up.

A file can kill its parser, so three deaths condemn it. Clean text kills no embedder: there a death
is somebody else's fault, and a part of some seconds may meet it several times.
"""

MAX_DEFERRALS = 12
"""Times a part is put off because a provider does not answer: about an hour, doubling to 5 minutes."""


@dataclass(frozen=True)
class StageRef:
    """Names one part of one stage of one version of a document."""

    tenant_id: UUID
    doc_id: UUID
    version: int
    stage: Stage
    part: int = 0


@dataclass(frozen=True)
class Span:
    """A part that is to follow: pages (0-based, end excluded) or chunks."""

    start: int
    end: int


@dataclass(frozen=True)
class Claim:
    """A part that is ours until the lease runs out."""

    ref: StageRef
    token: UUID
    span: Span | None
    attempts: int


def claim(session: Session, ref: StageRef, lease_s: float) -> Claim | None:
    """Take the part for `lease_s` seconds; None where it is done, gone, not due or held by another.

    Raises TooManyAttempts at the claim after the last one allowed.
    """
    free = or_(DocumentStage.lease_until.is_(None), DocumentStage.lease_until < func.now())
    found = session.execute(
        update(DocumentStage)
        .where(_is(ref), DocumentStage.status.in_([Status.QUEUED, Status.RUNNING]), free)
        .where(DocumentStage.due_at <= func.now())
        .values(
            status=Status.RUNNING,
            attempts=DocumentStage.attempts + 1,
            lease_token=uuid4(),
            lease_until=func.now() + timedelta(seconds=lease_s),
        )
        .returning(DocumentStage.lease_token, DocumentStage.span_from, DocumentStage.span_to, DocumentStage.attempts)
    ).one_or_none()
    if found is None:
        return None
    token, span_from, span_to, attempts = found
    if attempts > MAX_ATTEMPTS[ref.stage]:
        raise TooManyAttempts
    assert token is not None
    return Claim(ref, token, None if span_from is None else Span(span_from, span_to), attempts)


def renew(session: Session, claimed: Claim, lease_s: float) -> bool:
    """Prolong the lease; False where it is ours no more."""
    done = session.execute(
        update(DocumentStage)
        .where(_is(claimed.ref), DocumentStage.lease_token == claimed.token)
        .values(lease_until=func.now() + timedelta(seconds=lease_s))
        .returning(DocumentStage.part)
    )
    return done.one_or_none() is not None


def split(session: Session, claimed: Claim, spans: Sequence[Span]) -> list[StageRef]:
    """Put one part for each span in place of this part, and return those to enqueue. Raises LeaseLost."""
    _complete(session, claimed, None)
    session.execute(delete(DocumentStage).where(_is(claimed.ref)))
    return _add(session, claimed.ref, claimed.ref.stage, spans)


def finish(
    session: Session,
    claimed: Claim,
    artefact: str | None,
    following: Stage | None,
    spans: Sequence[Span | None] = (None,),
) -> list[StageRef]:
    """Complete the part; where it was the last of its stage, add the next stage's parts.

    Returns what is to be enqueued after the commit. Raises LeaseLost.
    """
    _complete(session, claimed, artefact)
    if following is None or open_parts(session, claimed.ref):
        return []
    return _add(session, claimed.ref, following, spans)


def open_parts(session: Session, ref: StageRef) -> int:
    """Return how many parts of the ref's stage are not processed yet."""
    return (
        session.scalar(
            select(func.count())
            .select_from(DocumentStage)
            .where(_stage_of(ref, ref.stage), DocumentStage.status != Status.PROCESSED)
        )
        or 0
    )


def artefacts(session: Session, ref: StageRef, stage: Stage) -> list[str]:
    """Return the artefact names of a stage of the same version, in order of the parts."""
    found = session.scalars(
        select(DocumentStage.artefact)
        .where(_stage_of(ref, stage), DocumentStage.artefact.is_not(None))
        .order_by(DocumentStage.part)
    )
    return [name for name in found if name]


def done_of_total(session: Session, ref: StageRef) -> tuple[int, int]:
    """Return how many pages or chunks of the ref's stage are done, and of how many; a part without span is 1."""
    size = func.coalesce(DocumentStage.span_to - DocumentStage.span_from, 1)
    done, total = session.execute(
        select(func.sum(size).filter(DocumentStage.status == Status.PROCESSED), func.sum(size)).where(
            _stage_of(ref, ref.stage)
        )
    ).one()
    return int(done or 0), int(total or 0)


def defer(session: Session, claimed: Claim, error: Transient) -> bool:
    """Put the part off until the provider may answer again; the sweep starts it then.

    Returns False where it has been put off too often and the document must fail. Not counted as an
    attempt: the part did no harm.
    """
    put_off = session.scalar(select(DocumentStage.deferrals).where(_is(claimed.ref))) or 0
    if put_off >= MAX_DEFERRALS:
        return False
    wait_s = min(300.0, max(error.retry_after_s, 2.0**put_off))
    session.execute(
        update(DocumentStage)
        .where(_is(claimed.ref), DocumentStage.lease_token == claimed.token)
        .values(
            status=Status.QUEUED,
            lease_token=None,
            lease_until=None,
            attempts=DocumentStage.attempts - 1,
            deferrals=DocumentStage.deferrals + 1,
            due_at=func.now() + timedelta(seconds=wait_s),
            enqueued_at=text("'-infinity'"),
        )
    )
    session.execute(
        update(Document).where(_document(claimed.ref)).values(error_code=error.code, error_detail=error.detail)
    )
    return True


def fail(session: Session, ref: StageRef, error: AuraError) -> bool:
    """Give the version up with a reason; its other parts stop. False where it had ended already."""
    session.execute(
        update(DocumentStage)
        .where(DocumentStage.tenant_id == ref.tenant_id, DocumentStage.doc_id == ref.doc_id)
        .where(DocumentStage.version == ref.version, DocumentStage.status != Status.PROCESSED)
        .values(status=Status.FAILED, lease_token=None, lease_until=None)
    )
    ended = session.execute(
        update(Document)
        .where(_document(ref), Document.processing_status == Status.RUNNING)
        .values(processing_status=Status.FAILED, error_code=error.code, error_detail=error.detail)
        .returning(Document.doc_id)
    )
    return ended.one_or_none() is not None


def _complete(session: Session, claimed: Claim, artefact: str | None) -> None:
    ref = claimed.ref
    # The version's row is locked, so that of two last parts only one counts itself as the last.
    session.execute(
        select(DocumentVersion.version)
        .where(DocumentVersion.tenant_id == ref.tenant_id, DocumentVersion.doc_id == ref.doc_id)
        .where(DocumentVersion.version == ref.version)
        .with_for_update()
    )
    done = session.execute(
        update(DocumentStage)
        .where(_is(ref), DocumentStage.lease_token == claimed.token, DocumentStage.status == Status.RUNNING)
        .values(status=Status.PROCESSED, artefact=artefact, lease_token=None, lease_until=None)
        .returning(DocumentStage.part)
    )
    if done.one_or_none() is None:
        raise LeaseLost


def _add(session: Session, ref: StageRef, stage: Stage, spans: Sequence[Span | None]) -> list[StageRef]:
    refs = [StageRef(ref.tenant_id, ref.doc_id, ref.version, stage, part) for part in range(len(spans))]
    rows = [
        {
            "tenant_id": new.tenant_id,
            "doc_id": new.doc_id,
            "version": new.version,
            "stage": new.stage.value,
            "part": new.part,
            "span_from": span.start if span else None,
            "span_to": span.end if span else None,
        }
        for new, span in zip(refs, spans, strict=True)
    ]
    session.execute(insert(DocumentStage), rows)
    return refs


def _is(ref: StageRef) -> ColumnElement[bool]:
    return and_(_stage_of(ref, ref.stage), DocumentStage.part == ref.part)


def _stage_of(ref: StageRef, stage: Stage) -> ColumnElement[bool]:
    return and_(
        DocumentStage.tenant_id == ref.tenant_id,
        DocumentStage.doc_id == ref.doc_id,
        DocumentStage.version == ref.version,
        DocumentStage.stage == stage,
    )


def _document(ref: StageRef) -> ColumnElement[bool]:
    return and_(Document.tenant_id == ref.tenant_id, Document.doc_id == ref.doc_id)
