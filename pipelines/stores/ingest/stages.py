"""Ingest work: claiming parts of a stage by lease, and committing their effect with what follows.

A worker that dies leaves a lease that runs out; a worker that comes back late finds its token
replaced and is refused. So every part takes effect once, however often it is started. Parts of
several documents of one tenant are claimed and completed together: a bundle costs what one does.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, text, tuple_, update
from sqlalchemy.orm import Session

from pipelines.stores.ingest import pauses
from pipelines.stores.ingest.parts import EXPRESS, MAX_ATTEMPTS, Claim, Claimed, Made, Part, Span, StageRef
from schemas.tables.knowledge import DocumentStage, DocumentVersion, Stage, Status


def claim(session: Session, refs: Sequence[StageRef], lease_s: float, worker: str = "") -> Claimed:
    """Take the parts, all of one tenant and stage, for `lease_s` seconds.

    Parts that are done, gone, not due or held by another are in neither list. One claimed once more
    than is allowed is in `spent`, and no longer ours. Of a bundle only parts are taken that nobody has
    begun before: one of the others may be what stopped its worker, and each of them goes alone.
    """
    token = uuid4()
    free = or_(DocumentStage.lease_until.is_(None), DocumentStage.lease_until < func.now())
    if len(refs) > 1:
        # Also where a broker delivers a dead worker's message again.
        free = and_(free, DocumentStage.attempts == 0)
    rows = session.execute(
        update(DocumentStage)
        .where(is_among(refs), DocumentStage.status.in_([Status.QUEUED, Status.RUNNING]), free)
        .where(DocumentStage.due_at <= func.now())
        .values(
            status=Status.RUNNING,
            attempts=DocumentStage.attempts + 1,
            lease_token=token,
            lease_until=func.now() + timedelta(seconds=lease_s),
            started_at=func.coalesce(DocumentStage.started_at, func.now()),
            worker=worker,
            done=0,
        )
        .returning(
            DocumentStage.doc_id,
            DocumentStage.version,
            DocumentStage.part,
            DocumentStage.span_from,
            DocumentStage.span_to,
            DocumentStage.attempts,
            DocumentStage.queue,
        )
        .execution_options(synchronize_session=False)
    )
    named = {ref.key: ref for ref in refs}
    found = Claimed()
    for doc_id, version, part, start, end, attempts, queue in rows:
        ref = named[doc_id, version, part]
        if attempts > MAX_ATTEMPTS[ref.stage]:
            found.spent.append(ref)
        else:
            span = None if start is None else Span(start, end)
            found.ours.append(Claim(ref, token, span, attempts, queue))
    order = {ref.key: place for place, ref in enumerate(refs)}
    found.ours.sort(key=lambda ours: order[ours.ref.key])
    return found


def renew(session: Session, claims: Sequence[Claim], lease_s: float, done: Mapping[StageRef, int]) -> bool:
    """Prolong the leases of a bundle and note how many pages are done; False where none is ours any more."""
    first = claims[0]
    kept = session.execute(
        update(DocumentStage)
        .where(DocumentStage.tenant_id == first.ref.tenant_id, DocumentStage.lease_token == first.token)
        .values(lease_until=func.now() + timedelta(seconds=lease_s))
        .returning(DocumentStage.part)
        .execution_options(synchronize_session=False)
    ).all()
    for ref, pages in done.items():
        session.execute(
            update(DocumentStage)
            .where(is_part(ref), DocumentStage.lease_token == first.token)
            .values(done=pages)
            .execution_options(synchronize_session=False)
        )
    return bool(kept)


def bound_by_lease(session: Session, lease_s: float) -> None:
    """Let the database end this transaction where its worker falls silent for `lease_s` seconds.

    Its locks would outlive its lease: a worker that is frozen between two statements would hold up its
    documents, and while it stores all others of its tenant.
    """
    silence = {"ms": str(int(lease_s * 1000))}
    session.execute(text("SELECT set_config('idle_in_transaction_session_timeout', :ms, true)"), silence)


def split(session: Session, claimed: Claim, spans: Sequence[Span]) -> list[Part] | None:
    """Put one part for each span in place of this part and return them; None where the lease was lost."""
    if not complete(session, [Made(claimed)]):
        return None
    session.execute(delete(DocumentStage).where(is_part(claimed.ref)).execution_options(synchronize_session=False))
    return _add(session, [(claimed.ref, claimed.ref.stage, claimed.queue, spans)], {})


def complete(session: Session, made: Sequence[Made]) -> list[Made]:
    """Mark the parts as done with what they made and return those that were still ours.

    Locks the versions' rows, so that of two last parts of a stage only one counts itself as the last.
    """
    refs = [one.claim.ref for one in made]
    session.execute(
        select(DocumentVersion.version)
        .where(DocumentVersion.tenant_id == refs[0].tenant_id)
        .where(tuple_(DocumentVersion.doc_id, DocumentVersion.version).in_({(ref.doc_id, ref.version) for ref in refs}))
        .order_by(DocumentVersion.doc_id)
        .with_for_update()
    )
    done = set(
        session.execute(
            update(DocumentStage)
            .where(is_among(refs), DocumentStage.status == Status.RUNNING)
            .where(DocumentStage.lease_token == made[0].claim.token)
            .values(status=Status.PROCESSED, lease_token=None, lease_until=None)
            .returning(DocumentStage.doc_id, DocumentStage.version, DocumentStage.part)
            .execution_options(synchronize_session=False)
        )
        .tuples()
        .all()
    )
    kept = [one for one in made if one.claim.ref.key in done]
    _keep(session, kept)
    return kept


def follow(session: Session, made: Sequence[Made], units: Mapping[UUID, int]) -> list[Part]:
    """Add the next stage's parts of every document whose stage is done, and return what is to be enqueued.

    `units` says what each document counts in admission: those that count 1 travel in bundles.
    """
    going_on = [one for one in made if one.following is not None]
    if not going_on:
        return []
    still_open = _open_versions(session, [one.claim.ref for one in going_on])
    ready = {(one.claim.ref.doc_id, one.claim.ref.version): one for one in going_on}
    plans = [
        (one.claim.ref, one.following, one.claim.queue, one.spans)
        for key, one in ready.items()
        if key not in still_open and one.following is not None
    ]
    return _add(session, plans, units)


Kept = tuple[str, bytes | None]
"""What a part made: the name of its artefact, or its bytes."""


def artefacts(session: Session, refs: Collection[StageRef], stage: Stage) -> dict[UUID, list[Kept]]:
    """Return what a stage of the same versions made, by document, in order of the parts."""
    refs = list(refs)
    rows = session.execute(
        select(DocumentStage.doc_id, DocumentStage.artefact, DocumentStage.payload)
        .where(DocumentStage.tenant_id == refs[0].tenant_id, DocumentStage.stage == stage)
        .where(tuple_(DocumentStage.doc_id, DocumentStage.version).in_({(ref.doc_id, ref.version) for ref in refs}))
        .where(or_(DocumentStage.artefact.is_not(None), DocumentStage.payload.is_not(None)))
        .order_by(DocumentStage.doc_id, DocumentStage.part)
    )
    found: dict[UUID, list[Kept]] = {ref.doc_id: [] for ref in refs}
    for doc_id, name, payload in rows:
        found[doc_id].append((name or "", payload))
    return found


def progress_of(session: Session, refs: Sequence[StageRef]) -> dict[UUID, tuple[int, int]]:
    """Return, by document, how many pages or chunks of the refs' stage are done, and of how many."""
    size = func.coalesce(DocumentStage.span_to - DocumentStage.span_from, 1)
    rows = session.execute(
        select(
            DocumentStage.doc_id,
            func.coalesce(func.sum(size).filter(DocumentStage.status == Status.PROCESSED), 0),
            func.sum(size),
        )
        .where(DocumentStage.tenant_id == refs[0].tenant_id, DocumentStage.stage == refs[0].stage)
        .where(tuple_(DocumentStage.doc_id, DocumentStage.version).in_({(ref.doc_id, ref.version) for ref in refs}))
        .group_by(DocumentStage.doc_id)
    )
    return {doc_id: (int(done), int(total)) for doc_id, done, total in rows}


