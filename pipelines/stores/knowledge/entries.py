"""Entries: training pairs, logic notes and reference materials. Each is a row, and the document that makes it findable.

Both are written in one transaction. A tenant's writers of entries wait for one another, so that what goes by a
name is found or added, never both.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, insert, literal, or_, select, tuple_, update
from sqlalchemy.orm import Session

from pipelines.ingest.clean import one_line
from pipelines.stores.knowledge import chunks, documents, reindexing
from pipelines.stores.knowledge.entry_kinds import KINDS, MATERIALS, Kind, Values
from schemas.errors.callers import Forbidden
from schemas.errors.requests import Conflict, NotFound
from schemas.errors.tree import AuraError
from schemas.tables.knowledge import LARGE_UNITS, NO_LANE, SMALL_BYTES, Document
from schemas.tables.training import Entry, LogicNote

ROWS_AT_ONCE = 500
NAME_CHARS = 255


@dataclass(frozen=True)
class Draft:
    """An entry as somebody wants it: all of the kind's fields, and which one it is in place of, where that is known."""

    values: Values
    id: UUID | None = None


@dataclass(frozen=True)
class Writer:
    """Who writes entries, and how. `own_only` keeps them from what others wrote; `replace` lets them change at all."""

    tenant_id: UUID
    user_id: str
    own_only: bool = False
    replace: bool = True
    batch_id: UUID | None = None
    priority: int = 0


@dataclass(frozen=True)
class Put:
    """What became of a draft: `change` is created, updated or unchanged, or there is an error."""

    id: UUID
    name: str
    change: str
    error: AuraError | None = None


def put(session: Session, kind: Kind, writer: Writer, drafts: Sequence[Draft]) -> list[Put]:
    """Add or change entries and queue what makes them findable; return what became of each, in order.

    One without an id is that which goes by the same name for the same assistant, else new. Of two drafts of one
    entry the later is refused.
    """
    lock(session, writer.tenant_id)
    found = decided(session, kind, writer, drafts)
    by_change: dict[str, list[tuple[UUID, Values]]] = {"created": [], "updated": [], "unchanged": [], "refused": []}
    for one, draft in zip(found, drafts, strict=True):
        by_change[one.change].append((one.id, draft.values))
    _add(session, kind, writer, by_change["created"])
    _change(session, kind, writer, by_change["updated"])
    return found


def decided(session: Session, kind: Kind, writer: Writer, drafts: Sequence[Draft]) -> list[Put]:
    """Return what `put` would make of the drafts, in order; nothing is written."""
    there = _There(session, kind, drafts)
    return [_decided(there, kind, writer, draft) for draft in drafts]


def get(session: Session, kind: Kind, entry_id: UUID) -> tuple[Entry, Document]:
    """Return an entry with its document. Raises NotFound."""
    found = session.execute(
        _joined(kind).where(kind.model.id == entry_id), execution_options={"populate_existing": True}
    ).one_or_none()
    if found is None:
        raise NotFound
    return found[0], found[1]


@dataclass(frozen=True)
class Wanted:
    """Which entries are asked for; None asks for all. `part` is searched in their names and texts."""

    part: str | None = None
    tag: str | None = None
    assistant_key: str | None = None
    category: str | None = None


def listing(
    session: Session, kind: Kind, limit: int, after: tuple[datetime, UUID] | None = None, wanted: Wanted | None = None
) -> list[tuple[Entry, Document]]:
    """Return entries with their documents, newest first, `limit` at most, those older than `after`."""
    model, asked = kind.model, wanted or Wanted()
    query = _joined(kind).order_by(model.created_at.desc(), model.id.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(model.created_at, model.id) < tuple_(*map(literal, after)))
    if asked.part:
        columns = dict.fromkeys((kind.named_by, kind.title, kind.text))
        query = query.where(or_(*(getattr(model, name).icontains(asked.part, autoescape=True) for name in columns)))
    if asked.tag:
        query = query.where(model.tags.any(asked.tag))  # type: ignore[arg-type]
    if asked.assistant_key:
        query = query.where(model.assistant_key == asked.assistant_key)
    if asked.category and model is LogicNote:
        query = query.where(LogicNote.category == asked.category)
    return [(row[0], row[1]) for row in session.execute(query)]


def remove(session: Session, kind: Kind, tenant_id: UUID, entry_id: UUID) -> int:
    """Delete an entry with all that makes it findable; return how many chunks that were. Raises NotFound."""
    lock(session, tenant_id)
    get(session, kind, entry_id)
    gone = chunks.forget(session, tenant_id, [entry_id])
    documents.remove(session, entry_id)
    return gone


def originals(session: Session, found: Sequence[Document]) -> dict[UUID, bytes]:
    """Return, by document, what is read of those that are entries; those that are gone are not there."""
    read: dict[UUID, bytes] = {}
    for kind in KINDS:
        ids = [document.doc_id for document in found if document.source == kind.source]
        rows = _rows(session, kind, kind.model.id.in_(ids)) if ids else []
        read |= {row.id: kind.original(vars(row)) for row in rows}
    return read


def values_of(kind: Kind, entry: Entry) -> dict[str, Any]:
    """Return what is written of an entry, by field."""
    return {name: getattr(entry, name) for name in kind.fields}


