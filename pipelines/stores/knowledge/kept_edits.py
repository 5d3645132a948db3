"""Edits over a re-index: those whose original text is cut again as it was are kept, others are dropped and say so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from pipelines.ingest.elements import Chunk
from pipelines.ingest.tokens import count
from pipelines.stores.ingest.parts import StageRef
from pipelines.stores.knowledge.edits import text_sha256
from schemas.errors.requests import TextChanged
from schemas.tables.chunks import ChunkEdit, EditStatus


def applied(session: Session, doc_ids: Sequence[UUID]) -> dict[UUID, list[ChunkEdit]]:
    """Return, by document, the edits whose texts its chunks have now."""
    found: dict[UUID, list[ChunkEdit]] = {}
    for edit in session.scalars(
        select(ChunkEdit)
        .where(ChunkEdit.doc_id.in_(doc_ids), ChunkEdit.status == EditStatus.APPLIED)
        .order_by(ChunkEdit.chunk_index)
    ):
        found.setdefault(edit.doc_id, []).append(edit)
    return found


def edited(found: Sequence[Chunk], edits: Sequence[ChunkEdit]) -> list[Chunk]:
    """Return a document's new chunks with the texts of those edits that are kept."""
    hashes = {chunk.index: text_sha256(chunk.text) for chunk in found}
    kept: dict[int, ChunkEdit] = {}
    for edit in edits:
        free = (index for index, sha256 in hashes.items() if sha256 == edit.replaced_sha256 and index not in kept)
        # The same text may stand in a document twice; an edit is of the one that was where it was.
        if (index := min(free, key=lambda at: abs(at - edit.chunk_index), default=None)) is not None:
            kept[index] = edit
    return [
        replace(chunk, text=kept[chunk.index].chunk_text, token_count=count(kept[chunk.index].chunk_text))
        if chunk.index in kept
        else chunk
        for chunk in found
    ]


def move(session: Session, refs: Sequence[StageRef]) -> None:
    """Move the documents' edits to their new chunks, which are there already; note what was kept and what dropped.

    Call it where the chunks are replaced, after that: edits that were accepted until then are seen. One that is
    not in the new chunk yet, because it waits or came while the version was made, is queued to be applied there.
    """
    facts = {"tenant": refs[0].tenant_id, "docs": [ref.doc_id for ref in refs]}
    rows = session.execute(text(_OLD), facts).all()
    if not rows:
        return
    fresh = session.execute(text(_FRESH), {**facts, "docs": list({row.doc_id for row in rows})}).all()
    for ref in refs:
        ours = [row for row in rows if row.doc_id == ref.doc_id]
        if ours:
            _move(session, ref, ours, [row for row in fresh if row.doc_id == ref.doc_id])


_OLD = """
SELECT doc_id, edit_id, chunk_id, chunk_index, chunk_text, replaced_sha256, status, applied_at
FROM chunk_edits e
WHERE tenant_id = :tenant AND doc_id = ANY(:docs) AND status IN ('queued', 'running', 'applied')
ORDER BY doc_id, chunk_index, created_at FOR UPDATE
"""

_FRESH = """
SELECT doc_id, chunk_id, chunk_index, chunk_text FROM document_chunks
WHERE tenant_id = :tenant AND doc_id = ANY(:docs)
"""


def _move(session: Session, ref: StageRef, edits: Sequence[Row], fresh: Sequence[Row]) -> None:  # type: ignore[type-arg]
    of_chunks: dict[int, list[Row]] = {}  # type: ignore[type-arg]
    for edit in edits:
        of_chunks.setdefault(edit.chunk_id, []).append(edit)
    free = {row.chunk_id: (row, text_sha256(row.chunk_text)) for row in fresh}
    dropped = 0
    for same in of_chunks.values():
        there = [
            row
            for row, sha256 in free.values()
            if sha256 == same[0].replaced_sha256 or any(row.chunk_text == edit.chunk_text for edit in same)
        ]
        place = min(there, key=lambda row: abs(row.chunk_index - same[0].chunk_index), default=None)
        if place is None:
            dropped += 1
            for edit in same:
                _set(session, ref, edit.edit_id, status=EditStatus.DROPPED, **_WHY)
            continue
        del free[place.chunk_id]
        *before, last = same
        for edit in before:
            is_there = edit.status == EditStatus.APPLIED and place.chunk_text == edit.chunk_text
            _place(session, ref, edit, place, EditStatus.APPLIED if is_there else EditStatus.SUPERSEDED)
        is_there = last.status == EditStatus.APPLIED and place.chunk_text == last.chunk_text
        _place(session, ref, last, place, EditStatus.APPLIED if is_there else EditStatus.QUEUED)
    session.execute(
        text(
            "UPDATE document_versions SET options = options || jsonb_build_object('edits_kept', CAST(:kept AS int),"
            " 'edits_dropped', CAST(:dropped AS int))"
            " WHERE tenant_id = :tenant AND doc_id = :doc AND version = :version"
        ),
        {
            "tenant": ref.tenant_id,
            "doc": ref.doc_id,
            "version": ref.version,
            "kept": len(of_chunks) - dropped,
            "dropped": dropped,
        },
    )


_WHY = {"error_code": TextChanged.code, "error_detail": TextChanged.sentence()}


def _place(session: Session, ref: StageRef, edit: Row, place: Row, status: EditStatus) -> None:  # type: ignore[type-arg]
    _set(session, ref, edit.edit_id, status=status, chunk_id=place.chunk_id, chunk_index=place.chunk_index)
    if status == EditStatus.APPLIED:
        session.execute(
            text("UPDATE document_chunks SET edited_at = :at WHERE tenant_id = :tenant AND chunk_id = :chunk"),
            {"at": edit.applied_at, "tenant": ref.tenant_id, "chunk": place.chunk_id},
        )


def _set(session: Session, ref: StageRef, edit_id: UUID, **values: object) -> None:
    """Change an edit; whoever works on it finds that it is no longer theirs."""
    names = ", ".join(f"{name} = :{name}" for name in values)
    session.execute(
        text(
            f"UPDATE chunk_edits SET {names}, lease_token = NULL, lease_until = NULL, attempts = 0,"
            " enqueued_at = now() - interval '1 min' WHERE tenant_id = :tenant AND edit_id = :edit"
        ),
        {**_plain(values), "tenant": ref.tenant_id, "edit": edit_id},
    )


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {name: str(value) if isinstance(value, EditStatus) else value for name, value in values.items()}
