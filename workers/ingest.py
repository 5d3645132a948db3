"""extract → (listen) → chunk → embed → store: claim a bundle of parts, do the step, commit, tell, go on.

A message names parts of one tenant and one stage. What the steps do is in `workers/steps/`.
"""

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy.orm import Session

from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import setbacks, stages
from pipelines.stores.ingest.parts import Claim, Made, StageRef
from pipelines.stores.knowledge import chunks, documents
from pipelines.stores.objects import document_prefix
from schemas.errors.files import TooManyAttempts
from schemas.errors.providers import StoreUnavailable
from schemas.errors.tree import AuraError, Transient
from schemas.events import EventName
from schemas.settings import get_settings
from schemas.tables.knowledge import Document, Stage
from workers import announce, send, steps, wiring
from workers.app import app
from workers.documents import batches
from workers.process import leases
from workers.steps import Job, Pages, Result, Step

Named = list[tuple[str, int, int]]
"""Parts as a message names them: document, version, part."""

HOST = socket.gethostname()


@app.task(name="workers.ingest.extract")
def extract(tenant_id: str, parts: Named) -> None:
    """Read elements from the originals, or plan page ranges where one is long."""
    _run(Stage.EXTRACT, tenant_id, parts, steps.Extract())


@app.task(name="workers.ingest.listen")
def listen(tenant_id: str, parts: Named) -> None:
    """Write down what is said in some minutes of a recording."""
    _run(Stage.LISTEN, tenant_id, parts, steps.Listen())


@app.task(name="workers.ingest.chunk")
def chunk(tenant_id: str, parts: Named) -> None:
    """Cut the elements of all extract parts into chunks."""
    _run(Stage.CHUNK, tenant_id, parts, steps.Chunk())


@app.task(name="workers.ingest.embed")
def embed(tenant_id: str, parts: Named) -> None:
    """Embed the texts of the parts, in one request where they are few."""
    _run(Stage.EMBED, tenant_id, parts, steps.Embed())


@app.task(name="workers.ingest.store")
def store(tenant_id: str, parts: Named) -> None:
    """Replace the documents' chunks in one transaction; from then on they answer."""
    _run(Stage.STORE, tenant_id, parts, steps.Store())


def _run(stage: Stage, tenant_id: str, named: Named, step: Step) -> None:
    tenant = UUID(tenant_id)
    refs = [StageRef(tenant, UUID(doc_id), version, stage, part) for doc_id, version, part in named]
    lease_s = get_settings().stage_lease_s
    with tenant_session(tenant, durable=False) as session:
        claimed = stages.claim(session, refs, lease_s, f"{HOST}:{os.getpid()}")
        found = documents.many(session, [ours.ref.doc_id for ours in claimed.ours])
        spent = [_give_up(session, ref, TooManyAttempts()) for ref in claimed.spent]
    for ended in spent:
        _tell_end(ended)
    jobs = [Job(ours, found[ours.ref.doc_id]) for ours in claimed.ours if ours.ref.doc_id in found]
    if not jobs:
        return
    pages: Pages = {}
    with leases.kept(lambda: _renew(claimed.ours, lease_s, pages), lease_s / 4):
        _do(step, jobs, pages)


def _do(step: Step, jobs: Sequence[Job], pages: Pages) -> None:
    """Do the step, commit what was made, put off or give up the rest."""
    results: Sequence[Result]
    try:
        results = step.work(jobs, pages)
        _commit(step, jobs, results)
    except AuraError as error:
        if len(jobs) > 1 and not error.may_pass:
            # It may be about one of them, which must not take its neighbours with it.
            for half in (jobs[: len(jobs) // 2], jobs[len(jobs) // 2 :]):
                _do(type(step)(), half, pages)
            return
        # Nothing of a file: a store or a provider that is away, or a budget that is spent, is so for all.
        results = [error] * len(jobs)
    for job, result in zip(jobs, results, strict=True):
        if isinstance(result, Transient):
            _defer(job.claim, result)
        elif isinstance(result, AuraError):
            _fail(job.claim, result)


def _commit(step: Step, jobs: Sequence[Job], results: Sequence[Result]) -> None:
    """Commit what the parts made together with what follows, then wake who goes on, and tell."""
    made = [result for result in results if isinstance(result, Made)]
    plans = [(job.claim, result) for job, result in zip(jobs, results, strict=True) if isinstance(result, list)]
    if not made and not plans:
        return
    tenant_id = jobs[0].ref.tenant_id
    with tenant_session(tenant_id, durable=step.durable) as session:
        stages.bound_by_lease(session, get_settings().stage_lease_s)
        if step.is_last:
            # Before the versions' rows, in the order in which a deletion takes them.
            chunks.lock_corpus(session, tenant_id)
        kept = stages.complete(session, made) if made else []
        if kept:
            step.effect(session, kept)
        following = stages.follow(session, kept, {job.document.doc_id: job.document.units for job in jobs})
        following += [part for claimed, spans in plans for part in stages.split(session, claimed, spans) or []]
        told = step.events(session, jobs, kept) if kept else []
        tell = announce.owe(session, tenant_id, told)
    send.stages(following)
    tell()
    with suppress(StoreUnavailable):
        step.tidy(kept)
    if step.is_last:
        batches.settle(tenant_id, _batches(job.document for job in jobs))
        send.admission()
    _forget_deleted(made, kept)


def _batches(documents: Iterable[Document]) -> set[UUID]:
    return {document.batch_id for document in documents if document.batch_id is not None}


def _renew(claims: Sequence[Claim], lease_s: float, pages: Pages) -> bool:
    with tenant_session(claims[0].ref.tenant_id, durable=False) as session:
        return stages.renew(session, claims, lease_s, dict(pages))


def _defer(claimed: Claim, error: Transient) -> None:
    with tenant_session(claimed.ref.tenant_id) as session:
        put_off = setbacks.defer(session, claimed, error)
    if not put_off:
        _fail(claimed, error)


def _fail(claimed: Claim, error: AuraError) -> None:
    with tenant_session(claimed.ref.tenant_id) as session:
        ended = _give_up(session, claimed.ref, error, claimed.token)
    _tell_end(ended)


Ended = tuple[Document, Callable[[], None]]
"""A document that has failed, and what tells of it after the commit."""


def _give_up(session: Session, ref: StageRef, error: AuraError, token: UUID | None = None) -> Ended | None:
    if not setbacks.fail(session, ref, error, token):
        return None
    document = documents.get(session, ref.doc_id)
    told = [announce.about(EventName.DOCUMENT_FAILED, document, code=error.code, detail=error.detail)]
    return document, announce.owe(session, ref.tenant_id, told)


def _tell_end(ended: Ended | None) -> None:
    if ended is None:
        return
    document, tell = ended
    tell()
    batches.settle(document.tenant_id, _batches([document]))
    send.admission()


def _forget_deleted(made: Sequence[Made], kept: Sequence[Made]) -> None:
    """Remove what this worker wrote for documents that were deleted meanwhile."""
    lost = [one.claim.ref for one in made if one not in kept]
    if not lost:
        return
    with tenant_session(lost[0].tenant_id) as session:
        there = documents.many(session, [ref.doc_id for ref in lost])
    for ref in lost:
        if ref.doc_id not in there:
            wiring.objects().delete_prefix(document_prefix(ref.tenant_id, ref.doc_id))
