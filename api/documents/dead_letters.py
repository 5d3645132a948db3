"""Documents that failed for good: why each did, and another try for some of them."""

from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from api.documents.batch_views import links
from api.documents.document_views import remedy_of
from api.door.auth import actor, caller
from api.door.paging import cursor, position
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import accepting, batches, whereabouts
from pipelines.stores.ingest.batches import Item
from pipelines.stores.knowledge import documents, library
from pipelines.stores.operations import audit
from schemas.errors.callers import Forbidden
from schemas.errors.requests import NotReady
from schemas.events import EventName
from schemas.requests.documents.batches import DeadLetter, DeadLetters, DeadListing, DeadReplay, ReplayAccepted
from schemas.settings import get_settings
from schemas.tables.batches import Source
from schemas.tables.identity import Permission, Role
from workers import announce, send

blueprint = APIBlueprint(
    "dead_letters", __name__, url_prefix="/api/documents/dead-letters", abp_tags=[Tag(name="documents")]
)


@blueprint.get("", responses={200: DeadLetters})
@allows(Permission.DOCUMENTS_READ)
def listing(query: DeadListing) -> dict[str, Any]:
    """Return the documents that failed for good, newest first, with the last error of each."""
    with tenant_session(caller().tenant_id) as session:
        found = library.dead(session, query.limit + 1, position(query.after), query.code)
        shown = found[: query.limit]
        progress = whereabouts.progress(session, shown)
        by_code = library.dead_by_code(session)
    letters = []
    for document in shown:
        remedy, retryable = remedy_of(document.error_code)
        work = progress.get(document.doc_id)
        letters.append(
            DeadLetter(
                id=document.doc_id,
                filename=document.filename,
                batch_id=document.batch_id,
                code=document.error_code,
                detail=document.error_detail,
                remedy=remedy,
                retryable=retryable,
                attempts=work.attempts if work else 0,
                created_at=document.created_at,
            )
        )
    last = found[query.limit - 1] if len(found) > query.limit else None
    after = cursor(last.created_at, last.doc_id) if last else None
    return DeadLetters(by_code=by_code, documents=letters, next=after).model_dump(mode="json")


@blueprint.post("/replay", responses={202: ReplayAccepted})
@allows(Permission.DOCUMENTS_WRITE)
def replay(body: DeadReplay) -> Any:
    """Try documents again that failed for good: these, those of one code or batch, or all; answer with their job.

    For managers, admins and API keys.
    """
    asking = caller()
    if asking.role == Role.USER:
        raise Forbidden("Managers, admins and API keys may replay what failed.")
    limit = get_settings().max_batch_files
    with tenant_session(asking.tenant_id) as session:
        ids = library.dead_ids(session, limit, body.ids, body.code, body.batch_id)
        if not ids:
            raise NotReady("None of these documents has failed.")
        batch = batches.begin(session, asking.tenant_id, asking.user_id, Source.FILES, name="Replay of what failed")
        again = documents.many(session, accepting.queue_all_again(session, ids, batch.batch_id, 0))
        batches.add_items(session, batch, [Item(one.filename, one.folder, None, id_) for id_, one in again.items()])
        audit.record(
            session,
            asking.tenant_id,
            actor(),
            "documents.replayed",
            "batch",
            batch.batch_id,
            after={"documents": len(again), "code": body.code},
        )
    announce.batch(
        EventName.BATCH_ACCEPTED,
        batch.tenant_id,
        batch.batch_id,
        source=batch.source,
        name=batch.name,
        total=len(again),
    )
    send.admission()
    return ReplayAccepted(**links(batch.batch_id), total=len(again)).model_dump(mode="json"), 202
