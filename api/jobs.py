"""Jobs: anything a client can wait for. A document's ingest, a batch and a turn go by their own ids."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from sqlalchemy.orm import Session

from api.dialogue.turns import cancel_turn, ends, last_event
from api.documents.arrivals import require_own
from api.documents.batch_views import batch_view
from api.documents.document_views import document_view
from api.door.auth import Caller, caller
from api.door.openapi_parts import EVENTS
from api.door.permissions import allows
from api.knowledge.evaluation_views import evaluation_view
from api.live import sse
from pipelines.stores.database import tenant_session
from pipelines.stores.events import Published
from pipelines.stores.ingest import accepting, batches, cancelling
from pipelines.stores.knowledge import documents, evaluations
from pipelines.stores.objects import ObjectStore, batch_prefix
from pipelines.stores.turns import turns
from schemas.errors.callers import Forbidden
from schemas.errors.requests import NotFound, NotReady
from schemas.errors.work import Cancelled
from schemas.events import TERMINAL, Event, EventName, Subject
from schemas.requests.common import IdPath, JobView
from schemas.settings import get_settings
from schemas.tables.batches import Batch, BatchState
from schemas.tables.dialogue import Turn
from schemas.tables.evaluation import Evaluation
from schemas.tables.identity import Permission
from schemas.tables.knowledge import Document, Status
from workers import announce, send
from workers import evaluation as evaluating
from workers.documents import batches as telling

blueprint = APIBlueprint("jobs", __name__, url_prefix="/api/jobs", abp_tags=[Tag(name="jobs")])
ENDED = (Status.PROCESSED, Status.FAILED, Status.CANCELLED)
BATCH_ENDED = (BatchState.COMPLETED, BatchState.CANCELLED)


@blueprint.get("/<uuid:id>", responses={200: JobView})
@allows(Permission.SELF)
def show(path: IdPath) -> dict[str, Any]:
    """Return how far a job is and, when it has ended, its result."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        found = _find(session, path.id, asking)
        if isinstance(found, Document):
            view = document_view(session, found)
            return _job(path.id, "document", view.status, view.status in ENDED, view.model_dump(mode="json"))
        if isinstance(found, Batch):
            whole = batch_view(session, found)
            return _job(path.id, "batch", whole.state, whole.state in BATCH_ENDED, whole.model_dump(mode="json"))
        if isinstance(found, Evaluation):
            run = evaluation_view(found)
            return _job(
                path.id, "evaluation", run.status, run.status not in evaluations.OPEN, run.model_dump(mode="json")
            )
    result = turns.as_answer(found) if found.answer is not None else {}
    if found.error_code:
        result |= {"code": found.error_code, "detail": found.error_detail}
    return _job(path.id, "turn", found.status, found.status not in turns.OPEN, result)


@blueprint.get("/<uuid:id>/events", responses={200: {"description": "The events.", "content": EVENTS}})
@allows(Permission.SELF)
def events(path: IdPath) -> Response:
    """Stream the job's events (server-sent events) until it has ended; resume with `Last-Event-ID`."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        found = _find(session, path.id, asking)
    if isinstance(found, Turn):
        return sse.stream(
            Subject.conversation(asking.tenant_id, found.conversation_id),
            keep=lambda event: event.data.get("turn_id") == str(path.id),
            until=lambda event: ends(event, path.id),
            settled=lambda: last_event(asking, path.id),
        )
    if isinstance(found, Evaluation):
        subject = Subject.evaluation(asking.tenant_id, path.id)
        settled = partial(evaluating.last_event, asking.tenant_id, path.id)
        return sse.stream(subject, until=lambda event: event.name in TERMINAL, settled=settled)
    is_batch = isinstance(found, Batch)
    subject = Subject.batch(asking.tenant_id, path.id) if is_batch else Subject.document(asking.tenant_id, path.id)
    last: Callable[[Caller, UUID], Event | None] = _last_event_of_batch if is_batch else _last_event

    def is_over(event: Published) -> bool:
        # The kept events of what was tried again begin with the end of the time before: the row knows better.
        return event.name in TERMINAL and (known := last(asking, path.id)) is not None and known.name == event.name

    return sse.stream(subject, until=is_over, settled=lambda: last(asking, path.id))


@blueprint.delete("/<uuid:id>", responses={200: JobView})
@allows(Permission.SELF)
def cancel(path: IdPath) -> dict[str, Any]:
    """Cancel a job that has not ended: a turn, a document's ingest, or a batch with all of it that is not processed.

    A document that answers already goes on doing so; one that was never processed stays listed as cancelled, and can
    be retried or deleted.
    """
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        found = _find(session, path.id, asking)
        if isinstance(found, Evaluation):
            if Permission.AI_WRITE not in asking.permissions:
                raise Forbidden
            evaluations.cancel(session, path.id)
        elif isinstance(found, Turn):
            if Permission.CHAT not in asking.permissions:
                raise Forbidden
        else:
            _require_write(asking, found)
        if isinstance(found, Document) and not cancelling.cancel_document(session, path.id):
            raise NotReady("The job has ended already.")
        if isinstance(found, Batch):
            found, _ = cancelling.cancel_batch(session, path.id)
    if isinstance(found, Turn) and not cancel_turn(asking, path.id):
        raise NotReady("The job has ended already.")
    if isinstance(found, Document):
        _tell_cancelled(found)
    if isinstance(found, Evaluation):
        announce.durably([evaluating.told(EventName.EVALUATION_CANCELLED, found, done=found.done)])
    if isinstance(found, Batch):
        ObjectStore(get_settings()).delete_prefix(batch_prefix(asking.tenant_id, path.id))
        announce.batch(EventName.BATCH_CANCELLED, asking.tenant_id, path.id, name=found.name)
        send.admission()
    return show(path=path)


@blueprint.post("/<uuid:id>/pause", responses={200: JobView})
@allows(Permission.DOCUMENTS_WRITE)
def pause(path: IdPath) -> dict[str, Any]:
    """Pause a batch: none of its documents is begun, those in work are finished."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        _require_write(asking, batches.get(session, path.id))
        batches.pause(session, path.id)
    return show(path=path)


