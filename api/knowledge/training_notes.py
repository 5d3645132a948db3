"""Logic notes, which are found as documents are."""

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from api.door.permissions import allows
from api.knowledge import entries, entry_imports
from pipelines.stores.knowledge.entry_kinds import NOTES
from schemas.requests.common import IdPath
from schemas.requests.knowledge.imports import Exporting, Imported
from schemas.requests.knowledge.training import EntryGone, NoteBody, NoteChange, NoteListing, NotePage, NoteView
from schemas.tables.identity import Permission

blueprint = APIBlueprint(
    "training_notes", __name__, url_prefix="/api/training/notes", abp_tags=[Tag(name="logic notes")]
)


@blueprint.get("", responses={200: NotePage})
@allows(Permission.DOCUMENTS_READ)
def listing(query: NoteListing) -> dict[str, Any]:
    """Return the organisation's logic notes, newest first; those only that match all that is asked."""
    return entries.listing(NOTES, NoteView, query)


@blueprint.post("", responses={201: NoteView})
@allows(Permission.AI_WRITE)
def make(body: NoteBody) -> Any:
    """Add a logic note. It is searchable within moments; `Prefer: wait=N` waits for that."""
    return entries.make(NOTES, NoteView, body)


@blueprint.post("/import", responses={202: Imported, 200: Imported})
@allows(Permission.AI_WRITE)
def bring() -> Response:
    """Add or change up to 10,000 logic notes: a form with a `file` (CSV, JSON or NDJSON), or `rows` as JSON.

    A row with an `id`, or with the name of an entry of the same assistant, changes that; others are new. Refused rows
    are told by their numbers, and are no hindrance to the others. `dry_run` says what would be done.
    """
    return entry_imports.bring(NOTES, NoteBody)


@blueprint.get("/export", responses={200: entries.EXPORTED})
@allows(Permission.DOCUMENTS_READ)
def export(query: Exporting) -> Response:
    """Return all logic notes as a file that an import takes back as it was."""
    return entries.export(NOTES, query.format)


@blueprint.get("/<uuid:id>", responses={200: NoteView})
@allows(Permission.DOCUMENTS_READ)
def show(path: IdPath) -> dict[str, Any]:
    """Return a logic note and where it stands."""
    return entries.show(NOTES, NoteView, path.id)


@blueprint.patch("/<uuid:id>", responses={200: NoteView})
@allows(Permission.AI_WRITE)
def change(path: IdPath, body: NoteChange) -> dict[str, Any]:
    """Change what is given of a logic note; until the change is searchable, it answers as before."""
    return entries.change(NOTES, NoteView, path.id, body)


@blueprint.delete("/<uuid:id>", responses={200: EntryGone})
@allows(Permission.AI_WRITE)
def remove(path: IdPath) -> dict[str, Any]:
    """Delete a logic note with all that makes it findable; answer with the receipt."""
    return entries.remove(NOTES, path.id)
