"""Documents: upload, fetch, list, look, delete."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify, request
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.datastructures import FileStorage

from api.documents import arrivals, finishing
from api.documents.arrivals import Arrived, Filling
from api.documents.document_views import document_view, document_views
from api.door import waiting
from api.door.auth import caller
from api.door.paging import cursor, number, position
from api.door.permissions import allows
from pipelines import outbound
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import batches
from pipelines.stores.knowledge import chunks, documents, library
from pipelines.stores.objects import ObjectStore, document_prefix
from pipelines.stores.turns import turns
from schemas.errors.addresses import HostUnknown
from schemas.errors.callers import Forbidden
from schemas.errors.uploads import NoFile
from schemas.events import EventName
from schemas.requests.common import IdPath, Listing
from schemas.requests.documents.batches import Accepted, BatchAccepted, UrlsBody
from schemas.requests.documents.documents import (
    ChunkPage,
    ChunkView,
    DeletionReceipt,
    DocumentListing,
    DocumentPage,
    DocumentView,
    UploadAccepted,
    UploadForm,
)
from schemas.settings import get_settings
from schemas.tables.batches import Source
from schemas.tables.identity import Permission, Role
from schemas.tables.knowledge import Document
from workers import announce
from workers.documents.reception import Incoming, folder_of

blueprint = APIBlueprint("documents", __name__, url_prefix="/api/documents", abp_tags=[Tag(name="documents")])

FIELDS = ("file", "files")
LOOKING = 16
"""Hosts whose addresses are looked up at once."""


@blueprint.post("/upload", responses={202: Accepted, 200: UploadAccepted})
@allows(Permission.DOCUMENTS_WRITE)
def upload() -> Response:
    """Accept files (form fields `file` or `files`, each any number of times) and answer with their job.

    One plain file is a document, and its job goes by its id; `Prefer: wait=N` waits up to N seconds and answers 200
    once it is searchable. Many files, a zip, or files for an open batch are a batch: each file that is refused is an
    item of it with its code, and no hindrance to the others; a zip is unpacked after the answer.
    """
    files = [file for name in FIELDS for file in request.files.getlist(name)]
    if not files:
        raise NoFile
    # An empty field of a form is one that was left out.
    form = UploadForm.model_validate({name: value for name, value in request.form.items() if value})
    asking = caller(form.tenant_id, form.user_id)
    order = replace(arrivals.order(asking, form), password=form.password)
    incoming = [_incoming(file, form.folder or "") for file in files]
    arrived = arrivals.arrive(order, incoming, alone=len(files) == 1)
    return _waited_for(arrived) or arrivals.answer(arrived)


@blueprint.post("/url", responses={202: BatchAccepted})
@allows(Permission.DOCUMENTS_WRITE)
def fetch(body: UrlsBody) -> Response:
    """Fetch what is at web addresses (`url`, or up to a hundred `urls`) and read it; answer with the batch's job.

    Addresses that lead inside are refused at once. What an address answers later, or why it does not, stands with
    its item.
    """
    asking = caller(body.tenant_id, body.user_id)
    order = arrivals.order(asking, body)
    urls = body.all()
    _require_outside(urls)
    filling = Filling(order, Source.URL)
    with tenant_session(asking.tenant_id) as session:
        if order.assistant_key:
            turns.agent(session, order.assistant_key)
        filling.open(session)
        batches.require_places(session, filling.batch, len(urls), get_settings().max_batch_files)
        batches.add_source(session, filling.batch, Source.URL, urls)
    filling.tell()
    return arrivals.answer(Arrived(batch=filling.batch, addresses=len(urls)))


@blueprint.get("", responses={200: DocumentPage})
@allows(Permission.DOCUMENTS_READ)
def listing(query: DocumentListing) -> dict[str, Any]:
    """Return the tenant's documents, newest first; those only that match all that is asked."""
    wanted = library.Wanted(query.status, query.code, query.batch_id, query.q, query.assistant_key, query.tag)
    with tenant_session(caller().tenant_id) as session:
        found = library.listing(session, query.limit + 1, position(query.after), wanted)
        views = [view.model_dump(mode="json") for view in document_views(session, found[: query.limit])]
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {"documents": views, "next": cursor(last.created_at, last.doc_id) if last else None}


@blueprint.get("/<uuid:id>", responses={200: DocumentView})
@allows(Permission.DOCUMENTS_READ)
def show(path: IdPath) -> dict[str, Any]:
    """Return a document, where it stands and, if nothing moves, why."""
    with tenant_session(caller().tenant_id) as session:
        return document_view(session, documents.get(session, path.id)).model_dump(mode="json")


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
        document = documents.uploaded(session, path.id)
        if asking.role == Role.USER and document.user_id != asking.user_id:
            raise Forbidden("Somebody else uploaded this document; a manager can delete it.")
        filename = document.filename
        # Before the row goes: where the store is away nothing is deleted, and the client asks again.
        objects = ObjectStore(get_settings()).delete_prefix(document_prefix(tenant_id, path.id))
        chunk_count = chunks.forget(session, tenant_id, [path.id])
        documents.remove(session, path.id)
        told = announce.about(EventName.DOCUMENT_DELETED, document, filename=filename)
        tell = announce.owe(session, tenant_id, [told])
    tell()
    return DeletionReceipt(
        id=path.id,
        filename=filename,
        chunks_deleted=chunk_count,
        objects_deleted=objects,
        deleted_at=datetime.now(UTC),
    ).model_dump(mode="json")


def _incoming(file: FileStorage, folder: str) -> Incoming:
    name = file.filename or ""
    return Incoming(name, file.stream, folder_of(f"{folder}/{name}"))  # type: ignore[arg-type]


def _require_outside(urls: Sequence[str]) -> None:
    """Raise AddressRefused where one of the addresses leads inside now; an unknown host is its item's fault."""

    def look(url: str) -> None:
        with suppress(HostUnknown):
            outbound.check(url)

    with ThreadPoolExecutor(LOOKING) as pool:
        list(pool.map(look, urls))


def _waited_for(arrived: Arrived) -> Response | None:
    """Return the answer once the document is searchable, where the request waits for that and it is soon enough."""
    wait_s = waiting.preferred_wait_s()
    if wait_s is None or arrived.document is None:
        return None
    done = finishing.finished_document(caller(), arrived.document.doc_id, wait_s)
    return jsonify(_processed(done)) if done else None


def _processed(document: Document) -> dict[str, Any]:
    return {
        **arrivals.accepted(document),
        "message": f"Document '{document.filename}' processed successfully",
        "document": {
            "id": str(document.doc_id),
            "filename": document.filename,
            "chunks": document.chunks_count,
            "tokens": document.tokens_count,
            "processed_at": document.processed_at.isoformat() if document.processed_at else None,
        },
    }
