"""Takes entries in: writes them with what makes them findable, wakes the admission, and tells.

Their events are those of documents, and say the entries' `source`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from pipelines.stores.database import TenantSession, tenant_session
from pipelines.stores.ingest import batches
from pipelines.stores.ingest.batches import Item
from pipelines.stores.knowledge import documents, entries
from pipelines.stores.knowledge.entries import NAME_CHARS, Draft, Put, Writer
from pipelines.stores.knowledge.entry_kinds import Kind, Values
from pipelines.stores.objects import ObjectStore, document_prefix
from schemas.errors.requests import Conflict
from schemas.events import Event, EventName
from schemas.settings import get_settings
from schemas.tables.batches import Batch, Source
from workers import announce, send
from workers.documents import reception

WORK = ("created", "updated")


@dataclass(frozen=True)
class Taken:
    """What became of drafts, in order, and the batch that is to be waited for; none where nothing is to be done."""

    found: Sequence[Put]
    batch_id: UUID | None = None


def add(kind: Kind, writer: Writer, values: Values) -> Put:
    """Add an entry. Raises what it is refused with, QuotaExceeded, StoreUnavailable."""
    return _one(_written(kind, writer, lambda _: [Draft(values)]))


def change(kind: Kind, writer: Writer, entry_id: UUID, fields: Values) -> Put:
    """Change these fields of an entry. Raises NotFound, what it is refused with, QuotaExceeded, StoreUnavailable."""

    def draft(session: TenantSession) -> Sequence[Draft]:
        # Nobody else changes another field of it in between.
        entries.lock(session, writer.tenant_id)
        entry, _ = entries.get(session, kind, entry_id)
        return [Draft({**entries.values_of(kind, entry), **fields}, entry_id)]

    return _one(_written(kind, writer, draft))


def write_many(kind: Kind, writer: Writer, drafts: Sequence[Draft]) -> Taken:
    """Add or change entries as one batch; a refused one is no hindrance to the others.

    Raises QuotaExceeded where there is no room for all of them: then none is taken in.
    """
    return _written(kind, writer, lambda _: drafts, together=True)


def would_write(kind: Kind, writer: Writer, drafts: Sequence[Draft]) -> Taken:
    """Return what `write_many` would make of the drafts."""
    with tenant_session(writer.tenant_id) as session:
        return Taken(entries.decided(session, kind, writer, drafts))


def remove(kind: Kind, tenant_id: UUID, entry_id: UUID) -> tuple[str, int]:
    """Delete an entry with all that makes it findable; return its name, and of how many chunks it was.

    Raises NotFound, StoreUnavailable.
    """
    with tenant_session(tenant_id) as session:
        _, document = entries.get(session, kind, entry_id)
        # Before the row goes: where the store is away nothing is deleted, and the client asks again.
        ObjectStore(get_settings()).delete_prefix(document_prefix(tenant_id, entry_id))
        filename = document.filename
        told = announce.about(EventName.DOCUMENT_DELETED, document, filename=filename)
        gone = entries.remove(session, kind, tenant_id, entry_id)
        tell = announce.owe(session, tenant_id, [told])
    tell()
    return filename, gone


def _one(taken: Taken) -> Put:
    [put] = taken.found
    if put.error is not None:
        raise put.error
    return put


def _written(
    kind: Kind, writer: Writer, drafts: Callable[[TenantSession], Sequence[Draft]], *, together: bool = False
) -> Taken:
    try:
        with tenant_session(writer.tenant_id) as session:
            batch = _begun(session, kind, writer) if together else None
            of = replace(writer, batch_id=batch.batch_id if batch else None)
            found = entries.put(session, kind, of, drafts(session))
            work = [put for put in found if put.change in WORK]
            if work:
                reception.require_room(session)
            told = _told(session, [put for put in work if put.change == "created"])
            if batch is not None and work:
                batches.add_items(session, batch, [Item(put.name[:NAME_CHARS], doc_id=put.id) for put in work])
            elif batch is not None:
                session.delete(batch)
            tell = announce.owe(session, writer.tenant_id, told)
    except IntegrityError as error:
        raise Conflict("Two of these entries would go by one name. Change them one after the other.") from error
    if work:
        send.admission()
        tell()
    return Taken(found, batch.batch_id if batch and work else None)


def _begun(session: TenantSession, kind: Kind, writer: Writer) -> Batch:
    return batches.begin(
        session, writer.tenant_id, writer.user_id, Source.ENTRIES, name=kind.source, priority=writer.priority
    )


def _told(session: TenantSession, created: Sequence[Put]) -> list[Event]:
    found = documents.many(session, [put.id for put in created])
    return [
        announce.about(EventName.DOCUMENT_ACCEPTED, document, filename=document.filename) for document in found.values()
    ]
