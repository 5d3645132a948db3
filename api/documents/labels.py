"""The title and the tags of documents."""

from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from api.documents.arrivals import require_own
from api.documents.document_views import document_view
from api.door import auth
from api.door.auth import caller
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import documents, labels
from pipelines.stores.operations import audit
from schemas.requests.common import IdPath
from schemas.requests.documents.documents import DocumentView
from schemas.requests.documents.labels import DocumentChange, TagCount, TagList
from schemas.tables.identity import Permission

blueprint = APIBlueprint("labels", __name__, url_prefix="/api/documents", abp_tags=[Tag(name="documents")])


@blueprint.get("/tags", responses={200: TagList})
@allows(Permission.DOCUMENTS_READ)
def listing() -> dict[str, Any]:
    """Return the tags of the organisation's documents, the most frequent first."""
    with tenant_session(caller().tenant_id) as session:
        found = labels.counts(session)
    return TagList(tags=[TagCount(tag=tag, documents=count) for tag, count in found]).model_dump(mode="json")


@blueprint.patch("/<uuid:id>", responses={200: DocumentView})
@allows(Permission.DOCUMENTS_WRITE)
def change(path: IdPath, body: DocumentChange) -> dict[str, Any]:
    """Change a document's title and tags, which hold at once: nothing is read or embedded again.

    Users may change what they uploaded; managers, admins and API keys any document.
    """
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        document = documents.uploaded(session, path.id)
        require_own(asking, document)
        before = {"title": document.title, "tags": labels.tags_of(document)}
        labels.change(session, document, body.title, body.tags)
        after = {"title": document.title, "tags": labels.tags_of(document)}
        audit.record(
            session, asking.tenant_id, auth.actor(), "document.changed", "document", path.id, before=before, after=after
        )
        return document_view(session, document).model_dump(mode="json")
