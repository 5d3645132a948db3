"""What arrives at the door, by whichever way, becomes one document or one batch: here, and in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import SEEK_END
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID, uuid4

from flask import Response, jsonify

from api.documents.batch_views import links
from api.door.auth import Caller
from pipelines.ingest.sniff import safe_filename
from pipelines.ingest.unpack import is_zip
from pipelines.stores.database import TenantSession, tenant_session
from pipelines.stores.ingest import batches
from pipelines.stores.objects import ObjectStore, archive_key
from schemas.errors.callers import Forbidden
from schemas.errors.tree import AuraError
from schemas.errors.uploads import BatchClosed, TooManyFiles
from schemas.events import EventName
from schemas.requests.documents.batches import BatchAccepted, For, Refused
from schemas.requests.documents.documents import UploadAccepted, UploadForm
from schemas.settings import get_settings
from schemas.tables.batches import Batch, Source
from schemas.tables.identity import Role
from schemas.tables.knowledge import Document
from workers import announce, send
from workers.documents import batches as telling
from workers.documents import reception
from workers.documents.reception import Incoming, Order, Received

SHOWN = 100


@dataclass(frozen=True)
class Arrived:
    """The job that files have become: a document alone, or a batch with what became of each file."""

    document: Document | None = None
    batch: Batch | None = None
    received: Sequence[Received] = ()
    archives: int = 0
    addresses: int = 0

    @property
    def job_id(self) -> UUID:
        job_id = self.batch.batch_id if self.batch else self.document and self.document.doc_id
        assert job_id is not None
        return job_id


def is_archive(incoming: Incoming) -> bool:
    """Return whether the file is an archive of files: by its content, unless its name promises something else."""
    suffix = PurePosixPath(safe_filename(incoming.filename)).suffix.lower()
    if suffix not in (".zip", ""):
        return False
    size = incoming.file.seek(0, SEEK_END)
    return is_zip(*reception.ends(incoming.file, size))


def arrive(order: Order, files: Sequence[Incoming], *, alone: bool = False, batch_id: UUID | None = None) -> Arrived:
    """Take files in: one plain file is a document, all else a batch. `alone` says that one was sent.

    A new batch is called `batch_id` where that is given.

    Raises what the one file is refused with; of several each is refused by itself. Raises TooManyFiles, BatchClosed,
    NotFound, UnknownAssistant, QuotaExceeded where none is taken.
    """
    archives = [one for one in files if is_archive(one)]
    if alone and not archives and order.batch_id is None:
        [received] = reception.receive(order, files)
        if received.error:
            raise received.error
        return Arrived(received.document, received=[received])
    return _arrive_together(order, files, archives, batch_id)


def _arrive_together(
    order: Order, files: Sequence[Incoming], archives: Sequence[Incoming], batch_id: UUID | None
) -> Arrived:
    limit = get_settings().max_batch_files
    if len(files) > limit:
        raise TooManyFiles(f"A batch holds {limit:,} files at most.")
    filling = Filling(order, Source.ZIP if archives else Source.FILES, batch_id)
    plain = [one for one in files if one not in archives]
    stored: list[str] = []

    def first(session: TenantSession) -> None:
        filling.open(session)
        batches.require_places(session, filling.batch, len(plain), limit)

    def then(session: TenantSession, received: Sequence[Received]) -> None:
        batches.add_items(session, filling.batch, [one.as_item() for one in received])
        for name in stored:
            batches.add_source(session, filling.batch, Source.ZIP, archive=name)
        if order.password and archives:
            batches.seal_password(filling.batch, order.password)

    keep = [archive_key(order.tenant_id, filling.batch_id, name) for name in _put_archives(filling, archives, stored)]
    try:
        received = reception.receive(replace(order, batch_id=filling.batch_id), plain, first, then)
    except AuraError:
        ObjectStore(get_settings()).delete(*keep)
        raise
    filling.tell()
    return Arrived(batch=filling.batch, received=received, archives=len(archives))


class Filling:
    """A batch while files are put in: a new one, or one that is open."""

    batch: Batch

    def __init__(self, order: Order, source: Source, batch_id: UUID | None = None) -> None:
        self._order, self._source = order, source
        self.batch_id = order.batch_id or batch_id or uuid4()

    def open(self, session: TenantSession) -> None:
        """Make the batch, or lock the one named. Raises NotFound, BatchClosed, Forbidden."""
        order = self._order
        if order.batch_id is not None:
            self.batch = batches.to_fill(session, order.batch_id)
            return
        self.batch = batches.begin(
            session,
            order.tenant_id,
            order.user_id,
            self._source,
            assistant_key=order.assistant_key,
            priority=order.priority,
            batch_id=self.batch_id,
        )

    def tell(self) -> None:
        """Tell of a new batch and wake who takes in what is left; call it after the commit."""
        batch = self.batch
        if self._order.batch_id is None:
            announce.batch(
                EventName.BATCH_ACCEPTED, batch.tenant_id, batch.batch_id, source=batch.source, name=batch.name
            )
        if batch.intake:
            send.intake(batch.tenant_id, batch.batch_id)
        else:
            # Where every file was refused, or known before, nothing is left to do.
            telling.settle(batch.tenant_id, [batch.batch_id])


def order(asking: Caller, form: For | UploadForm) -> Order:
    """Return for whom files are taken in; what is added to a batch goes by what that was opened with.

    Raises NotFound, BatchClosed, and Forbidden for users who add to what others have begun.
    """
    made = Order(asking.tenant_id, asking.user_id, form.assistant_key, form.priority, batch_id=form.batch_id)
    if form.batch_id is None:
        return made
    with tenant_session(asking.tenant_id) as session:
        batch = batches.get(session, form.batch_id)
    require_own(asking, batch)
    if not batch.is_open:
        raise BatchClosed
    assistant_key = form.assistant_key or batch.assistant_key
    return replace(made, assistant_key=assistant_key, priority=form.priority or batch.priority)


def require_own(asking: Caller, found: Batch | Document) -> None:
    """Refuse users who change what others have begun; a manager may. Raises Forbidden."""
    if asking.role == Role.USER and found.user_id != asking.user_id:
        raise Forbidden("Somebody else began this; a manager can change it.")


def answer(arrived: Arrived) -> Response:
    """Return 202 with the job that the files have become."""
    response = jsonify(accepted(arrived.document) if arrived.document else _batch(arrived))
    response.status_code = 202
    response.headers["Location"] = links(arrived.job_id)["job"]
    return response


def accepted(document: Document) -> dict[str, Any]:
    """Return an accepted document with its job."""
    about = {"id": str(document.doc_id), "filename": document.filename, "status": document.processing_status}
    return UploadAccepted(
        message=f"Document '{document.filename}' accepted", **links(document.doc_id), document=about
    ).model_dump(mode="json")


def _batch(arrived: Arrived) -> dict[str, Any]:
    batch, found = arrived.batch, arrived.received
    assert batch is not None
    documents = [one.document for one in found if one.document]
    said = [f"{len(documents)} of {len(found)} files accepted"] if found else []
    said += [f"{arrived.archives} to be unpacked"] if arrived.archives else []
    said += [f"{arrived.addresses} to be fetched"] if arrived.addresses else []
    return BatchAccepted(
        message=", ".join(said),
        **links(batch.batch_id),
        batch={
            "id": str(batch.batch_id),
            "state": batch.state,
            "total": len(found) + arrived.addresses,
            "archives": arrived.archives,
        },
        documents=[
            {"id": str(document.doc_id), "filename": document.filename, "status": document.processing_status}
            for document in documents[:SHOWN]
        ],
        refused=[
            Refused(filename=one.filename, code=one.error.code, detail=one.error.detail) for one in found if one.error
        ],
    ).model_dump(mode="json")


def _put_archives(filling: Filling, archives: Sequence[Incoming], stored: list[str]) -> list[str]:
    """Store archives whole, each under a new name; return the names."""
    limit = get_settings().max_batch_mb << 20
    for one in archives:
        reception.measured(one.file, limit)
    for one in archives:
        one.file.seek(0)
        name = uuid4().hex
        ObjectStore(get_settings()).put_file(archive_key(filling._order.tenant_id, filling.batch_id, name), one.file)
        stored.append(name)
    return stored
