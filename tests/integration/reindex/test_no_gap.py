"""Questions find their answer at every moment of a re-index, also while the model changes and workers die."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from deploy.ephemeral import wait_until
from tests.integration.reindex.stacks import INGEST, TURN, Embedders, Stack, gadget, original, widget

pytestmark = pytest.mark.timeout(900)
"""Whole processes are started: seconds where the machine is idle, minutes where it is not."""

Rows = Callable[..., list[tuple[Any, ...]]]
FIFTY = range(100, 150)


class Asking:
    """Somebody who asks again and again, and notes which questions did not find their document."""

    def __init__(self, stack: Stack) -> None:
        self.asked = 0
        self.missed: list[str] = []
        self._stack, self._enough = stack, threading.Event()

    def run(self, first: int) -> None:
        for turn in range(10**6):
            if self._enough.is_set():
                return
            number = FIFTY[(first + 7 * turn) % len(FIFTY)]
            try:
                sources = self._stack.sources(widget(number))
            except (AssertionError, httpx.HTTPError) as error:
                sources = [repr(error)]
            self.asked += 1
            if f"doc-{number}.txt" not in sources:
                self.missed.append(f"{number}: {sources}")

    @contextmanager
    def going_on(self) -> Iterator["Asking"]:
        threads = [threading.Thread(target=self.run, args=(first,)) for first in (0, 25)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._enough.set()
            for thread in threads:
                thread.join()


def embedded_by(rows: Rows, ids: list[str]) -> set[str]:
    return {
        row[0] for row in rows("SELECT embedding_model FROM document_chunks WHERE doc_id = ANY(%s::uuid[])", list(ids))
    }


def test_questions_find_their_answer_while_fifty_documents_change_their_model(
    stack: Stack, counted: Embedders, rows: Rows
) -> None:
    ids = stack.upload([gadget(number) for number in FIFTY])
    assert embedded_by(rows, ids) == {"model-a"}
    for doc_id in ids:
        # A re-index takes what was extracted: whoever read the files again would find nothing to answer from.
        original(doc_id).write_bytes(b"gone")
    [before] = stack.running[2:3]
    with Asking(stack).going_on() as asking:
        wait_until(lambda: asking.asked > 10, 150, "questions are answered")
        # The new processes begin beside the old one: for a while both models embed, and both are asked.
        stack.start_workers(TURN, AURA_EMBEDDING_MODEL="model-b")
        second = stack.start_workers(INGEST, AURA_EMBEDDING_MODEL="model-b")
        before.terminate()
        before.wait()
        seen = asking.asked
        made = stack.client.post("/api/documents/reindex", json={"ids": ids}).json()
        assert (made["documents"], made["skipped"]) == (50, 0)
        wait_until(lambda: "model-b" in embedded_by(rows, ids), 200, "the first are there")
        # And one dies in the middle of it.
        second.kill()
        second.wait()
        stack.start_workers(INGEST, AURA_EMBEDDING_MODEL="model-b")
        totals = stack.finished(made["job_id"])["totals"]
        assert totals["processed"] == 50, totals
        wait_until(lambda: asking.asked > seen + 30, 200, "questions go on")
    assert asking.missed == []
    assert embedded_by(rows, ids) == {"model-b"}
    ours = "SELECT tenant_id FROM documents WHERE doc_id = ANY(%s::uuid[])"
    counted_wrongly = (
        "SELECT m.embedding_model, m.chunks FROM corpus_models m"
        f" WHERE m.tenant_id IN ({ours}) AND m.chunks <> (SELECT count(*) FROM document_chunks c"
        " WHERE c.tenant_id = m.tenant_id AND c.embedding_model = m.embedding_model)"
    )
    assert rows(counted_wrongly, ids) == []
    [[count]] = rows("SELECT count(*) FROM document_chunks WHERE doc_id = ANY(%s::uuid[])", ids)
    assert count == 50
    # Of the versions before nothing is left but their rows.
    assert rows("SELECT DISTINCT version FROM document_stages WHERE doc_id = ANY(%s::uuid[])", ids) == [(2,)]
    newest, first = stack.versions(ids[0])
    assert (newest["state"], newest["embedding_model"], newest["from_version"]) == ("answering", "model-b", 1)
    assert (first["state"], first["embedding_model"], first["embedded"]) == ("replaced", "model-a", 1)
