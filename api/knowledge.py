"""Raw text becomes knowledge: one text as a document, a list of them as a batch."""

from io import BytesIO
from pathlib import PurePosixPath

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from api import arrivals
from api.auth import caller
from api.permissions import allows
from pipelines.ingest.sniff import safe_filename
from schemas.batch_requests import Accepted, TextBody, TextItem
from schemas.errors import MessageTooLong
from schemas.identity import Permission
from schemas.settings import get_settings
from workers.reception import Incoming

blueprint = APIBlueprint("knowledge", __name__, url_prefix="/api/knowledge", abp_tags=[Tag(name="documents")])

TEXT_SUFFIXES = frozenset({".md", ".markdown", ".txt", ".text", ".html", ".htm", ".csv", ".tsv", ".json", ".ndjson"})
TITLE_CHARS = 100


@blueprint.post("/ingest", responses={202: Accepted})
@allows(Permission.DOCUMENTS_WRITE)
def ingest(body: TextBody) -> Response:
    """Accept a text (`text`, with `title`, `filename`, `metadata`) or up to a thousand (`documents`), as uploads are.

    A text without a filename is Markdown and called by its title. The same text for the same assistant is one document.
    """
    order = arrivals.order(caller(body.tenant_id, body.user_id), body)
    incoming = [_incoming(one) for one in body.all()]
    return arrivals.answer(arrivals.arrive(order, incoming, alone=body.documents is None))


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
