"""Documents: upload, list, look, delete."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from flask import Response, jsonify, request, url_for
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.datastructures import FileStorage

from api import jobs, limits
from api.auth import Caller, caller
from api.paging import cursor, number, position
from api.permissions import allows
from pipelines.ingest.sniff import HEAD_BYTES, file_type, safe_filename
from pipelines.stores import chunks, documents, turns
from pipelines.stores.database import tenant_session
from pipelines.stores.documents import Upload
from pipelines.stores.objects import ObjectStore, document_prefix, original_key
from schemas.errors import FileTooLarge, Forbidden, NoFile, QuotaExceeded
from schemas.events import EventName
from schemas.identity import Permission, Role
from schemas.knowledge import Document
from schemas.requests import (
    ChunkPage,
    ChunkView,
    DeletionReceipt,
    DocumentPage,
    DocumentView,
    IdPath,
    Listing,
    UploadAccepted,
    UploadForm,
)
from schemas.settings import get_settings
from workers import announce, send

blueprint = APIBlueprint("documents", __name__, url_prefix="/api/documents", abp_tags=[Tag(name="documents")])


@blueprint.post("/upload", responses={202: UploadAccepted, 200: UploadAccepted})
@allows(Permission.DOCUMENTS_WRITE)
def upload() -> Response:
    """Accept a file (form field `file`; optional `assistant_key`, `user_id`) and answer with its job.

    `Prefer: wait=N` waits up to N seconds and answers 200 once the document is searchable.
    """
    file = request.files.get("file")
    if file is None:
        raise NoFile
    # An empty field of a form is one that was left out.
    form = UploadForm.model_validate({name: value for name, value in request.form.items() if value})
    asking = caller(form.tenant_id, form.user_id)
    document = accept(asking, file, form.assistant_key)
    wait_s = jobs.preferred_wait_s()
    if wait_s is not None and (done := jobs.finished_document(asking, document.doc_id, wait_s)) is not None:
        return jsonify(_processed(done))
    response = jsonify(_accepted(document))
    response.status_code = 202
    response.headers["Location"] = url_for("jobs.show", id=document.doc_id)
    return response


@blueprint.get("", responses={200: DocumentPage})
@allows(Permission.DOCUMENTS_READ)
def listing(query: Listing) -> dict[str, Any]:
    """Return the tenant's documents, newest first."""
    with tenant_session(caller().tenant_id) as session:
        found = documents.listing(session, query.limit + 1, position(query.after))
        views = [jobs.document_view(session, document).model_dump(mode="json") for document in found[: query.limit]]
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {"documents": views, "next": cursor(last.created_at, last.doc_id) if last else None}


@blueprint.get("/<uuid:id>", responses={200: DocumentView})
@allows(Permission.DOCUMENTS_READ)
def show(path: IdPath) -> dict[str, Any]:
    """Return a document, where it stands and, if nothing moves, why."""
    with tenant_session(caller().tenant_id) as session:
        return jobs.document_view(session, documents.get(session, path.id)).model_dump(mode="json")


@blueprint.get("/<uuid:id>/chunks", responses={200: ChunkPage})
@allows(Permission.DOCUMENTS_READ)
def chunk_listing(path: IdPath, query: Listing) -> dict[str, Any]:
    """Return the document's chunks in order."""
    after = number(query.after) if query.after else -1
    with tenant_session(caller().tenant_id) as session:
        documents.get(session, path.id)
        found = chunks.listing(session, path.id, query.limit + 1, after)
    views = [
        ChunkView(
            chunk_id=chunk.chunk_id,
            chunk_index=chunk.chunk_index,
            chunk_type=chunk.chunk_type,
            text=chunk.chunk_text,
            token_count=chunk.token_count,
            heading_path=chunk.heading_path,
            page_from=chunk.page_from,
            page_to=chunk.page_to,
        ).model_dump(mode="json")
        for chunk in found[: query.limit]
    ]
    more = len(found) > query.limit
    return {"chunks": views, "next": str(found[query.limit - 1].chunk_index) if more else None}


