"""A worker that stands still longer than its lease comes back too late: what it made is refused."""

import os
import signal

import psutil

from deploy.ephemeral import Stack, wait_until
from tests.faults import chaos, ledger, texts
from tests.faults.conftest import LEASE_S
from tests.faults.provider import Provider
from tests.faults.uploads import all_processed, upload

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('aura.corpus.' || current_setting('app.tenant_id'), 0))"

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def test_a_worker_that_slept_through_its_lease_changes_nothing(stack: Stack, provider: Provider, run: str) -> None:
    provider.hold.clear()
    provider.be("held")
    (doc_id,) = upload(stack, {f"{run}.md": texts.prose(run)}).values()
    provider.await_asked("held")
    with stack.database() as connection:
        sleeper = chaos.caught(connection, doc_id, "embed")
        assert sleeper
        os.kill(sleeper, signal.SIGSTOP)
        try:
            provider.how = "well"
            all_processed(stack, [doc_id], 10 * LEASE_S)
            before = facts(connection, doc_id)
        finally:
            provider.hold.set()
            provider.await_asked("let go")
            os.kill(sleeper, signal.SIGCONT)
        # It is back at work when it has taken up another document, behind the one it slept over.
        others = upload(stack, {f"{run}-{i}.md": texts.prose(f"{run}{i}") for i in range(3)})
        all_processed(stack, list(others.values()))
        wait_until(lambda: quiet(sleeper), 20, "the end of the late one's work")
        assert facts(connection, doc_id) == before
        assert ledger.wrong_documents(connection, [doc_id]) == []
        assert ledger.wrong_counts(connection) == []
        tried = connection.execute(
            "SELECT attempts FROM document_stages WHERE doc_id = %s AND stage = 'embed'", (doc_id,)
        ).fetchone()
        assert tried == (2,)
    provider.hold.clear()


def test_a_worker_frozen_in_a_transaction_holds_up_nobody(stack: Stack, run: str) -> None:
    """Its open transaction would keep the rows and the tenant's corpus locked for as long as it sleeps."""
    with stack.database() as holding:
        holding.execute("BEGIN")
        holding.execute(LOCK)
        (doc_id,) = upload(stack, {f"{run}.md": texts.prose(run)}).values()
        with stack.database() as connection:
            sleeper = chaos.caught(connection, doc_id, "store")
            wait_until(lambda: connection.execute(WAITING).fetchone() == (1,), 20, "the worker at the lock")
        assert sleeper
        os.kill(sleeper, signal.SIGSTOP)
        holding.execute("ROLLBACK")
    try:
        others = upload(stack, {f"{run}-{i}.md": texts.prose(f"{run}{i}") for i in range(6)})
        all_processed(stack, [doc_id, *others.values()], 12 * LEASE_S)
    finally:
        os.kill(sleeper, signal.SIGCONT)
    wait_until(lambda: quiet(sleeper), 20, "the end of the late one's work")
    all_processed(stack, [doc_id])


def facts(connection: object, doc_id: str) -> list[object]:
    """Return all that storing a document changes."""
    return [
        connection.execute(query, (doc_id,)).fetchall()  # type: ignore[attr-defined]
        for query in (
            "SELECT chunk_id, version, chunk_index, context_sha256 FROM document_chunks WHERE doc_id = %s ORDER BY 3",
            "SELECT version, chunks_count, processed_at, processing_status FROM documents WHERE doc_id = %s",
            "SELECT version, embedded_count, chunks_count FROM document_versions WHERE doc_id = %s",
        )
    ]


def quiet(pid: int) -> bool:
    """Return whether a process sleeps, waiting for work."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_SLEEPING
    except psutil.NoSuchProcess:
        return True
