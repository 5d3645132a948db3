"""Pages drawn for a caller who waits. What is drawn is kept beside the document, and goes with it."""

from uuid import UUID

from pipelines.ingest import page_image
from pipelines.ingest.page_image import Wanted
from pipelines.ports.passages import Box
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest.accepting import password_of
from pipelines.stores.knowledge import documents
from pipelines.stores.objects import original_key
from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from schemas.errors.requests import NotFound
from schemas.errors.tree import AuraError
from workers import wiring
from workers.app import app


@app.task(name="workers.pages.draw")
def draw(tenant_id: str, call_id: str) -> None:
    """Reply with a page as PNG, or with its size and text as JSON."""
    tenant, call = UUID(tenant_id), UUID(call_id)
    found = calls.asked(get_redis(), tenant, call)
    if found is None:
        return
    facts, _ = found
    png = b""
    try:
        page = _drawn(tenant, facts)
        reply, png = page.facts(), page.png
        if facts["key"] and png:
            _keep(tenant, UUID(facts["document_id"]), facts["key"], png)
    except AuraError as error:
        reply = {"error": error.code, "detail": error.detail}
    calls.reply(get_redis(), tenant, call, reply, png)


def _drawn(tenant_id: UUID, facts: dict[str, object]) -> page_image.Page:
    doc_id = UUID(str(facts["document_id"]))
    with tenant_session(tenant_id, durable=False) as session:
        document = documents.get(session, doc_id)
        password = password_of(document)
    boxes = tuple(Box(**box) for box in facts["boxes"])  # type: ignore[attr-defined]
    wanted = Wanted(int(str(facts["page"])), int(str(facts["width"])), boxes, str(facts["quote"]))
    data = wiring.objects().get(original_key(tenant_id, doc_id))
    return page_image.draw(data, document.file_type, password, wanted, picture=facts["format"] == "png")


def _keep(tenant_id: UUID, doc_id: UUID, key: str, png: bytes) -> None:
    """Keep a drawn page, unless its document is deleted meanwhile. Raises NotFound."""
    wiring.objects().put(key, png)
    try:
        with tenant_session(tenant_id, durable=False) as session:
            documents.get(session, doc_id)
    except NotFound:
        wiring.objects().delete(key)
        raise