@blueprint.delete("/<uuid:id>", responses={200: DeletionReceipt})
@allows(Permission.DOCUMENTS_WRITE)
def delete(path: IdPath) -> dict[str, Any]:
    """Delete a document with its chunks, its stored files and its pending work; answer with the receipt.

    Users may delete what they uploaded; managers, admins and API keys any document.
    """
    asking = caller()
    tenant_id = asking.tenant_id
    with tenant_session(tenant_id) as session:
        document = documents.get(session, path.id)
        if asking.role == Role.USER and document.user_id != asking.user_id:
            raise Forbidden("Somebody else uploaded this document; a manager can delete it.")
        filename = document.filename
        chunk_count = chunks.forget(session, tenant_id, path.id)
        documents.remove(session, path.id)
    objects = ObjectStore(get_settings()).delete_prefix(document_prefix(tenant_id, path.id))
    announce.document(EventName.DOCUMENT_DELETED, tenant_id, path.id, filename=filename)
    return DeletionReceipt(
        id=path.id,
        filename=filename,
        chunks_deleted=chunk_count,
        objects_deleted=objects,
        deleted_at=datetime.now(UTC),
    ).model_dump(mode="json")


def accept(asking: Caller, file: FileStorage, assistant_key: str | None) -> Document:
    """Check, store and commit one file as queued work, and wake the admission.

    Raises EmptyFile, FileTooLarge, UnsupportedType, TypeMismatch, UnknownAssistant, QuotaExceeded.
    """
    filename = safe_filename(file.filename or "")
    size, sha256 = _measured(file)
    kind = file_type(filename, *_ends(file, size))
    found = Upload(asking.user_id, filename, kind, size, sha256, assistant_key)
    with tenant_session(asking.tenant_id) as session:
        if assistant_key:
            turns.agent(session, assistant_key)
        same = documents.known(session, asking.tenant_id, found)
        if same is None:
            limits.require_room(session, size)
    doc_id = same.doc_id if same else uuid4()
    if same is None:
        file.stream.seek(0)
        ObjectStore(get_settings()).put_file(original_key(asking.tenant_id, doc_id), file.stream)
    try:
        with tenant_session(asking.tenant_id) as session:
            document, ours = documents.accept(session, asking.tenant_id, doc_id, found)
            if same is None and ours:
                limits.require_room(session)
    except QuotaExceeded:
        # Another upload took the room while this one was being stored.
        ObjectStore(get_settings()).delete_prefix(document_prefix(asking.tenant_id, doc_id))
        raise
    if not ours:
        # The same bytes arrived twice at once and the other upload won; ours has no row to belong to.
        ObjectStore(get_settings()).delete_prefix(document_prefix(asking.tenant_id, doc_id))
    send.admission()
    announce.document(EventName.DOCUMENT_ACCEPTED, asking.tenant_id, document.doc_id, filename=document.filename)
    return document


def _measured(file: FileStorage) -> tuple[int, str]:
    """Return size and SHA-256 of the whole file. Raises FileTooLarge."""
    limit = get_settings().max_upload_mb << 20
    digest, size = hashlib.sha256(), 0
    while piece := file.stream.read(1 << 20):
        digest.update(piece)
        size += len(piece)
    if size > limit:
        raise FileTooLarge(f"The file has {size >> 20} MiB; this server accepts {limit >> 20} MiB.")
    return size, digest.hexdigest()


def _ends(file: FileStorage, size: int) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of the file, by which its type is told."""
    file.stream.seek(0)
    head = file.stream.read(HEAD_BYTES)
    file.stream.seek(max(0, size - HEAD_BYTES))
    return head, file.stream.read(HEAD_BYTES)


def _accepted(document: Document) -> dict[str, Any]:
    return UploadAccepted(
        message=f"Document '{document.filename}' accepted",
        job_id=document.doc_id,
        job=url_for("jobs.show", id=document.doc_id),
        events=url_for("jobs.events", id=document.doc_id),
        document={
            "id": str(document.doc_id),
            "filename": document.filename,
            "status": document.processing_status,
        },
    ).model_dump(mode="json")


def _processed(document: Document) -> dict[str, Any]:
    return {
        **_accepted(document),
        "message": f"Document '{document.filename}' processed successfully",
        "document": {
            "id": str(document.doc_id),
            "filename": document.filename,
            "chunks": document.chunks_count,
            "tokens": document.tokens_count,
            "processed_at": document.processed_at.isoformat() if document.processed_at else None,
        },
    }
