"""Raw text becomes knowledge, one text as a document, a list of them as a batch; and knowledge is searched."""

from io import BytesIO
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from api.documents import arrivals
from api.door.auth import caller
from api.door.permissions import allows
from pipelines.ingest.sniff import safe_filename
from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from schemas.errors.requests import MessageTooLong
from schemas.errors.tree import AuraError
from schemas.requests.documents.batches import Accepted, TextBody, TextItem
from schemas.requests.knowledge.search import SearchQuery, SearchResult
from schemas.settings import get_settings
from schemas.tables.identity import Permission
from workers import send
from workers.documents.reception import Incoming

blueprint = APIBlueprint("knowledge", __name__, url_prefix="/api/knowledge", abp_tags=[Tag(name="documents")])

TEXT_SUFFIXES = frozenset({".md", ".markdown", ".txt", ".text", ".html", ".htm", ".csv", ".tsv", ".json", ".ndjson"})
TITLE_CHARS = 100
SEARCH_TIMEOUT_S = 30.0


@blueprint.post("/ingest", responses={202: Accepted})
@allows(Permission.DOCUMENTS_WRITE)
def ingest(body: TextBody) -> Response:
    """Accept a text (`text`, with `title`, `filename`, `metadata`) or up to a thousand (`documents`), as uploads are.

    A text without a filename is Markdown and called by its title. The same text for the same assistant is one document.
    """
    order = arrivals.order(caller(body.tenant_id, body.user_id), body)
    incoming = [_incoming(one) for one in body.all()]
    return arrivals.answer(arrivals.arrive(order, incoming, alone=body.documents is None))


@blueprint.get("/search", responses={200: SearchResult})
@allows(Permission.DOCUMENTS_READ)
def search(query: SearchQuery) -> dict[str, Any]:
    """Search the knowledge by meaning, by words, or by both, and return the best passages with all their scores."""
    asking, call_id = caller(), uuid4()
    asked = query.model_dump(mode="json")
    facts = {name: asked.pop(name) for name in ("query", "mode", "limit", "assistant_key")}
    calls.ask(get_redis(), asking.tenant_id, call_id, {**facts, "filter": asked})
    send.search_call(asking.tenant_id, call_id)
    reply, _ = calls.result(get_redis(), asking.tenant_id, call_id, SEARCH_TIMEOUT_S)
    if "error" in reply:
        raise AuraError.by_code(reply["error"], reply["detail"])
    return SearchResult(query=query.query, mode=query.mode, passages=reply["passages"]).model_dump(mode="json")


def _incoming(one: TextItem) -> Incoming:
    try:
        content = one.text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which JSON can write and no text holds.
        content = one.text.encode(errors="replace")
    if len(content) > get_settings().max_upload_mb << 20:
        raise MessageTooLong
    about = {**(one.metadata or {}), **({"title": one.title} if one.title else {})}
    return Incoming(_filename(one), BytesIO(content), title=one.title or "", metadata=about)


def _filename(one: TextItem) -> str:
    """Return a name that says that this is text, whatever the sender calls it."""
    name = safe_filename(one.filename or (one.title or "text")[:TITLE_CHARS].replace("/", "-"))
    return name if PurePosixPath(name).suffix.lower() in TEXT_SUFFIXES and one.filename else f"{name}.md"
