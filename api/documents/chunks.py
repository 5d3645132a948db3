"""A chunk of a document: look at it, and put another text in its place.

A chunk cannot be deleted by itself: the document would say less than its file, and the next re-index would bring
the chunk back. Delete the document, or upload it without that part.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from api.documents.arrivals import require_own
from api.door.auth import caller
from api.door.permissions import allows
from api.door.waiting import preferred_wait_s
from pipelines.ingest import tokens
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import chunks, documents, edits
from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from schemas.errors.providers import ProviderUnavailable, StoreUnavailable
from schemas.errors.requests import InputTooLong
from schemas.requests.documents.reindexing import (
    MAX_CHUNK_TOKENS,
    ChunkBody,
    ChunkDetail,
    ChunkPath,
    EditPath,
    EditView,
)
from schemas.tables.chunks import ChunkEdit
from schemas.tables.identity import Permission
from workers import send

blueprint = APIBlueprint("chunks", __name__, url_prefix="/api/documents", abp_tags=[Tag(name="documents")])


@blueprint.get("/<uuid:id>/chunks/<int:chunk_id>", responses={200: ChunkDetail})
@allows(Permission.DOCUMENTS_READ)
def show(path: ChunkPath) -> dict[str, Any]:
    """Return a chunk of a document, with its last edit."""
    with tenant_session(caller().tenant_id) as session:
        chunk = chunks.get(session, path.id, path.chunk_id)
        edit = edits.latest(session, path.id, path.chunk_id)
    place = {name: chunk.metadata_.get(name) for name in ("row_from", "row_to", "start_s", "end_s")}
    return ChunkDetail(
        chunk_id=chunk.chunk_id,
        chunk_index=chunk.chunk_index,
        chunk_type=chunk.chunk_type,
        text=chunk.chunk_text,
        token_count=chunk.token_count,
        heading_path=chunk.heading_path,
        page_from=chunk.page_from,
        page_to=chunk.page_to,
        document_id=path.id,
        version=chunk.version,
        embedding_model=chunk.embedding_model,
        boxes=chunk.boxes,
        **place,
        edited_at=chunk.edited_at,
        edit=_view(edit) if edit else None,
    ).model_dump(mode="json")


@blueprint.patch("/<uuid:id>/chunks/<int:chunk_id>", responses={202: EditView, 200: EditView})
@allows(Permission.DOCUMENTS_WRITE)
def edit(path: ChunkPath, body: ChunkBody) -> Response:
    """Put another text in place of a chunk's: it is embedded, and answers from then on.

    Answers 202 with the edit, or with `Prefer: wait=N` 200 once it is applied. Of several edits of one chunk the last
    one counts. A re-index keeps an edit whose original text is cut as it was, and says how many it kept or dropped.
    """
    asking = caller()
    if tokens.count(body.text) > MAX_CHUNK_TOKENS:
        raise InputTooLong(f"A chunk holds {MAX_CHUNK_TOKENS:,} tokens at most.")
    with tenant_session(asking.tenant_id) as session:
        require_own(asking, documents.uploaded(session, path.id))
        made = edits.accept(session, asking.tenant_id, path.id, path.chunk_id, asking.user_id, body.text)
    send.edit(asking.tenant_id, made.edit_id)
    if (wait_s := preferred_wait_s()) is not None:
        made = _ended(asking.tenant_id, made, wait_s)
    response = jsonify(_view(made).model_dump(mode="json"))
    response.status_code = 202 if made.status in edits.OPEN else 200
    response.headers["Location"] = _location(made)
    return response


@blueprint.get("/<uuid:id>/edits/<uuid:edit_id>", responses={200: EditView})
@allows(Permission.DOCUMENTS_READ)
def show_edit(path: EditPath) -> dict[str, Any]:
    """Return an edit of one of the document's chunks, and what has become of it."""
    with tenant_session(caller().tenant_id) as session:
        return _view(edits.get(session, path.id, path.edit_id)).model_dump(mode="json")


def _ended(tenant_id: UUID, made: ChunkEdit, wait_s: float) -> ChunkEdit:
    """Return the edit as it is when it has ended, or after `wait_s`."""
    # Where nobody says that it is done, the row says where it stands.
    with suppress(ProviderUnavailable, StoreUnavailable):
        calls.result(get_redis(), tenant_id, made.edit_id, wait_s)
    with tenant_session(tenant_id) as session:
        return edits.get(session, made.doc_id, made.edit_id)


def _view(made: ChunkEdit) -> EditView:
    return EditView(
        id=made.edit_id,
        document_id=made.doc_id,
        chunk_id=made.chunk_id,
        status=made.status,  # type: ignore[arg-type]
        text=made.chunk_text,
        user_id=made.user_id,
        code=made.error_code,
        detail=made.error_detail,
        created_at=made.created_at,
        applied_at=made.applied_at,
        location=_location(made),
    )


def _location(made: ChunkEdit) -> str:
    return f"/api/documents/{made.doc_id}/edits/{made.edit_id}"
