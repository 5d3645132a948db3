"""Accepted work is done exactly once in effect, whatever dies."""

import os
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from deploy.ephemeral import Stack, wait_until
from tests.faults import chaos, ledger, texts
from tests.faults.receiver import Receiver

DOCUMENTS = int(os.environ.get("AURA_FAULT_DOCUMENTS", "200"))
FAULTS = (chaos.empty_redis, chaos.kill_valkey, chaos.restart_postgres, chaos.kill_postgres, chaos.empty_redis)


@pytest.mark.timeout(7200)
def test_all_documents_survive_killed_workers_and_restarted_servers(
    stack: Stack, receiver: Receiver, run: str, say: Callable[[str], None]
) -> None:
    endpoint = {"url": receiver.url, "events": ["document.processed", "batch.completed"]}
    assert stack.client.post("/api/webhooks", json=endpoint).status_code == 201
    files = [("files", file) for file in texts.many(run, DOCUMENTS).items()]
    accepted = stack.client.post("/api/documents/upload", files=files)
    assert accepted.status_code == 202, accepted.text
    batch_id = accepted.json()["job_id"]
    doc_ids = chaos.when_back(lambda c: _of_batch(c, batch_id), stack)
    assert len(doc_ids) == DOCUMENTS
    began = time.monotonic()

    def states() -> dict[str, int]:
        found = chaos.when_back(lambda connection: ledger.states(connection, doc_ids), stack)
        assert not [state for state in found if state.startswith(("failed", "cancelled"))], found
        return found

    def share_done() -> float:
        return states().get("processed", 0) / DOCUMENTS

    with chaos.Killer(stack, run).at_work() as killer:
        caused = chaos.one_after_another(FAULTS, stack, share_done)
        wait_until(lambda: share_done() == 1, 60 + DOCUMENTS, "processing of all documents")
    lasted_s = time.monotonic() - began
    say(f"{DOCUMENTS} documents in {lasted_s:.0f} s, {len(killer.killed)} processes killed; {'; '.join(caused)}")

    with stack.database() as connection:
        assert ledger.wrong_documents(connection, doc_ids) == []
        assert ledger.wrong_counts(connection) == []
        assert ledger.unfinished(connection, doc_ids) == []
    assert len(killer.killed) >= lasted_s / 5, "fewer were killed than was meant"
    wait_until(stack.is_ready, 60, "the return of every worker")
    wait_until(lambda: _told(receiver) >= set(doc_ids), 90, "the webhooks of all documents")
    wait_until(lambda: _batch_state(stack, batch_id) == "completed", 20, "the end of the batch")
    wait_until(lambda: len(_completed(receiver, batch_id)) > 0, 30, "the batch's own webhook")
    assert len(_completed(receiver, batch_id)) == 1


def _of_batch(connection: psycopg.Connection[Any], batch_id: str) -> list[str]:
    rows = connection.execute("SELECT doc_id FROM documents WHERE batch_id = %s", (batch_id,))
    return [str(doc_id) for (doc_id,) in rows.fetchall()]


def _told(receiver: Receiver) -> set[str]:
    return {data["doc_id"] for data in receiver.of("document.processed")}


def _completed(receiver: Receiver, batch_id: str) -> list[dict[str, Any]]:
    return [data for data in receiver.of("batch.completed") if data["batch_id"] == batch_id]


def _batch_state(stack: Stack, batch_id: str) -> str:
    return str(stack.client.get(f"/api/jobs/{batch_id}").json()["status"])
