"""A complete upload becomes what any upload becomes: its pieces are joined, checked and taken in."""

from dataclasses import replace
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from api.documents import arrivals
from api.door.auth import Caller
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import batches, uploads
from pipelines.stores.objects import ObjectStore, upload_prefix
from schemas.errors.requests import NotFound
from schemas.errors.tree import Permanent
from schemas.errors.uploads import UploadInUse
from schemas.requests.documents.documents import UploadForm
from schemas.settings import get_settings
from schemas.tables.batches import Upload
from workers.documents.reception import Incoming, folder_of

AT_ONCE = BoundedSemaphore(4)
"""Who joins holds one connection while it takes others: were all of a process held so, none would go on."""


def finish(asking: Caller, upload: Upload) -> Upload:
    """Take the upload's file in, keep its job, delete its pieces, and return it.

    A file that is refused for good takes its upload with it. Whoever dies in the middle is followed by the next
    request at the upload's end, which finds the same document, or the batch by the upload's id. Raises UploadInUse
    while another request does this, and what `arrivals.arrive` raises.
    """
    try:
        found = _finish(asking, upload)
    except Permanent as error:
        if not error.may_pass:
            with tenant_session(upload.tenant_id) as session:
                uploads.remove(session, upload.upload_id)
            _delete_pieces(upload)
        raise
    _delete_pieces(upload)
    return found


def _finish(asking: Caller, upload: Upload) -> Upload:
    with AT_ONCE, tenant_session(upload.tenant_id) as session:
        _hold(session, upload.upload_id)
        found = uploads.get(session, upload.upload_id)
        if found.job_id is None:
            job_id = _job_of(upload) or _arrive(asking, found)
            uploads.complete(session, upload.upload_id, job_id)
            found.job_id = job_id
        return found


def _arrive(asking: Caller, upload: Upload) -> UUID:
    form = UploadForm.model_validate(
        {**{name: value for name, value in upload.metadata_.items() if name != "pieces"}}
        | {"assistant_key": upload.assistant_key}
    )
    order = arrivals.order(replace(asking, user_id=upload.user_id), form)
    store = ObjectStore(get_settings())
    with TemporaryFile() as file:
        for key in upload.metadata_["pieces"]:
            for piece in store.pieces(key):
                file.write(piece)
        incoming = Incoming(upload.filename, file, folder_of(f"{form.folder or ''}/"), doc_id=upload.upload_id)
        order = replace(order, password=uploads.password_of(upload))
        return arrivals.arrive(order, [incoming], alone=True, batch_id=upload.upload_id).job_id


def _job_of(upload: Upload) -> UUID | None:
    """Return the batch that the upload has become already, by one that died before it could say so."""
    with tenant_session(upload.tenant_id) as session:
        try:
            return batches.get(session, upload.upload_id).batch_id
        except NotFound:
            return None


def _hold(session: Session, upload_id: UUID) -> None:
    """Be the only one that finishes this upload until the transaction ends. Raises UploadInUse."""
    taken = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
    if not session.scalar(taken, {"key": f"upload:{upload_id}"}):
        raise UploadInUse


def _delete_pieces(upload: Upload) -> None:
    ObjectStore(get_settings()).delete_prefix(upload_prefix(upload.tenant_id, upload.upload_id))
