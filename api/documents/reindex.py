"""Re-indexing of documents, one or many, and their versions. Until a new version is there, the one before answers."""

from typing import Any
from uuid import UUID

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from api.documents import arrivals
from api.documents.arrivals import require_own
from api.documents.batch_views import links
from api.door.auth import actor, caller
from api.door.permissions import allows
from pipelines import providers
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import batches
from pipelines.stores.knowledge import documents, reindexing
from pipelines.stores.knowledge.documents import Sizes
from pipelines.stores.knowledge.reindexing import Chosen, Wanted
from pipelines.stores.operations import audit
from schemas.errors.callers import Forbidden
from schemas.events import EventName
from schemas.requests.common import IdPath
from schemas.requests.documents.reindexing import (
    ReindexAccepted,
    ReindexBody,
    ReindexManyAccepted,
    ReindexManyBody,
    VersionPage,
    VersionView,
)
from schemas.settings import get_settings
from schemas.tables.batches import Source
from schemas.tables.identity import Permission, Role
from schemas.tables.knowledge import Document, DocumentVersion, Status
from workers import announce, send, wiring
from workers.documents import batches as telling

blueprint = APIBlueprint("reindex", __name__, url_prefix="/api/documents", abp_tags=[Tag(name="documents")])


@blueprint.post("/<uuid:id>/reindex", responses={202: ReindexAccepted})
@allows(Permission.DOCUMENTS_WRITE)
def one(path: IdPath, body: ReindexBody) -> Response:
    """Make a document again: cut and embed it as is wanted now, from what was extracted or, with `reread`, its file.

    The version that answers goes on until the new one is complete, and also where that fails.
    """
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        require_own(asking, documents.get(session, path.id))
        document = reindexing.one(session, path.id, _wanted(body))
    announce.document(EventName.DOCUMENT_ACCEPTED, asking.tenant_id, path.id, filename=document.filename)
    send.admission()
    return _accepted(arrivals.accepted(document), path.id)


@blueprint.post("/reindex", responses={202: ReindexManyAccepted})
@allows(Permission.DOCUMENTS_WRITE)
def many(body: ReindexManyBody) -> Response:
    """Make documents again, followed as one job: those named, those of a batch, all, or those that are stale.

    For managers, admins and API keys. Documents in work are left out, and counted.
    """
    asking = caller()
    if asking.role == Role.USER:
        raise Forbidden("Re-index your documents one by one; a manager can re-index many.")
    chosen = Chosen(body.ids, body.batch_id, _stale_to(asking.tenant_id, body) if body.stale else None)
    with tenant_session(asking.tenant_id) as session:
        if body.batch_id:
            batches.get(session, body.batch_id)
        batch = batches.begin(session, asking.tenant_id, asking.user_id, Source.REINDEX, name="Re-index")
        queued, skipped = reindexing.many(session, batch, chosen, _wanted(body))
        after = {"documents": queued, "skipped": skipped, **body.model_dump(mode="json", exclude_none=True)}
        after["ids"] = len(body.ids or ())
        audit.record(session, asking.tenant_id, actor(), "documents.reindexed", "batch", batch.batch_id, after=after)
    announce.batch(EventName.BATCH_ACCEPTED, batch.tenant_id, batch.batch_id, source=batch.source, name=batch.name)
    if not queued:
        telling.settle(asking.tenant_id, [batch.batch_id])
    send.admission()
    left_out = f"; {skipped:,} are in work and were left out" if skipped else ""
    made = ReindexManyAccepted(
        message=f"{queued:,} documents are made again{left_out}.",
        **links(batch.batch_id),
        documents=queued,
        skipped=skipped,
    )
    return _accepted(made.model_dump(mode="json"), batch.batch_id)


@blueprint.get("/<uuid:id>/versions", responses={200: VersionPage})
@allows(Permission.DOCUMENTS_READ)
def versions(path: IdPath) -> dict[str, Any]:
    """Return a document's versions, newest first: how each was made, and which one answers."""
    with tenant_session(caller().tenant_id) as session:
        document = documents.get(session, path.id)
        found = reindexing.versions(session, path.id)
    return {"versions": [_view(document, version, found[0].version).model_dump(mode="json") for version in found]}


def _wanted(body: ReindexBody) -> Wanted:
    return Wanted(body.reread, body.chunk_tokens, body.chunk_overlap)


def _stale_to(tenant_id: UUID, body: ReindexBody) -> tuple[str, Sizes]:
    """Return the model that embeds for the tenant now, and the sizes that are wanted."""
    settings = get_settings()
    # Where no model is set, only the server of one's own knows which one it has.
    model = providers.embedding_model(wiring.offering(tenant_id)) or wiring.embedder(tenant_id).model
    tokens, overlap = body.chunk_tokens, body.chunk_overlap
    return model, Sizes(
        settings.chunk_tokens if tokens is None else tokens, settings.chunk_overlap if overlap is None else overlap
    )


def _accepted(answer: dict[str, Any], job_id: UUID) -> Response:
    response = jsonify(answer)
    response.status_code = 202
    response.headers["Location"] = links(job_id)["job"]
    return response


def _view(document: Document, version: DocumentVersion, newest: int) -> VersionView:
    answers = version.version == document.version
    options = version.options
    return VersionView(
        version=version.version,
        answers=answers,
        state="answering" if answers else _state(document, version, newest),  # type: ignore[arg-type]
        embedding_model=version.embedding_model,
        chunks=version.chunks_count,
        embedded=version.embedded_count,
        chunk_tokens=options.get("chunk_tokens"),
        chunk_overlap=options.get("chunk_overlap"),
        from_version=options.get("from_version"),
        edits_kept=options.get("edits_kept"),
        edits_dropped=options.get("edits_dropped"),
        created_at=version.created_at,
        processed_at=version.processed_at,
    )


def _state(document: Document, version: DocumentVersion, newest: int) -> str:
    if version.processed_at is not None or version.version < document.version:
        return "replaced" if version.processed_at is not None else "ended"
    return "in_work" if version.version == newest and document.processing_status == Status.RUNNING else "ended"
