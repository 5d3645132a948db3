"""Edits of chunks: accepted as rows, claimed by lease, applied once, and kept over a re-index.

Rows are locked in one order: the chunk, then its edits. Of the edits of a chunk that wait, there is one: a
later one supersedes it. `replaced_sha256` stays that of the text before any edit, however often a chunk is edited.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import Session

from pipelines.stores.knowledge import chunks
from pipelines.stores.knowledge.chunks import Rewritten
from pipelines.stores.knowledge.documents import touch_knowledge
from schemas.errors.requests import NotFound
from schemas.errors.tree import AuraError
from schemas.errors.work import LeaseLost
from schemas.tables.chunks import ChunkEdit, EditStatus

OPEN = (EditStatus.QUEUED, EditStatus.RUNNING)
MAX_ATTEMPTS = 3
PATIENCE = timedelta(hours=1)
"""For so long an edit waits for a provider that does not answer."""


def text_sha256(chunk_text: str) -> bytes:
    """Return what a chunk's text is known by: 32 bytes."""
    return hashlib.sha256(chunk_text.encode(errors="replace")).digest()


def accept(session: Session, tenant_id: UUID, doc_id: UUID, chunk_id: int, user_id: str, chunk_text: str) -> ChunkEdit:
    """Commit an edit as queued work; one of the same chunk that still waits is superseded. Raises NotFound."""
    chunk = chunks.get(session, doc_id, chunk_id, lock=True)
    before = session.scalar(
        select(ChunkEdit.replaced_sha256).where(ChunkEdit.doc_id == doc_id, ChunkEdit.chunk_id == chunk_id).limit(1)
    )
    session.execute(
        update(ChunkEdit)
        .where(ChunkEdit.doc_id == doc_id, ChunkEdit.chunk_id == chunk_id, ChunkEdit.status.in_(OPEN))
        .values(status=EditStatus.SUPERSEDED, lease_token=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    edit = ChunkEdit(
        tenant_id=tenant_id,
        edit_id=uuid4(),
        doc_id=doc_id,
        chunk_id=chunk_id,
        chunk_index=chunk.chunk_index,
        user_id=user_id,
        chunk_text=chunk_text,
        replaced_sha256=before or text_sha256(chunk.chunk_text),
        # Of edits at once the one that held the chunk last is the latest, whenever their transactions began.
        created_at=func.clock_timestamp(),
    )
    session.add(edit)
    session.flush()
    session.refresh(edit)
    return edit


def get(session: Session, doc_id: UUID, edit_id: UUID) -> ChunkEdit:
    """Return an edit of the document. Raises NotFound."""
    found = session.scalar(
        select(ChunkEdit).where(ChunkEdit.doc_id == doc_id, ChunkEdit.edit_id == edit_id),
        execution_options={"populate_existing": True},
    )
    if found is None:
        raise NotFound("The document has no edit with this id.")
    return found


def latest(session: Session, doc_id: UUID, chunk_id: int) -> ChunkEdit | None:
    """Return the chunk's last edit, if it has one."""
    return session.scalar(
        select(ChunkEdit)
        .where(ChunkEdit.doc_id == doc_id, ChunkEdit.chunk_id == chunk_id)
        .order_by(ChunkEdit.created_at.desc())
        .limit(1)
    )


def claim(session: Session, edit_id: UUID, lease_s: float) -> ChunkEdit | None:
    """Take the edit for `lease_s` seconds; None where it is done, not due, or another has it."""
    free = or_(ChunkEdit.lease_until.is_(None), ChunkEdit.lease_until < func.now())
    return session.scalar(
        update(ChunkEdit)
        .where(ChunkEdit.edit_id == edit_id, ChunkEdit.status.in_(OPEN), free, ChunkEdit.due_at <= func.now())
        .values(
            status=EditStatus.RUNNING,
            attempts=ChunkEdit.attempts + 1,
            lease_token=uuid4(),
            lease_until=func.now() + timedelta(seconds=lease_s),
        )
        .returning(ChunkEdit)
        .execution_options(populate_existing=True)
    )


def renew(session: Session, edit: ChunkEdit, lease_s: float) -> bool:
    """Prolong the lease; False where it is ours no more."""
    return _change(session, edit, lease_until=func.now() + timedelta(seconds=lease_s))


def apply(session: Session, edit: ChunkEdit, written: Rewritten) -> None:
    """Put the edit's text, embedded, into its chunk, and move the tenant's knowledge version.

    Raises LeaseLost where the edit was superseded or moved meanwhile, and NotFound where its chunk is gone.
    """
    chunks.lock_corpus(session, edit.tenant_id)
    chunk = chunks.get(session, edit.doc_id, edit.chunk_id, lock=True)
    session.execute(
        update(ChunkEdit)
        .where(ChunkEdit.doc_id == edit.doc_id, ChunkEdit.chunk_id == edit.chunk_id)
        .where(ChunkEdit.status == EditStatus.APPLIED)
        .values(status=EditStatus.SUPERSEDED)
        .execution_options(synchronize_session=False)
    )
    ended = {"status": EditStatus.APPLIED, "applied_at": func.now(), "error_code": None, "error_detail": None}
    if not _change(session, edit, **ended, lease_token=None, lease_until=None):
        raise LeaseLost
    chunks.rewrite(session, chunk, written)
    touch_knowledge(session)


def defer(session: Session, edit: ChunkEdit, error: AuraError, wait_s: float) -> bool:
    """Put the edit off until a provider may answer again; no attempt is counted. False where it has waited too long."""
    age = datetime.now(UTC) - edit.created_at
    if age > PATIENCE:
        return False
    wait = max(timedelta(seconds=wait_s), min(age, timedelta(minutes=1)))
    return _change(
        session,
        edit,
        status=EditStatus.QUEUED,
        attempts=ChunkEdit.attempts - 1,
        lease_token=None,
        lease_until=None,
        due_at=func.now() + wait,
        enqueued_at=func.now() - timedelta(minutes=1),  # Nobody is on the way to it.
        error_code=error.code,
        error_detail=error.detail,
    )


def fail(session: Session, edit: ChunkEdit, error: AuraError) -> bool:
    """Give the edit up with a reason; the chunk keeps the text it has. False where it was ours no more."""
    ended = {"status": EditStatus.FAILED, "error_code": error.code, "error_detail": error.detail}
    return _change(session, edit, **ended, lease_token=None, lease_until=None)


def take_due(session: Session, at_most: int = 50) -> Sequence[tuple[UUID, UUID]]:
    """Return tenant and id of edits that nobody works on although they are due. Needs an operator's session."""
    rows = session.execute(text("SELECT tenant_id, edit_id FROM take_due_edits(:limit)"), {"limit": at_most})
    return [(row.tenant_id, row.edit_id) for row in rows]


def _change(session: Session, edit: ChunkEdit, **values: Any) -> bool:
    """Change the row while the edit is ours, and return whether it is."""
    done = session.execute(
        update(ChunkEdit)
        .where(ChunkEdit.tenant_id == edit.tenant_id, ChunkEdit.edit_id == edit.edit_id)
        .where(ChunkEdit.lease_token == edit.lease_token)
        .values(**values)
        .returning(ChunkEdit.edit_id)
        .execution_options(synchronize_session=False)
    )
    return done.one_or_none() is not None
