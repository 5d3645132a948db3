"""Batches of documents: open one, fill it, close it, look at what is in it. Each is followed as a job."""

from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from api.documents.arrivals import require_own
from api.documents.batch_views import batch_view, item_view, summary
from api.door.auth import caller
from api.door.paging import cursor, number, position
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import batches, tallies
from pipelines.stores.turns import turns
from schemas.events import EventName
from schemas.requests.common import IdPath, Listing
from schemas.requests.documents.batches import BatchBody, BatchItemPage, BatchPage, BatchView, ItemListing
from schemas.tables.batches import Source
from schemas.tables.identity import Permission
from workers import announce
from workers.documents import batches as telling

blueprint = APIBlueprint("batches", __name__, url_prefix="/api/batches", abp_tags=[Tag(name="batches")])


@blueprint.post("", responses={201: BatchView})
@allows(Permission.DOCUMENTS_WRITE)
def open_(body: BatchBody) -> Any:
    """Open a batch, to be filled by uploads that name its id; close it when all are there.

    One that nobody closes counts as closed after a day.
    """
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        if body.assistant_key:
            turns.agent(session, body.assistant_key)
        batch = batches.begin(
            session,
            asking.tenant_id,
            asking.user_id,
            Source(body.source),
            name=body.name,
            assistant_key=body.assistant_key,
            priority=body.priority,
            is_open=True,
        )
        view = batch_view(session, batch)
    announce.batch(EventName.BATCH_ACCEPTED, batch.tenant_id, batch.batch_id, source=batch.source, name=batch.name)
    return view.model_dump(mode="json"), 201


@blueprint.get("", responses={200: BatchPage})
@allows(Permission.DOCUMENTS_READ)
def listing(query: Listing) -> dict[str, Any]:
    """Return the tenant's batches, newest first. Their totals stand with each alone."""
    with tenant_session(caller().tenant_id) as session:
        found = batches.listing(session, query.limit + 1, position(query.after))
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {
        "batches": [summary(batch).model_dump(mode="json") for batch in found[: query.limit]],
        "next": cursor(last.created_at, last.batch_id) if last else None,
    }


@blueprint.get("/<uuid:id>", responses={200: BatchView})
@allows(Permission.DOCUMENTS_READ)
def show(path: IdPath) -> dict[str, Any]:
    """Return a batch and how far it is."""
    with tenant_session(caller().tenant_id) as session:
        return batch_view(session, batches.get(session, path.id)).model_dump(mode="json")


@blueprint.post("/<uuid:id>/close", responses={200: BatchView})
@allows(Permission.DOCUMENTS_WRITE)
def close(path: IdPath) -> dict[str, Any]:
    """Take no more files into a batch: it is completed once all that is in it has ended."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        require_own(asking, batches.get(session, path.id))
        batches.close(session, path.id)
    telling.settle(asking.tenant_id, [path.id])
    return show(path=path)


@blueprint.get("/<uuid:id>/documents", responses={200: BatchItemPage})
@allows(Permission.DOCUMENTS_READ)
def items(path: IdPath, query: ItemListing) -> dict[str, Any]:
    """Return the batch's files in order, with where each stands, and why it failed."""
    after = number(query.after) if query.after else -1
    with tenant_session(caller().tenant_id) as session:
        found = tallies.items(session, batches.get(session, path.id), query.limit + 1, after, query.status)
    views = [item_view(row).model_dump(mode="json") for row in found[: query.limit]]
    return {"documents": views, "next": str(found[query.limit - 1].item) if len(found) > query.limit else None}
