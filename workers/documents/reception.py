"""Takes files in: checks and stores them, commits them as queued work, wakes the admission, and tells.

The front door does it with what a request carries, the intake worker with what an archive or an address holds.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO
from uuid import UUID, uuid4

from pipelines.ingest.sniff import HEAD_BYTES, file_type, safe_filename
from pipelines.stores.database import TenantSession, afterwards, tenant_session
from pipelines.stores.ingest import accepting
from pipelines.stores.ingest.accepting import Upload
from pipelines.stores.ingest.batches import Item
from pipelines.stores.objects import PIECE_BYTES, ObjectStore, document_prefix, original_key
from pipelines.stores.organisation import quotas, usage
from pipelines.stores.organisation.quotas import Resource
from pipelines.stores.turns import turns
from schemas.errors.callers import QuotaExceeded
from schemas.errors.tree import AuraError, Permanent
from schemas.errors.uploads import FileTooLarge
from schemas.events import Event, EventName
from schemas.settings import get_settings
from schemas.tables.knowledge import Document
from workers import announce, send
from workers.spending import budget

MAX_FOLDER_CHARS = 1000
STORING = 8
"""Objects that are written at once."""


@dataclass(frozen=True)
class Order:
    """For whom files are taken in, and how they are to be worked on."""

    tenant_id: UUID
    user_id: str
    assistant_key: str | None = None
    priority: int = 0
    password: str | None = field(default=None, repr=False)
    batch_id: UUID | None = None


@dataclass(frozen=True)
class Incoming:
    """A file as it comes: a name nobody has checked, and its bytes in something that can be read twice."""

    filename: str
    file: IO[bytes]
    folder: str = ""
    source_url: str | None = None
    title: str = ""
    metadata: dict[str, object] = field(default_factory=dict)
    doc_id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True)
class Received:
    """What became of a file: a document, or the error it was refused with."""

    filename: str
    folder: str = ""
    url: str | None = None
    document: Document | None = None
    error: AuraError | None = None

    def as_item(self) -> Item:
        """Return it as its batch keeps it."""
        doc_id = self.document.doc_id if self.document else None
        code, detail = (self.error.code, self.error.detail) if self.error else (None, None)
        return Item(self.filename, self.folder, self.url, doc_id, code, detail)


def receive(
    order: Order,
    incoming: Sequence[Incoming],
    first: Callable[[TenantSession], object] = lambda session: None,
    then: Callable[[TenantSession, Sequence[Received]], object] = lambda session, received: None,
) -> list[Received]:
    """Take files in and return what became of each, in their order. A refused one is no hindrance to the others.

    `first` and `then` are what else happens in the transaction that accepts them. Raises QuotaExceeded where there
    is no room for all of them, UnknownAssistant, StoreUnavailable, and what the two raise: then nothing is taken in.
    """
    checked = [_checked(order, one) for one in incoming]
    uploads = [found for found in checked if isinstance(found, Upload)]
    with tenant_session(order.tenant_id) as session:
        if order.assistant_key:
            turns.agent(session, order.assistant_key)
        there = accepting.known_many(session, order.tenant_id, uploads)
        new = {upload.content: upload for upload in reversed(uploads) if upload.content not in there}
        require_room(session, sum(upload.file_size for upload in new.values()))
    files = {one.doc_id: one.file for one in incoming}
    stored = {upload.doc_id for upload in new.values()}
    try:
        _store(order.tenant_id, list(new.values()), files)
        with tenant_session(order.tenant_id) as session:
            first(session)
            accepted = accepting.accept_many(session, order.tenant_id, uploads, order.batch_id, order.priority)
            if any(is_new for _, is_new in accepted):
                require_room(session)
            # A document that was there when we looked, and was deleted since.
            late = [upload for upload, (_, is_new) in zip(uploads, accepted, strict=True) if is_new]
            _store(order.tenant_id, [upload for upload in late if upload.doc_id not in stored], files)
            received = _received(incoming, checked, accepted)
            then(session, received)
            tell = announce.owe(session, order.tenant_id, _told(order, [document for document, _ in accepted]))
    except AuraError:
        # Nothing of it was committed: the store is away, there is no room any more, or the work is no longer ours.
        _forget(order.tenant_id, stored)
        raise
    _forget(order.tenant_id, stored - {document.doc_id for document, _ in accepted})
    if accepted:
        send.admission()
        tell()
    return received


def refused(incoming: Sequence[Incoming], error: AuraError) -> list[Received]:
    """Return these files as refused, all for the same reason."""
    return [Received(safe_filename(one.filename), one.folder, one.source_url, None, error) for one in incoming]


def folder_of(name: str) -> str:
    """Return the folder in a file's name, as `a/b`: without what leads out of it, or cannot be shown."""
    parts = name.replace("\\", "/").split("/")[:-1]
    return "/".join(safe_filename(part) for part in parts if part.strip(". "))[:MAX_FOLDER_CHARS]