def lock(session: Session, tenant_id: UUID) -> None:
    """Wait until this transaction alone writes the tenant's entries."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"aura.entries.{tenant_id}", 0))))


def name_sha256(name: str) -> bytes:
    """Return what a name is known by: 32 bytes. Case and the width of blanks are no difference."""
    return hashlib.sha256(" ".join(name.casefold().split()).encode(errors="replace")).digest()


Key: TypeAlias = tuple[str, bytes]
"""What there is one entry of: the assistant, and what the name is known by."""


class _There:
    """The entries that are there, by id and by key, of those that drafts may mean."""

    def __init__(self, session: Session, kind: Kind, drafts: Sequence[Draft]) -> None:
        self.by_id: dict[UUID, Entry] = {}
        self.documents: set[UUID] = set()
        self.seen: set[UUID | Key] = set()
        ids = [draft.id for draft in drafts if draft.id]
        names = [name_sha256(draft.values[kind.named_by]) for draft in drafts]
        for start in range(0, len(drafts), ROWS_AT_ONCE):
            some, named = ids[start : start + ROWS_AT_ONCE], names[start : start + ROWS_AT_ONCE]
            meant = or_(kind.model.id.in_(some), kind.model.name_sha256.in_(named))
            self.by_id |= {row.id: row for row in _rows(session, kind, meant)}
            self.documents |= set(session.scalars(select(Document.doc_id).where(Document.doc_id.in_(some))))
        self.by_key = {_key(row.assistant_key, row.name_sha256): row for row in self.by_id.values()}


def _decided(there: _There, kind: Kind, writer: Writer, draft: Draft) -> Put:
    """Return what is to become of a draft."""
    name = str(draft.values[kind.named_by])
    key = _key(draft.values["assistant_key"], name_sha256(name))
    namesake = there.by_key.get(key)
    row = there.by_id.get(draft.id) if draft.id else namesake
    entry_id = row.id if row else draft.id or uuid4()
    error: AuraError | None = None
    if key in there.seen or entry_id in there.seen:
        error = Conflict("An earlier row says the same entry already.")
    elif namesake is not None and namesake.id != entry_id:
        error = Conflict(f"Another entry goes by this {kind.named_by} already: {namesake.id}.")
    elif row is None and draft.id in there.documents:
        error = Conflict("Something else has this id already.")
    elif row is not None and not writer.replace:
        error = Conflict(f"There is an entry of this {kind.named_by} already: {entry_id}.")
    elif row is not None and writer.own_only and getattr(row, kind.by) != writer.user_id:
        error = Forbidden("Somebody else wrote this; a manager can change it.")
    there.seen |= {key, entry_id}
    if error is not None:
        return Put(entry_id, name, "refused", error)
    if row is None:
        return Put(entry_id, name, "created")
    return Put(entry_id, name, "unchanged" if values_of(kind, row) == dict(draft.values) else "updated")


def _add(session: Session, kind: Kind, writer: Writer, added: Sequence[tuple[UUID, Values]]) -> None:
    lane = {"batch_id": writer.batch_id, "lane": writer.batch_id or UUID(NO_LANE), "priority": writer.priority}
    of = {"tenant_id": writer.tenant_id}
    for start in range(0, len(added), ROWS_AT_ONCE):
        some = added[start : start + ROWS_AT_ONCE]
        session.execute(
            insert(Document),
            [
                {
                    **of,
                    **lane,
                    **_document(kind, values),
                    "doc_id": entry_id,
                    "user_id": writer.user_id,
                    "source": kind.source,
                    # No digest: an entry is never the same as a file, nor as another entry.
                    "content_sha256": f"{kind.source}:{entry_id}",
                }
                for entry_id, values in some
            ],
        )
        session.execute(
            insert(kind.model),
            [{**of, **_row(kind, values), "id": entry_id, kind.by: writer.user_id} for entry_id, values in some],
        )


def _change(session: Session, kind: Kind, writer: Writer, changed: Sequence[tuple[UUID, Values]]) -> None:
    if not changed:
        return
    reindexing.anew(session, [entry_id for entry_id, _ in changed], writer.batch_id, writer.priority)
    of = {"tenant_id": writer.tenant_id}
    at = session.scalar(select(func.now()))
    session.execute(update(Document), [{**of, "doc_id": id_, **_document(kind, values)} for id_, values in changed])
    session.execute(
        update(kind.model), [{**of, "id": id_, **_row(kind, values), "updated_at": at} for id_, values in changed]
    )
    session.expire_all()


def _document(kind: Kind, values: Values) -> dict[str, Any]:
    """Return what an entry's document says of it."""
    size = sum(len(str(values[name]).encode(errors="replace")) for name in {kind.title, kind.text})
    about = {name: values[name] for name in ("tags", "category") if values.get(name)}
    return {
        "assistant_key": values["assistant_key"],
        "filename": one_line(values[kind.named_by])[:NAME_CHARS],
        "title": one_line(values[kind.title]),
        "file_type": kind.format(values),
        "file_size": size,
        "metadata_": about,
        "units": 1 if size <= SMALL_BYTES else LARGE_UNITS,
    }


def _row(kind: Kind, values: Values) -> dict[str, Any]:
    row = {**values, "name_sha256": name_sha256(values[kind.named_by])}
    if kind is MATERIALS:
        row |= {"original_filename": values["filename"], "file_size": len(values["content"].encode(errors="replace"))}
    return row


def _rows(session: Session, kind: Kind, which: ColumnElement[bool]) -> list[Entry]:
    rows: Any = session.scalars(select(kind.model).where(which))
    return list(rows)


def _joined(kind: Kind) -> Any:
    together = (Document.tenant_id == kind.model.tenant_id) & (Document.doc_id == kind.model.id)
    return select(kind.model, Document).join(Document, together)


def _key(assistant_key: str | None, sha256: bytes) -> Key:
    return assistant_key or "", sha256