def forget_steps(session: Session, refs: Sequence[StageRef]) -> None:
    """Forget how versions that answer now were made, and the ones before them.

    What was extracted stays with the newest, to be cut anew without being read again.
    """
    for ref in refs:
        if ref.version > 1:
            session.execute(
                delete(DocumentStage)
                .where(DocumentStage.tenant_id == ref.tenant_id, DocumentStage.doc_id == ref.doc_id)
                .where(DocumentStage.version < ref.version)
                .execution_options(synchronize_session=False)
            )
    session.execute(
        update(DocumentStage)
        .where(DocumentStage.tenant_id == refs[0].tenant_id, DocumentStage.stage.in_([Stage.CHUNK, Stage.EMBED]))
        .where(tuple_(DocumentStage.doc_id, DocumentStage.version).in_({(ref.doc_id, ref.version) for ref in refs}))
        .where(DocumentStage.payload.is_not(None))
        .values(payload=None)
        .execution_options(synchronize_session=False)
    )


def _keep(session: Session, made: Sequence[Made]) -> None:
    """Write down the artefacts of completed parts."""
    rows = [
        {
            "tenant": one.claim.ref.tenant_id,
            "doc": one.claim.ref.doc_id,
            "version": one.claim.ref.version,
            "stage": one.claim.ref.stage.value,
            "part": one.claim.ref.part,
            "artefact": one.artefact,
            "payload": one.payload,
        }
        for one in made
        if one.artefact is not None or one.payload is not None
    ]
    if rows:
        session.execute(
            text(
                "UPDATE document_stages SET artefact = :artefact, payload = :payload WHERE tenant_id = :tenant"
                " AND doc_id = :doc AND version = :version AND stage = :stage AND part = :part"
            ),
            rows,
        )


