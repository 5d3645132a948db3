"""What the routes of training pairs, logic notes and reference materials share."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Response, url_for

from api.documents import finishing
from api.door import waiting
from api.door.auth import Caller, caller
from api.door.paging import cursor, position
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import entries
from pipelines.stores.knowledge.entries import Wanted, Writer
from pipelines.stores.knowledge.entry_kinds import MATERIALS, Kind
from pipelines.stores.turns import turns
from pipelines.training import writing
from schemas.errors.callers import Forbidden
from schemas.requests.common import Body
from schemas.requests.knowledge.training import EntryListing, EntryView
from schemas.tables.identity import Role
from schemas.tables.knowledge import Document
from schemas.tables.training import Entry
from workers.documents import entries as writers

PAGE = 500
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
EXPORTED: dict[str, Any] = {
    "description": "The entries.",
    "content": {"text/csv": {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "array"}}},
}

PREVIEW_CHARS = 500
NULLABLE = ("assistant_key", "category")


def _view(kind: Kind, model: type[EntryView], entry: Entry, document: Document, *, whole: bool = True) -> Any:
    said = entries.values_of(kind, entry)
    if kind is MATERIALS:
        facts = {name: getattr(entry, name) for name in ("original_filename", "file_size")}
        said |= {
            **facts,
            "content_preview": said["content"][:PREVIEW_CHARS],
            "content": said["content"] if whole else None,
        }
    return model(**{**said, **_about(kind, entry, document)}).model_dump(mode="json")


def _about(kind: Kind, entry: Entry, document: Document) -> dict[str, Any]:
    """Return what the views of all entries have."""
    return {
        "id": entry.id,
        "assistant_key": entry.assistant_key,
        "tags": entry.tags,
        "status": document.processing_status,
        "searchable": document.version > 0,
        "code": document.error_code,
        "detail": document.error_detail,
        "created_by": getattr(entry, kind.by),
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
        "job": url_for("jobs.show", id=entry.id),
        "events": url_for("jobs.events", id=entry.id),
    }


def listing(kind: Kind, model: type[EntryView], query: EntryListing) -> dict[str, Any]:
    """Return a page of entries, newest first; those only that match all that is asked."""
    wanted = Wanted(query.q, query.tag, query.assistant_key, getattr(query, "category", None))
    with tenant_session(caller().tenant_id) as session:
        found = entries.listing(session, kind, query.limit + 1, position(query.after), wanted)
        views = [_view(kind, model, entry, document, whole=False) for entry, document in found[: query.limit]]
    last = found[query.limit - 1][0] if len(found) > query.limit else None
    return {"entries": views, "next": cursor(last.created_at, last.id) if last else None}


def show(kind: Kind, model: type[EntryView], entry_id: UUID) -> dict[str, Any]:
    """Return an entry and where it stands."""
    with tenant_session(caller().tenant_id) as session:
        return _view(kind, model, *entries.get(session, kind, entry_id))


def make(kind: Kind, model: type[EntryView], body: Body) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Add an entry, and wait until it is searchable where the request does."""
    asking, values = caller(), values_of(kind, body)
    _require_assistant(asking, values)
    put = writers.add(kind, writer(asking, replace=False), values)
    wait(asking, put.id)
    made = show(kind, model, put.id)
    return made, 201, {"Location": url_for(".show", id=put.id)}


def change(kind: Kind, model: type[EntryView], entry_id: UUID, body: Body) -> dict[str, Any]:
    """Change what is given of an entry. Until the change is searchable, it answers as before."""
    asking = caller()
    given = body.model_dump(exclude_unset=True)
    # These may be taken away; the others stay where null is given.
    fields = {name: value for name, value in given.items() if value is not None or name in NULLABLE}
    _require_assistant(asking, fields)
    writers.change(kind, writer(asking), entry_id, fields)
    wait(asking, entry_id)
    return show(kind, model, entry_id)


def remove(kind: Kind, entry_id: UUID) -> dict[str, Any]:
    """Delete an entry with all that makes it findable; return the receipt."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        entry, _ = entries.get(session, kind, entry_id)
        if asking.role == Role.USER and getattr(entry, kind.by) != asking.user_id:
            raise Forbidden("Somebody else wrote this; a manager can delete it.")
    name, chunks = writers.remove(kind, asking.tenant_id, entry_id)
    return {"id": entry_id, "name": name, "chunks_deleted": chunks, "deleted_at": datetime.now(UTC).isoformat()}


def export(kind: Kind, form: str) -> Response:
    """Return all entries as a file that an import takes back, newest first."""
    fields, rows = ("id", *kind.fields), _rows(kind, caller().tenant_id)
    lines = writing.as_csv(fields, rows) if form == "csv" else writing.as_json(fields, rows)
    response = Response(lines, content_type=CONTENT_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{kind.source}.{form}"'
    return response


def values_of(kind: Kind, body: Body) -> dict[str, Any]:
    """Return what a body says of an entry, by field."""
    return {name: getattr(body, name) for name in kind.fields}


def writer(asking: Caller, *, replace: bool = True) -> Writer:
    """Return who writes, as the store wants it: users change only what they wrote themselves."""
    return Writer(asking.tenant_id, asking.user_id, own_only=asking.role == Role.USER, replace=replace)


def _rows(kind: Kind, tenant_id: UUID) -> Iterator[Mapping[str, Any]]:
    after = None
    while True:
        with tenant_session(tenant_id) as session:
            found = [
                {"id": entry.id, "at": entry.created_at, **entries.values_of(kind, entry)}
                for entry, _ in entries.listing(session, kind, PAGE, after)
            ]
        yield from found
        if len(found) < PAGE:
            return
        after = (found[-1]["at"], found[-1]["id"])


def _require_assistant(asking: Caller, values: Mapping[str, Any]) -> None:
    if values.get("assistant_key") is not None:
        with tenant_session(asking.tenant_id) as session:
            turns.agent(session, values["assistant_key"])


def wait(asking: Caller, entry_id: UUID) -> None:
    """Wait until an entry is searchable, where the request asks for that."""
    wait_s = waiting.preferred_wait_s()
    if wait_s is not None:
        finishing.finished_document(asking, entry_id, wait_s)
