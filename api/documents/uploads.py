"""Uploads in pieces that go on after a cut: the tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload).

Core, with the extensions creation, creation-with-upload, checksum, expiration and termination. Nothing is kept
in the process: each piece is an object, and how far the upload is stands in its row. What the last piece
completes is taken in as any upload is.
"""

from pathlib import PurePosixPath
from uuid import UUID

from flask import Response, jsonify, request
from flask_openapi3 import APIBlueprint, Tag

from api.documents import tus
from api.documents.batch_views import links
from api.documents.joining import finish
from api.documents.pieces import append
from api.door.auth import Caller, caller
from api.door.permissions import allows
from pipelines.ingest.sniff import safe_filename
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import batches, uploads
from pipelines.stores.objects import ObjectStore, upload_prefix
from pipelines.stores.turns import turns
from schemas.errors.callers import QuotaExceeded
from schemas.errors.requests import NotFound
from schemas.errors.uploads import EmptyFile, FileTooLarge, UnknownTusVersion, UnsupportedType, WrongOffset
from schemas.requests.common import IdPath
from schemas.requests.documents.batches import UploadView
from schemas.requests.documents.documents import UploadForm
from schemas.settings import get_settings
from schemas.tables.batches import Upload
from schemas.tables.identity import Permission
from workers.documents import reception

blueprint = APIBlueprint("uploads", __name__, url_prefix="/api/uploads", abp_tags=[Tag(name="uploads")])


@blueprint.after_request
def _speak_tus(response: Response) -> Response:
    response.headers["Tus-Resumable"] = tus.VERSION
    if response.status_code == UnknownTusVersion.status:
        response.headers["Tus-Version"] = tus.VERSION
    return response


@blueprint.route("", methods=["OPTIONS"])
@allows(Permission.PUBLIC)
def options() -> Response:
    """Tell what this server can do."""
    return tus.options()


@blueprint.post("", responses={201: {"description": "Its address is in `Location`."}})
@allows(Permission.DOCUMENTS_WRITE)
def create() -> Response:
    """Begin an upload of `Upload-Length` bytes; `Upload-Metadata` names at least `filename`.

    It may also hold `assistant_key`, `user_id`, `password`, `priority`, `batch_id` and `folder`, as the form of an
    upload does. A body of type `application/offset+octet-stream` is its first piece.
    """
    tus.require_version()
    size, about = tus.number("Upload-Length"), tus.metadata()
    filename = safe_filename(about.get("filename") or about.get("name") or "")
    form = UploadForm.model_validate({name: value for name, value in about.items() if value})
    asking = caller(form.tenant_id, form.user_id)
    _require_size(filename, size)
    kept = {name: about[name] for name in ("filetype", "folder", "priority", "batch_id") if about.get(name)}
    with tenant_session(asking.tenant_id) as session:
        if form.assistant_key:
            turns.agent(session, form.assistant_key)
        if form.batch_id:
            batches.get(session, form.batch_id)
        count, coming = uploads.unfinished(session)
        if count >= get_settings().max_open_uploads:
            raise QuotaExceeded(f"The organisation has {count} unfinished uploads; finish or delete some first.")
        reception.require_room(session, coming + size)
        upload = uploads.begin(
            session, asking.tenant_id, asking.user_id, filename, size, form.assistant_key, kept, form.password
        )
    if request.mimetype == tus.OFFSET_TYPE:
        upload = _appended(asking, upload)
    return tus.stand(upload, 201)


@blueprint.get("/<uuid:id>", responses={200: UploadView})
@allows(Permission.DOCUMENTS_WRITE)
def show(path: IdPath) -> Response:
    """Return how far an upload is: with HEAD in the headers of the protocol, with GET also as JSON."""
    upload = _own(caller(), path.id)
    if request.method == "HEAD":
        tus.require_version()
    done = upload.job_id is not None
    job = links(upload.job_id) if done else {"job_id": None, "job": None, "events": None}
    view = UploadView(
        id=upload.upload_id,
        filename=upload.filename,
        size=upload.size,
        received=upload.received,
        complete=done,
        created_at=upload.created_at,
        expires_at=upload.expires_at,
        **job,
    )
    response: Response = jsonify(view.model_dump(mode="json"))
    response.headers |= {**_without_type(tus.stand(upload, 200)), "Upload-Length": str(upload.size)}
    return response


@blueprint.patch("/<uuid:id>", responses={204: {"description": "Kept. `Job-Id` names the job of a complete upload."}})
@allows(Permission.DOCUMENTS_WRITE)
def patch(path: IdPath) -> Response:
    """Add the piece that begins at `Upload-Offset`; the one that completes the upload makes it a document or a batch.

    What came of a piece before its line broke is kept, unless it came with an `Upload-Checksum`.
    """
    asking = caller()
    upload = _own(asking, path.id)
    tus.require_version()
    if request.mimetype != tus.OFFSET_TYPE:
        raise UnsupportedType(f"A piece is sent as `{tus.OFFSET_TYPE}`.")
    if tus.number("Upload-Offset") != upload.received:
        raise WrongOffset
    return tus.stand(_appended(asking, upload), 204)


@blueprint.delete("/<uuid:id>", responses={204: {"description": "The upload and what came of it are gone."}})
@allows(Permission.DOCUMENTS_WRITE)
def terminate(path: IdPath) -> Response:
    """Give an upload up and delete what came of it. What it has become, if it was complete, stays."""
    asking = caller()
    _own(asking, path.id)
    tus.require_version()
    with tenant_session(asking.tenant_id) as session:
        uploads.remove(session, path.id)
    ObjectStore(get_settings()).delete_prefix(upload_prefix(asking.tenant_id, path.id))
    return Response(status=204)


def _appended(asking: Caller, upload: Upload) -> Upload:
    """Add the request's body to the upload and, where it is complete, take it in; return the upload."""
    if upload.job_id is None:
        upload = append(upload)
    if upload.received == upload.size and upload.job_id is None:
        return finish(asking, upload)
    return upload


def _own(asking: Caller, upload_id: UUID) -> Upload:
    """Return the upload, where it is the caller's, or the caller acts for all. Raises NotFound, UploadExpired."""
    with tenant_session(asking.tenant_id) as session:
        upload = uploads.get(session, upload_id)
    if upload.user_id != asking.user_id and not asking.sees_all:
        raise NotFound("There is no upload with this id.")
    return upload


def _require_size(filename: str, size: int) -> None:
    settings = get_settings()
    if size == 0:
        raise EmptyFile
    is_archive = PurePosixPath(filename).suffix.lower() in (".zip", "")
    limit = settings.max_batch_mb if is_archive else settings.max_upload_mb
    if size > limit << 20:
        raise FileTooLarge(f"The file has {size / (1 << 20):.1f} MiB; this server accepts {limit} MiB.")


def _without_type(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if not name.startswith("Content-")}
