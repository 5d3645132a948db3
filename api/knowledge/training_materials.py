"""Reference materials, which are found as documents are."""

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from api.door.permissions import allows
from api.knowledge import entries, entry_imports
from pipelines.stores.knowledge.entry_kinds import MATERIALS
from schemas.requests.common import IdPath
from schemas.requests.knowledge.imports import Exporting, Imported
from schemas.requests.knowledge.training import (
    EntryGone,
    EntryListing,
    MaterialBody,
    MaterialChange,
    MaterialPage,
    MaterialView,
)
from schemas.tables.identity import Permission

blueprint = APIBlueprint(
    "training_materials", __name__, url_prefix="/api/training/materials", abp_tags=[Tag(name="reference materials")]
)


@blueprint.get("", responses={200: MaterialPage})
@allows(Permission.DOCUMENTS_READ)
def listing(query: EntryListing) -> dict[str, Any]:
    """Return the organisation's reference materials, newest first; those only that match all that is asked."""
    return entries.listing(MATERIALS, MaterialView, query)


@blueprint.post("", responses={201: MaterialView})
@allows(Permission.DOCUMENTS_WRITE)
def make(body: MaterialBody) -> Any:
    """Add a reference material. It is searchable within moments; `Prefer: wait=N` waits for that."""
    return entries.make(MATERIALS, MaterialView, body)


@blueprint.post("/import", responses={202: Imported, 200: Imported})
@allows(Permission.DOCUMENTS_WRITE)
def bring() -> Response:
    """Add or change up to 10,000 reference materials: a form with a `file` (CSV, JSON or NDJSON), or `rows` as JSON.

    A row with an `id`, or with the name of an entry of the same assistant, changes that; others are new. Refused rows
    are told by their numbers, and are no hindrance to the others. `dry_run` says what would be done.
    """
    return entry_imports.bring(MATERIALS, MaterialBody)


@blueprint.get("/export", responses={200: entries.EXPORTED})
@allows(Permission.DOCUMENTS_READ)
def export(query: Exporting) -> Response:
    """Return all reference materials as a file that an import takes back as it was."""
    return entries.export(MATERIALS, query.format)


@blueprint.get("/<uuid:id>", responses={200: MaterialView})
@allows(Permission.DOCUMENTS_READ)
def show(path: IdPath) -> dict[str, Any]:
    """Return a reference material and where it stands."""
    return entries.show(MATERIALS, MaterialView, path.id)


@blueprint.patch("/<uuid:id>", responses={200: MaterialView})
@allows(Permission.DOCUMENTS_WRITE)
def change(path: IdPath, body: MaterialChange) -> dict[str, Any]:
    """Change what is given of a reference material; until the change is searchable, it answers as before."""
    return entries.change(MATERIALS, MaterialView, path.id, body)


@blueprint.delete("/<uuid:id>", responses={200: EntryGone})
@allows(Permission.DOCUMENTS_WRITE)
def remove(path: IdPath) -> dict[str, Any]:
    """Delete a reference material with all that makes it findable; answer with the receipt."""
    return entries.remove(MATERIALS, path.id)
