"""A document that is deleted in the middle of its work leaves nothing behind, wherever it was."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.ephemeral import Stack, wait_until
from schemas.tables.base import DEFAULT_TENANT_ID
from tests.faults import chaos, ledger, texts
from tests.faults.disk import Disk
from tests.faults.provider import Provider
from tests.faults.uploads import all_processed, upload

STAGES = ("extract", "chunk", "embed", "store")
TRIES = 8


def delete(stack: Stack, doc_id: str) -> None:
    answer = stack.client.delete(f"/api/documents/{doc_id}")
    assert answer.status_code == 200, answer.text


def nothing_left(stack: Stack, disk: Disk, doc_ids: list[str]) -> None:
    """See that there are no rows, no objects and no counted words of documents that are deleted."""
    with stack.database() as connection:
        assert [left for doc_id in doc_ids if (left := ledger.rows_of(connection, doc_id))] == []
        wait_until(lambda: ledger.wrong_counts(connection) == [], 10, "the counts of the words")

    def files() -> list[Path]:
        return [path for doc_id in doc_ids for path in folder(disk, doc_id).rglob("*") if path.is_file()]

    wait_until(lambda: not files(), 20, f"objects are gone: {files()[:3]}")


def folder(disk: Disk, doc_id: str) -> Path:
    return disk.objects / DEFAULT_TENANT_ID / "documents" / doc_id


def files(run: str) -> dict[str, bytes]:
    """Return three short files and three long ones: more than express takes."""
    return texts.many(run, 6)


@pytest.mark.parametrize("stage", STAGES)
def test_deleted_while_it_waits_for_a_stage(stack: Stack, disk: Disk, run: str, stage: str) -> None:
    with chaos.frozen(stack, stage):
        found = list(upload(stack, files(run)).values())

        def there() -> bool:
            with stack.database() as connection:
                rows = connection.execute(
                    "SELECT count(DISTINCT doc_id) FROM document_stages WHERE doc_id = ANY (%s::uuid[]) AND stage = %s",
                    (found, stage),
                ).fetchone()
                return rows == (len(found),)

        wait_until(there, 40, f"all wait for {stage}")
        for doc_id in found:
            delete(stack, doc_id)
    # What comes behind shows that the workers have been through what was there before.
    all_processed(stack, list(upload(stack, files(f"{run}after")).values()))
    nothing_left(stack, disk, found)


@pytest.mark.parametrize("stage", STAGES)
def test_deleted_while_a_worker_is_at_it(stack: Stack, disk: Disk, provider: Provider, run: str, stage: str) -> None:
    """The worker is stopped in the middle of its stage, the document deleted, and the worker goes on."""
    provider.delay_s = 0.3
    gone: list[str] = []
    caught = 0
    for number in range(TRIES):
        with stack.database() as connection:
            [doc_id] = upload(stack, {f"{run}-{number}.md": texts.prose(f"{run}{number}", texts.LONG_WORDS)}).values()
            found = chaos.caught(connection, doc_id, stage)
            if found is not None:
                os.kill(found, signal.SIGSTOP)
                caught += chaos.holder(connection, doc_id, stage) == found
        deletion = in_background(lambda doc_id=doc_id: delete(stack, doc_id))  # type: ignore[misc]
        deletion.join(0.5)
        with suppress(ProcessLookupError):
            if found is not None:
                os.kill(found, signal.SIGCONT)
        deletion.join(30)
        assert not deletion.is_alive()
        gone.append(doc_id)
        if caught == 2:
            break
    provider.delay_s = 0
    assert caught, f"never caught at {stage}"
    all_processed(stack, list(upload(stack, files(f"{run}after")).values()))
    nothing_left(stack, disk, gone)


def in_background(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread
