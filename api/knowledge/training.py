"""Training pairs, which are found as documents are."""

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from api.door.permissions import allows
from api.knowledge import entries, entry_imports
from pipelines.stores.knowledge.entry_kinds import PAIRS
from schemas.requests.common import IdPath
from schemas.requests.knowledge.imports import Exporting, Imported
from schemas.requests.knowledge.training import EntryGone, EntryListing, PairBody, PairChange, PairPage, PairView
from schemas.tables.identity import Permission

blueprint = APIBlueprint("training", __name__, url_prefix="/api/training/qa", abp_tags=[Tag(name="training pairs")])


@blueprint.get("", responses={200: PairPage})
@allows(Permission.DOCUMENTS_READ)
def listing(query: EntryListing) -> dict[str, Any]:
    """Return the organisation's training pairs, newest first; those only that match all that is asked."""
    return entries.listing(PAIRS, PairView, query)


@blueprint.post("", responses={201: PairView})
@allows(Permission.AI_WRITE)
def make(body: PairBody) -> Any:
    """Add a training pair. It is searchable within moments; `Prefer: wait=N` waits for that."""
    return entries.make(PAIRS, PairView, body)


@blueprint.post("/import", responses={202: Imported, 200: Imported})
@allows(Permission.AI_WRITE)
def bring() -> Response:
    """Add or change up to 10,000 training pairs: a form with a `file` (CSV, JSON or NDJSON), or `rows` as JSON.

    A row with an `id`, or with the name of an entry of the same assistant, changes that; others are new. Refused rows
    are told by their numbers, and are no hindrance to the others. `dry_run` says what would be done.
    """
    return entry_imports.bring(PAIRS, PairBody)


@blueprint.get("/export", responses={200: entries.EXPORTED})
@allows(Permission.DOCUMENTS_READ)
def export(query: Exporting) -> Response:
    """Return all training pairs as a file that an import takes back as it was."""
    return entries.export(PAIRS, query.format)


@blueprint.get("/<uuid:id>", responses={200: PairView})
@allows(Permission.DOCUMENTS_READ)
def show(path: IdPath) -> dict[str, Any]:
    """Return a training pair and where it stands."""
    return entries.show(PAIRS, PairView, path.id)


@blueprint.patch("/<uuid:id>", responses={200: PairView})
@allows(Permission.AI_WRITE)
def change(path: IdPath, body: PairChange) -> dict[str, Any]:
    """Change what is given of a training pair; until the change is searchable, it answers as before."""
    return entries.change(PAIRS, PairView, path.id, body)


@blueprint.delete("/<uuid:id>", responses={200: EntryGone})
@allows(Permission.AI_WRITE)
def remove(path: IdPath) -> dict[str, Any]:
    """Delete a training pair with all that makes it findable; answer with the receipt."""
    return entries.remove(PAIRS, path.id)