def _told(order: Order, documents: Sequence[Document]) -> list[Event]:
    """Return what is told of accepted documents, each once."""
    batch = {"batch_id": str(order.batch_id)} if order.batch_id else {}
    once = {document.doc_id: document.filename for document in documents}
    return [
        announce.of_document(EventName.DOCUMENT_ACCEPTED, order.tenant_id, doc_id, filename=filename, **batch)
        for doc_id, filename in once.items()
    ]


def require_room(session: TenantSession, adding: int = 0) -> None:
    """Refuse what the tenant's storage has no room for: what was inserted already, and `adding` bytes to come.

    Until the transaction ends the tenant's other uploads wait here. Raises QuotaExceeded.
    """
    room = usage.room(session)
    lacking = room.used + adding > room.limit
    tenant_id = session.tenant_id
    afterwards(session, lambda: budget.tell(tenant_id, Resource.STORAGE, room.used, room.limit, refused=lacking))
    if lacking:
        raise QuotaExceeded(
            f"The organisation's storage of {room.limit // quotas.BYTES_PER_GB} GB has no room for this file."
        )


def measured(file: IO[bytes], max_bytes: int) -> tuple[int, str]:
    """Return size and SHA-256 of the whole file. Raises FileTooLarge."""
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := file.read(PIECE_BYTES):
        digest.update(piece)
        size += len(piece)
    if size > max_bytes:
        raise FileTooLarge(f"The file has {size / (1 << 20):.1f} MiB; this server accepts {max_bytes >> 20} MiB.")
    return size, digest.hexdigest()


def ends(file: IO[bytes], size: int) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of a file, by which its type is told."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(max(0, size - HEAD_BYTES))
    return head, file.read(HEAD_BYTES)


def _checked(order: Order, one: Incoming) -> Upload | AuraError:
    filename = safe_filename(one.filename)
    try:
        size, sha256 = measured(one.file, get_settings().max_upload_mb << 20)
        kind = file_type(filename, *ends(one.file, size))
    except Permanent as error:
        return error
    return Upload(
        order.user_id,
        filename,
        kind,
        size,
        sha256,
        order.assistant_key,
        one.folder,
        one.source_url,
        one.title,
        dict(one.metadata),
        order.password,
        one.doc_id,
    )


def _store(tenant_id: UUID, uploads: Sequence[Upload], files: dict[UUID, IO[bytes]]) -> None:
    store = ObjectStore(get_settings())

    def put(upload: Upload) -> None:
        file = files[upload.doc_id]
        file.seek(0)
        key = original_key(tenant_id, upload.doc_id)
        if upload.file_size <= PIECE_BYTES:
            store.put(key, file.read())
        else:
            store.put_file(key, file)

    if len(uploads) == 1:
        put(uploads[0])
    elif uploads:
        with ThreadPoolExecutor(STORING) as pool:
            list(pool.map(put, uploads))


def _forget(tenant_id: UUID, doc_ids: set[UUID]) -> None:
    """Remove objects that no row stands for."""
    for doc_id in doc_ids:
        ObjectStore(get_settings()).delete_prefix(document_prefix(tenant_id, doc_id))


def _received(
    incoming: Sequence[Incoming], checked: Sequence[Upload | AuraError], accepted: Sequence[tuple[Document, bool]]
) -> list[Received]:
    documents = iter(accepted)
    found = []
    for one, result in zip(incoming, checked, strict=True):
        if isinstance(result, AuraError):
            found.append(Received(safe_filename(one.filename), one.folder, one.source_url, None, result))
        else:
            found.append(Received(result.filename, one.folder, one.source_url, next(documents)[0]))
    return found
