"""Applies edits of chunks: embeds the new text and puts it in place of the old one."""

from contextlib import suppress
from uuid import UUID

from pipelines.ingest import embed, tokens
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import chunks, documents, edits
from pipelines.stores.knowledge.chunks import Rewritten
from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from schemas.errors.files import TooManyAttempts
from schemas.errors.providers import StoreUnavailable
from schemas.errors.tree import AuraError, Permanent, Transient
from schemas.errors.work import LeaseLost
from schemas.settings import get_settings
from schemas.tables.chunks import ChunkEdit
from workers import wiring
from workers.app import app
from workers.process import leases
from workers.spending import budget


@app.task(name="workers.edits.apply")
def apply(tenant_id: str, edit_id: str) -> None:
    """Apply an edit that is accepted work; an error ends it with a reason or puts it off."""
    tenant, edit = UUID(tenant_id), UUID(edit_id)
    try:
        _apply(tenant, edit)
    finally:
        with suppress(StoreUnavailable):
            # Whoever waits looks at the row again, whatever has become of it.
            calls.reply(get_redis(), tenant, edit, {})


def _apply(tenant_id: UUID, edit_id: UUID) -> None:
    lease_s = get_settings().stage_lease_s
    with tenant_session(tenant_id) as session:
        edit = edits.claim(session, edit_id, lease_s)
    if edit is None:
        return
    try:
        if edit.attempts > edits.MAX_ATTEMPTS:
            raise TooManyAttempts("Applying this edit stopped the worker repeatedly, so it was put aside.")
        with leases.kept(lambda: _renew(edit, lease_s), lease_s / 4):
            written = _written(edit)
            with tenant_session(edit.tenant_id) as session:
                edits.apply(session, edit, written)
    except (LeaseLost, StoreUnavailable):
        return  # It is another's now, or keeps its lease, which runs out; then the sweep finds it.
    except Transient as error:
        _defer(edit, error)
    except Permanent as error:
        _fail(edit, error)


def _written(edit: ChunkEdit) -> Rewritten:
    """Return the edit's text with its vector: that of a chunk with the same text, if the tenant has one."""
    with tenant_session(edit.tenant_id) as session:
        document = documents.get(session, edit.doc_id)
        chunk = chunks.get(session, edit.doc_id, edit.chunk_id)
        embedder = wiring.embedder(edit.tenant_id)
        context = chunks.context(document, chunk.heading_path, edit.chunk_text)
        sha256 = chunks.context_sha256(context)
        known = chunks.known_vectors(session, edit.tenant_id, embedder.model, {sha256})
    vector = known.get(sha256)
    if vector is None:
        with budget.embedding(edit.tenant_id, embedder, [context], edit.doc_id):
            [vector] = embed.embed([context], embedder).astype("float16")
    return Rewritten(edit.chunk_text, tokens.count(edit.chunk_text), context, vector, embedder.model)


def _renew(edit: ChunkEdit, lease_s: float) -> bool:
    with tenant_session(edit.tenant_id, durable=False) as session:
        return edits.renew(session, edit, lease_s)


def _defer(edit: ChunkEdit, error: Transient) -> None:
    with tenant_session(edit.tenant_id) as session:
        put_off = edits.defer(session, edit, error, error.retry_after_s)
    if not put_off:
        _fail(edit, error)


def _fail(edit: ChunkEdit, error: AuraError) -> None:
    with tenant_session(edit.tenant_id) as session:
        edits.fail(session, edit, error)
