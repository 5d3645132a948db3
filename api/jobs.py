"""Jobs: anything a client can wait for. A document's ingest and a turn go by their own ids."""

import re
import time
from typing import Any
from uuid import UUID

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from sqlalchemy.orm import Session

from api import sse
from api.auth import Caller, caller
from api.live import relay
from api.openapi_parts import EVENTS
from api.permissions import allows
from api.turns import cancel_turn, ends, last_event
from pipelines.stores import documents, turns
from pipelines.stores.database import tenant_session
from pipelines.stores.events import reaching_redis
from pipelines.stores.redis import get_redis
from schemas.dialogue import Turn
from schemas.errors import AuraError, NotFound, NotReady
from schemas.events import TERMINAL, Event, EventName, Subject
from schemas.identity import Permission
from schemas.knowledge import Document, Stage, Status
from schemas.requests import DocumentView, IdPath, JobView
from workers.presence import live_queues

blueprint = APIBlueprint("jobs", __name__, url_prefix="/api/jobs", abp_tags=[Tag(name="jobs")])

MAX_WAIT_S = 300.0


@blueprint.get("/<uuid:id>", responses={200: JobView})
@allows(Permission.SELF)
def show(path: IdPath) -> dict[str, Any]:
    """Return how far a job is and, when it has ended, its result."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        try:
            view = document_view(session, _document(session, path.id, asking))
            ended = view.status in (Status.PROCESSED, Status.FAILED)
            return _job(path.id, "document", view.status, ended, view.model_dump(mode="json"))
        except NotFound:
            turn = _turn(session, path.id, asking)
    ended = turn.status not in turns.OPEN
    result = turns.as_answer(turn) if turn.answer is not None else {}
    if turn.error_code:
        result |= {"code": turn.error_code, "detail": turn.error_detail}
    return _job(path.id, "turn", turn.status, ended, result)


@blueprint.get("/<uuid:id>/events", responses={200: {"description": "The events.", "content": EVENTS}})
@allows(Permission.SELF)
def events(path: IdPath) -> Response:
    """Stream the job's events (server-sent events) until it has ended; resume with `Last-Event-ID`."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        try:
            _document(session, path.id, asking)
        except NotFound:
            conversation_id = _turn(session, path.id, asking).conversation_id
            return sse.stream(
                Subject.conversation(asking.tenant_id, conversation_id),
                keep=lambda event: event.data.get("turn_id") == str(path.id),
                until=lambda event: ends(event, path.id),
                settled=lambda: last_event(asking, path.id),
            )
    return sse.stream(
        Subject.document(asking.tenant_id, path.id),
        until=lambda event: event.name in TERMINAL,
        settled=lambda: _last_event(asking, path.id),
    )


@blueprint.delete("/<uuid:id>", responses={200: JobView})
@allows(Permission.CHAT)
def cancel(path: IdPath) -> dict[str, Any]:
    """Cancel a turn. A document's ingest is cancelled by deleting the document."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        _turn(session, path.id, asking)
    if not cancel_turn(asking, path.id):
        raise NotReady("The job has ended already.")
    return show(path=path)


def preferred_wait_s() -> float | None:
    """Return N of the request's `Prefer: wait=N`, 300 at most; None where it does not wait."""
    found = re.search(r"\bwait=(\d{1,6})\b", request.headers.get("Prefer", ""))
    return min(MAX_WAIT_S, float(found[1])) if found else None


def finished_document(asking: Caller, doc_id: UUID, wait_s: float) -> Document | None:
    """Wait until the document is processed; None after `wait_s`. Raises the error it failed with."""
    deadline = time.monotonic() + wait_s
    with relay().follow(Subject.document(asking.tenant_id, doc_id)) as following:
        while True:
            with tenant_session(asking.tenant_id) as session:
                document = documents.get(session, doc_id)
            if document.processing_status == Status.PROCESSED:
                return document
            if document.processing_status == Status.FAILED:
                raise AuraError.by_code(document.error_code or "", document.error_detail)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            following.next(min(left, 5.0))


def document_view(session: Session, document: Document) -> DocumentView:
    """Return a document as clients see it, with its progress or the reason of its waiting."""
    running = document.processing_status in (Status.RUNNING, Status.QUEUED)
    progress = documents.progress(session, document.doc_id) if running else None
    return DocumentView(
        id=document.doc_id,
        filename=document.filename,
        file_type=document.file_type,
        file_size=document.file_size,
        title=document.title,
        status=document.processing_status,  # type: ignore[arg-type]
        stage=progress.stage if progress else None,
        done=progress.done if progress else None,
        total=progress.total if progress else None,
        waiting_for=_reason(session, document, progress.stage if progress else None) if running else None,
        code=document.error_code,
        detail=document.error_detail,
        assistant_key=document.assistant_key,
        version=document.version,
        chunks=document.chunks_count,
        tokens=document.tokens_count,
        content_preview=document.content_preview,
        created_at=document.created_at,
        processed_at=document.processed_at,
    )


def _reason(session: Session, document: Document, stage: Stage | None) -> str | None:
    """Return in words what an unfinished document waits for; None while it is being worked on."""
    if document.processing_status == Status.QUEUED:
        before = documents.waiting_before(session, document)
        return f"its turn: {before} of your documents are before it" if before else "its turn"
    if document.error_detail:
        return document.error_detail
    if stage is None:
        return None
    with reaching_redis():
        works = stage.value in live_queues(get_redis())
    return None if works else f"a worker: none is running for `{stage.value}`"


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
    if document.processing_status == Status.FAILED:
        found = {"code": document.error_code, "detail": document.error_detail}
        return Event(EventName.DOCUMENT_FAILED, subject, {**about, **found})
    return None


def _document(session: Session, doc_id: UUID, asking: Caller) -> Document:
    """Return the document, where the caller may read or upload documents. Raises NotFound."""
    if not asking.permissions & {Permission.DOCUMENTS_READ, Permission.DOCUMENTS_WRITE}:
        raise NotFound
    return documents.get(session, doc_id)


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
