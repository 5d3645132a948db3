"""A file that kills whoever reads it is put aside; its neighbours do not suffer."""

import os
import signal
import threading
from contextlib import suppress

from deploy.ephemeral import Stack, wait_until
from tests.faults import chaos, texts
from tests.faults.conftest import LEASE_S
from tests.faults.disk import Disk
from tests.faults.gate import Gate, original
from tests.faults.receiver import Receiver
from tests.faults.uploads import all_processed, upload

NEIGHBOURS = 50


class Deadly:
    """Kills the process that holds the document's extraction, each time one does."""

    def __init__(self, stack: Stack, doc_id: str) -> None:
        self.killed: list[int] = []
        self._stack, self._doc_id, self._over = stack, doc_id, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Deadly":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _run(self) -> None:
        with self._stack.database() as connection:
            while not self._over.wait(0.02):
                found = chaos.holder(connection, self._doc_id, "extract")
                if found is None or found in self.killed:
                    continue
                assert found in {process.pid for process in self._stack.workers()}
                with suppress(ProcessLookupError):
                    os.kill(found, signal.SIGKILL)
                    self.killed.append(found)


def test_a_deadly_file_is_tried_three_times_while_fifty_neighbours_finish(
    stack: Stack, disk: Disk, receiver: Receiver, run: str
) -> None:
    endpoint = {"url": receiver.url, "events": ["document.*"]}
    assert stack.client.post("/api/webhooks", json=endpoint).status_code == 201
    with chaos.frozen(stack, "extract", "express"):
        files = {f"{run}-{i}.md": texts.prose(f"{run}{i}") for i in range(NEIGHBOURS)}
        files |= {f"{run}-deadly.md": texts.prose(f"{run}deadly")}
        found = upload(stack, files)
        deadly = found.pop(f"{run}-deadly.md")
        gate = Gate(disk.objects, deadly)
    with Deadly(stack, deadly) as attacker:
        all_processed(stack, list(found.values()))
        wait_until(lambda: stack.document(deadly)["status"] == "failed", 10 * LEASE_S, "the end of the deadly one")
    view = stack.document(deadly)
    assert (view["code"], view["retryable"]) == ("too_many_attempts", True)
    assert len(attacker.killed) == 3
    wait_until(lambda: set(found.values()) <= {d["doc_id"] for d in receiver.of("document.processed")}, 30, "webhooks")
    told = [data["doc_id"] for data in receiver.of("document.processed")]
    assert sorted(doc_id for doc_id in told if doc_id in found.values()) == sorted(found.values())
    assert [data["code"] for data in receiver.of("document.failed") if data["doc_id"] == deadly] == [
        "too_many_attempts"
    ]

    gate.open()
    listed = stack.client.get("/api/documents", params={"status": "failed", "code": "too_many_attempts"}).json()
    assert deadly in [document["id"] for document in listed["documents"]]
    assert stack.client.post(f"/api/jobs/{deadly}/retry").status_code in (200, 202)
    all_processed(stack, [deadly])


def test_a_file_that_is_gone_fails_alone(stack: Stack, disk: Disk, run: str) -> None:
    with chaos.frozen(stack, "extract", "express"):
        found = upload(stack, {f"{run}-{i}.md": texts.prose(f"{run}{i}") for i in range(20)})
        lost = found.pop(f"{run}-7.md")
        original(disk.objects, lost).unlink()
    all_processed(stack, list(found.values()))
    wait_until(lambda: stack.document(lost)["status"] == "failed", 20, "the end of the lost one")
    assert stack.document(lost)["code"] == "not_found"
