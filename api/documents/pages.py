"""A page of a document as a picture, with what an answer cites marked on it."""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from sqlalchemy.orm import Session

from api.door.auth import Caller, caller
from api.door.permissions import allows
from pipelines.ports.passages import Box
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import chunks, documents
from pipelines.stores.objects import ObjectStore, document_prefix
from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from schemas.errors.providers import ProviderUnavailable, TooBusy
from schemas.errors.requests import NoPages, NotFound
from schemas.errors.tree import AuraError
from schemas.requests.documents.pages import PagePath, PageQuery, PageView
from schemas.settings import get_settings
from schemas.tables.identity import Permission
from schemas.tables.knowledge import PAGED_TYPES, Document
from workers import send

blueprint = APIBlueprint("pages", __name__, url_prefix="/api/documents", abp_tags=[Tag(name="documents")])

DRAW_TIMEOUT_S = 30.0
MAX_PAGES = 20_000
STEP_PX = 100
MAX_QUOTE_CHARS = 2_000
DRAWN_AS = 1
"""Moves when pages are drawn otherwise than before, so that no kept picture is taken for a new one."""

PICTURE = {"image/png": {"schema": {"type": "string", "format": "binary"}}}


@blueprint.get("/<uuid:id>/pages/<int:n>", responses={200: {"description": "The page.", "content": PICTURE}, 304: None})
@allows(Permission.DOCUMENTS_READ)
def show(path: PagePath, query: PageQuery) -> Response:
    """Draw a page of a PDF or a picture as PNG; `format=json` answers with its size in points and its text instead.

    Marked is what `boxes`, a chunk or a citation say: of a citation the very lines of its quotation. Documents of
    other formats have no pages (409 `no_pages`); their chunks hold the text.
    """
    asking = caller()
    with tenant_session(asking.tenant_id, durable=False) as session:
        document = documents.get(session, path.id)
        boxes, quote = _marked(session, asking, path, query)
    if document.file_type not in PAGED_TYPES:
        raise NoPages(f"Documents of the format {document.file_type} have no pages to show.{_instead(path.id)}")
    if not 1 <= path.n <= MAX_PAGES:
        raise NotFound("The document has no page with this number.")
    width = -(-query.width // STEP_PX) * STEP_PX
    facts = {"document_id": str(path.id), "page": path.n, "width": width, "format": query.format}
    facts |= {"boxes": [asdict(box) for box in boxes], "quote": quote}
    name = _digest(document, facts)
    if request.if_none_match.contains(name):
        return _tagged(Response(status=304), name)
    if query.format == "json":
        found, _ = _drawn(asking, {**facts, "key": ""})
        return _tagged(Response(PageView(**found).model_dump_json(), content_type="application/json"), name)
    # Boxes that somebody made up are drawn anew each time: there is no end of them.
    key = "" if query.boxes else f"{document_prefix(asking.tenant_id, path.id)}/pages/{path.n}-{name}.png"
    return _tagged(Response(_picture(asking, key, facts), content_type="image/png"), name)


def _picture(asking: Caller, key: str, facts: dict[str, Any]) -> bytes:
    if key:
        with suppress(NotFound):
            return ObjectStore(get_settings()).get(key)
    return _drawn(asking, {**facts, "key": key})[1]


def _marked(session: Session, asking: Caller, path: PagePath, query: PageQuery) -> tuple[tuple[Box, ...], str]:
    """Return the boxes to mark on the page, and the quotation whose lines take their place. Raises NotFound."""
    if query.citation:
        return _cited(session, asking, path, query.citation)
    if query.chunk_id is not None:
        chunk = chunks.get(session, path.id, query.chunk_id)
        boxes = tuple(Box(**box) for box in chunk.boxes if box["page"] == path.n)
        # A line that runs through all pages has no box of its own.
        return boxes, "" if boxes else chunk.chunk_text[:MAX_QUOTE_CHARS]
    if query.boxes:
        return tuple(Box(path.n, *map(float, box.split(","))) for box in query.boxes.split(";")), ""
    return (), ""


def _cited(session: Session, asking: Caller, path: PagePath, citation: str) -> tuple[tuple[Box, ...], str]:
    turn_id, _, number = citation.partition(":")
    missing = NotFound("There is no citation with this number of this document.")
    if Permission.CHAT not in asking.permissions:
        raise missing
    turn = turns.get(session, UUID(turn_id), None if asking.sees_all else asking.user_id)
    for one in turn.citations:
        if isinstance(one, dict) and one.get("number") == int(number) and one.get("document_id") == str(path.id):
            return tuple(Box(**box) for box in one.get("boxes", ()) if box["page"] == path.n), one.get("quote") or ""
    raise missing


def _drawn(asking: Caller, facts: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Have a worker draw the page. Raises the error it ended with, and TooBusy where none answers in time."""
    call_id = uuid4()
    calls.ask(get_redis(), asking.tenant_id, call_id, facts)
    send.page(asking.tenant_id, call_id)
    try:
        reply, png = calls.result(get_redis(), asking.tenant_id, call_id, DRAW_TIMEOUT_S)
    except ProviderUnavailable:
        raise TooBusy("The page is taking too long to draw. Try again in a moment.") from None
    if "error" in reply:
        raise AuraError.by_code(reply["error"], reply["detail"])
    return reply, png


def _digest(document: Document, facts: dict[str, Any]) -> str:
    about = json.dumps([DRAWN_AS, document.content_sha256, facts], sort_keys=True)
    return hashlib.sha256(about.encode(errors="replace")).hexdigest()[:32]


def _tagged(response: Response, name: str) -> Response:
    response.set_etag(name)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _instead(doc_id: UUID) -> str:
    return f" Its text is at /api/documents/{doc_id}/chunks."