@blueprint.post("/<uuid:id>/resume", responses={200: JobView})
@allows(Permission.DOCUMENTS_WRITE)
def resume(path: IdPath) -> dict[str, Any]:
    """Go on with a paused batch."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        _require_write(asking, batches.get(session, path.id))
        batch = batches.resume(session, path.id)
    if batch.intake:
        send.intake(asking.tenant_id, path.id)
    send.admission()
    return show(path=path)


@blueprint.post("/<uuid:id>/retry", responses={200: JobView})
@allows(Permission.DOCUMENTS_WRITE)
def retry(path: IdPath) -> dict[str, Any]:
    """Try again what failed or was cancelled: a document, or all such of a batch, with addresses that were refused."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        found = _find(session, path.id, asking)
        if isinstance(found, Evaluation):
            raise NotReady("An evaluation cannot be retried; make another.")
        if isinstance(found, Turn):
            raise NotReady("A turn cannot be retried; ask again.")
        _require_write(asking, found)
        if isinstance(found, Batch):
            found, _ = batches.retry(session, path.id)
        elif not accepting.queue_all_again(session, [path.id], None, found.priority):
            raise NotReady("This document has not failed.")
    if isinstance(found, Batch) and found.intake:
        send.intake(asking.tenant_id, path.id)
    send.admission()
    return show(path=path)


def _last_event(asking: Caller, doc_id: UUID) -> Event | None:
    """Return the event that a document's ingest ended with, as its row knows it; None while it goes on."""
    subject, about = Subject.document(asking.tenant_id, doc_id), {"doc_id": str(doc_id)}
    with tenant_session(asking.tenant_id) as session:
        try:
            document = documents.get(session, doc_id)
        except NotFound:
            return Event(EventName.DOCUMENT_DELETED, subject, about)
    if document.processing_status == Status.PROCESSED:
        found = {"filename": document.filename, "chunks": document.chunks_count, "tokens": document.tokens_count}
        return Event(EventName.DOCUMENT_PROCESSED, subject, {**about, **found})
    if document.processing_status in (Status.FAILED, Status.CANCELLED):
        found = {"code": document.error_code, "detail": document.error_detail}
        return Event(EventName.DOCUMENT_FAILED, subject, {**about, **found})
    return None


def _last_event_of_batch(asking: Caller, batch_id: UUID) -> Event | None:
    """Return the event that a batch ended with, as its row knows it; None while it goes on."""
    # Nothing was left to do, but nobody has said so yet.
    telling.settle(asking.tenant_id, [batch_id])
    subject = Subject.batch(asking.tenant_id, batch_id)
    with tenant_session(asking.tenant_id) as session:
        batch = batches.get(session, batch_id)
        if batch.state not in BATCH_ENDED:
            return None
        view = batch_view(session, batch)
    name = EventName.BATCH_COMPLETED if batch.state == BatchState.COMPLETED else EventName.BATCH_CANCELLED
    found = {"batch_id": str(batch_id), "name": batch.name, "state": batch.state, **view.totals.model_dump()}
    return Event(name, subject, {**found, "chunks": view.chunks})


def _tell_cancelled(document: Document) -> None:
    """Tell whoever follows a document that its work has ended, and complete its batch if it was the last of it."""
    code, detail = Cancelled.code, Cancelled.sentence()
    announce.document(EventName.DOCUMENT_FAILED, document.tenant_id, document.doc_id, code=code, detail=detail)
    if document.batch_id:
        telling.settle(document.tenant_id, [document.batch_id])
    send.admission()


def _find(session: Session, job_id: UUID, asking: Caller) -> Document | Batch | Evaluation | Turn:
    """Return what the job is, where the caller may see it. Raises NotFound."""
    if asking.permissions & {Permission.DOCUMENTS_READ, Permission.DOCUMENTS_WRITE}:
        for get in (documents.get, batches.get):
            try:
                return get(session, job_id)  # type: ignore[no-any-return]
            except NotFound:
                continue
    if Permission.ANALYTICS_READ in asking.permissions:
        with suppress(NotFound):
            return evaluations.get(session, job_id)
    return _turn(session, job_id, asking)


def _require_write(asking: Caller, found: Document | Batch) -> None:
    if Permission.DOCUMENTS_WRITE not in asking.permissions:
        raise Forbidden(f"Your role or key does not allow this (it needs `{Permission.DOCUMENTS_WRITE}`).")
    require_own(asking, found)


def _turn(session: Session, turn_id: UUID, asking: Caller) -> Turn:
    """Return the turn, where the caller may see it: their own, or any for admins and keys. Raises NotFound."""
    try:
        if Permission.CHAT not in asking.permissions:
            raise NotFound
        return turns.get(session, turn_id, None if asking.sees_all else asking.user_id)
    except NotFound:
        raise NotFound("There is no job with this id.") from None


def _job(job_id: UUID, kind: str, status: str, finished: bool, result: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(job_id), "kind": kind, "status": status, "finished": finished, "result": result}