def _open_versions(session: Session, refs: Sequence[StageRef]) -> set[tuple[UUID, int]]:
    rows = session.execute(
        select(DocumentStage.doc_id, DocumentStage.version)
        .where(DocumentStage.tenant_id == refs[0].tenant_id, DocumentStage.stage == refs[0].stage)
        .where(tuple_(DocumentStage.doc_id, DocumentStage.version).in_({(ref.doc_id, ref.version) for ref in refs}))
        .where(DocumentStage.status != Status.PROCESSED)
        .distinct()
    )
    return set(rows.tuples().all())


Plan = tuple[StageRef, Stage, str, Sequence[Span | None]]


def _add(session: Session, plans: Iterable[Plan], units: Mapping[UUID, int]) -> list[Part]:
    parts: list[Part] = []
    rows = []
    for ref, stage, before, spans in plans:
        queue = EXPRESS if before == EXPRESS and stage is not Stage.LISTEN else stage.value
        for part, span in enumerate(spans):
            new = StageRef(ref.tenant_id, ref.doc_id, ref.version, stage, part)
            size = span.end - span.start if span else 1
            parts.append(Part(new, queue, size, units.get(ref.doc_id, 0) == 1))
            rows.append(
                {
                    "tenant_id": new.tenant_id,
                    "doc_id": new.doc_id,
                    "version": new.version,
                    "stage": new.stage.value,
                    "part": new.part,
                    "span_from": span.start if span else None,
                    "span_to": span.end if span else None,
                    "queue": queue,
                }
            )
    if rows:
        session.execute(insert(DocumentStage), rows)
    pausing = pauses.hold_back(session, [part.ref for part in parts if part.ref.stage in pauses.ASKING])
    return [part for part in parts if part.ref.doc_id not in pausing]


def is_among(refs: Sequence[StageRef]) -> ColumnElement[bool]:
    first = refs[0]
    keys = tuple_(DocumentStage.doc_id, DocumentStage.version, DocumentStage.part)
    return and_(
        DocumentStage.tenant_id == first.tenant_id,
        DocumentStage.stage == first.stage,
        keys.in_([ref.key for ref in refs]),
    )


def is_part(ref: StageRef) -> ColumnElement[bool]:
    return is_among([ref])
