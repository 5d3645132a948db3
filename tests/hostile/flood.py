"""Many files sent to a stack at once, and what it answered, how each ended, what it cost, and whom it killed."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from deploy.ephemeral import Stack, queue_of, wait_until

AT_ONCE = 8
WITHIN_S = 600
LOOK_EVERY_S = 0.2
UNFINISHED = ("queued", "running")
LOST = re.compile(r"exited with|WorkerLostError|Worker exited prematurely|Timed out|time limit")
BUG = re.compile(r"Traceback|\"level\": \"(?:error|critical)\"")


@dataclass
class End:
    """What became of a file: the answer at the door, and the document or the batch's items at the end."""

    status: int
    body: dict[str, Any]
    content_type: str
    answered_s: float
    view: dict[str, Any] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def code(self) -> str:
        """Return `processed`, or the code of the refusal or the failure."""
        if self.status >= 400:
            return str(self.body.get("code"))
        return str(self.view.get("code") or self.view.get("status"))


class Canary:
    """A server on the loopback address that nobody has a reason to reach; it notes who does."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.heard: list[bytes] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with line:
                line.settimeout(2)
                self.heard.append(line.recv(1000))

    def close(self) -> None:
        self._socket.close()


class Watch:
    """The worker processes while a block runs: how much memory each took, and which main process is gone."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._over = stack, threading.Event()
        self.base_mib: dict[str, float] = {}
        self.peak_mib: dict[str, float] = {}

    def __enter__(self) -> "Watch":
        self._mains = self._main_processes()
        self._logged = {log: log.stat().st_size for log in self._logs()}
        self._sample()
        self.base_mib = dict(self.peak_mib)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.lost_mains = self._mains - self._main_processes()
        lines = [line for log in self._logs() for line in self._new(log)]
        self.lost_children = [line for line in lines if LOST.search(line)]
        self.bugs = [line for line in lines if BUG.search(line)]

    def _main_processes(self) -> set[int]:
        return {child.pid for child in self._stack.launcher_process().children()}

    def _logs(self) -> list[Path]:
        return sorted((self._stack.data_dir / "logs").iterdir())

    def _new(self, log: Path) -> list[str]:
        """Return the lines that were written since the block began."""
        with log.open("rb") as file:
            file.seek(self._logged.get(log, 0))
            return file.read().decode(errors="replace").splitlines()

    def _run(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            self._sample()

    def _sample(self) -> None:
        """Note the proportional memory of each process: pages shared with its parent are counted once."""
        for process in self._stack.workers():
            try:
                queue = queue_of(process.cmdline())
                rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
            except (OSError, psutil.Error, ValueError):
                continue
            mib = int(rollup.partition("\nPss:")[2].split(None, 1)[0] or 0) / 1024
            self.peak_mib[queue] = max(self.peak_mib.get(queue, 0.0), mib)


def send(stack: Stack, filename: str, data: bytes, password: str | None = None) -> End:
    """Upload a file under this very name, however bad it is, and return the answer."""
    fields = {"password": password} if password else {}
    began = time.monotonic()
    answer = stack.client.post("/api/documents/upload", files={"file": (filename, data)}, data=fields)
    return End(answer.status_code, answer.json(), answer.headers["Content-Type"], time.monotonic() - began)


def flood(stack: Stack, files: Sequence[tuple[str, Callable[[], End]]]) -> dict[str, End]:
    """Send all at once, wait for the end of each, and return them by name."""
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {name: pool.submit(work) for name, work in files}
        found = {name: future.result() for name, future in futures.items()}
    jobs = {end.body["job_id"]: end for end in found.values() if end.status == 202}

    def done() -> bool:
        open_ = set()
        for status in UNFINISHED:
            open_ |= {view["id"] for view in documents(stack, status=status)}
        for job_id, end in jobs.items():
            batch = "batch" in end.body
            if batch and not end.view:
                job = stack.client.get(f"/api/jobs/{job_id}").json()
                if not job["finished"]:
                    open_.add(job_id)
                else:
                    end.view = job["result"]
            if job_id in open_:
                end.took_s = time.monotonic() - began
        # Between two looks one may have gone from one of the lists to the other.
        return not open_ and not any(view["status"] in UNFINISHED for view in documents(stack))

    wait_until(done, WITHIN_S, "the end of all files")
    views = {view["id"]: view for view in documents(stack)}
    for job_id, end in jobs.items():
        end.view = end.view or views[job_id]
        if "batch" in end.body:
            end.items = stack.client.get(f"/api/batches/{job_id}/documents?limit=200").json()["documents"]
    return found


def documents(stack: Stack, **wanted: str) -> Iterator[dict[str, Any]]:
    """Yield the views of all documents that match."""
    after = None
    while True:
        page = stack.client.get(
            "/api/documents", params={**wanted, "limit": "200", **({"after": after} if after else {})}
        )
        body = page.json()
        yield from body["documents"]
        if not (after := body["next"]):
            return


def text(stack: Stack, doc_id: str) -> str:
    """Return the text of a document's first chunks."""
    chunks = stack.client.get(f"/api/documents/{doc_id}/chunks?limit=200").json()["chunks"]
    return "\n".join(chunk["text"] for chunk in chunks)


@contextmanager
def forgotten(stack: Stack) -> Iterator[None]:
    """Delete, at the end of the block, the documents that came in it, so that no other test finds their words."""
    before = {view["id"] for view in documents(stack)}
    yield
    for view in documents(stack):
        if view["id"] not in before:
            answer: httpx.Response = stack.client.delete(f"/api/documents/{view['id']}")
            assert answer.status_code == 200, answer.text
