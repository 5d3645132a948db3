"""A whole stack of its own for tests and benchmarks: another data folder, free ports, gone afterwards."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from deploy.places import REPO, free_port, places
from deploy.postgres import remove
from schemas.errors.work import CannotStart
from schemas.tables.base import DEFAULT_TENANT_ID

READY_WITHIN_S = 300.0
LOOK_EVERY_S = 0.1
_pause = threading.Event()


class Stack:
    """A running stack: its HTTP client, its processes, its database."""

    def __init__(self, launcher: "subprocess.Popen[bytes]", data_dir: Path, port: int) -> None:
        self.launcher, self.data_dir, self.url = launcher, data_dir, f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=300, trust_env=False)

    def workers(self, queue: str | None = None) -> list[psutil.Process]:
        """Return the worker processes, pool children included, of one queue or of all."""
        found = []
        for process in psutil.Process(self.launcher.pid).children(recursive=True):
            try:
                command = process.cmdline()
            except psutil.Error:
                continue
            if "workers" in command and "-Q" in command and queue in (None, queue_of(command)):
                found.append(process)
        return found

    def memory_mib(self) -> float:
        """Return the proportional memory of all processes of the stack: shared pages are counted once."""
        processes = [self.launcher_process(), *self.launcher_process().children(recursive=True)]
        return sum(process.memory_full_info().pss for process in processes) / 2**20

    def launcher_process(self) -> psutil.Process:
        return psutil.Process(self.launcher.pid)

    def runtime(self) -> dict[str, str]:
        """Return the addresses that the launcher chose."""
        lines = (self.data_dir / "runtime.env").read_text().splitlines()
        return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}

    def database(self) -> psycopg.Connection:
        """Return a connection as the app's role, bound to the default tenant."""
        url = self.runtime()["AURA_DATABASE_URL"].replace("+psycopg", "")
        connection = psycopg.connect(url, autocommit=True)
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", (DEFAULT_TENANT_ID,))
        return connection

    def upload(self, name: str, content: bytes, wait_s: int | None = None, **fields: str) -> httpx.Response:
        """Upload a file; with `wait_s` wait for its end."""
        headers = {"Prefer": f"wait={wait_s}"} if wait_s else {}
        return self.client.post("/api/documents/upload", files={"file": (name, content)}, data=fields, headers=headers)

    def document(self, doc_id: str) -> dict[str, Any]:
        """Return where a document stands."""
        found: dict[str, Any] = self.client.get(f"/api/documents/{doc_id}").json()
        return found

    def ask(self, question: str, **fields: object) -> dict[str, Any]:
        """Ask by text and return the answer's body."""
        found: dict[str, Any] = self.client.post("/rag/chat", json={"message": question, **fields}).json()
        return found

    def is_ready(self) -> bool:
        """Return whether the launcher has said so and every part answers."""
        if b"Ready after" not in (self.data_dir / "launcher.log").read_bytes():
            return False
        try:
            return self.client.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False


def queue_of(command: list[str]) -> str:
    """Return the queue that a worker's command line names."""
    return command[command.index("-Q") + 1]


def wait_until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    """Return once the condition holds. Raises TimeoutError after `within_s` seconds.

    It looks rather than waits for an event: what it looks at happens in other processes.
    """
    for _ in range(int(within_s / LOOK_EVERY_S)):
        if condition():
            return
        _pause.wait(LOOK_EVERY_S)
    raise TimeoutError(f"not within {within_s:.0f} s: {what}")


@contextmanager
def ephemeral_stack(settings: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Yield a stack that is ready; it is stopped and deleted with the block. Raises CannotStart."""
    with tempfile.TemporaryDirectory(prefix="aura-stack-") as folder:
        data_dir = Path(folder)
        stack = start(data_dir, settings or {})
        try:
            wait_until(lambda: _ready(stack), READY_WITHIN_S, "the stack is ready")
            yield stack
        finally:
            stop(stack)
            remove(places(data_dir))


def start(data_dir: Path, settings: Mapping[str, str]) -> Stack:
    """Start the stack of a data folder as `make run` does, on free ports."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AURA_")}
    environment |= {"AURA_DATA_DIR": str(data_dir), "AURA_PORT": str(port), "AURA_FLOWER_PORT": str(free_port())}
    command = [sys.executable, "-m", "deploy.local", "run"]
    with (data_dir / "launcher.log").open("ab") as log:
        launcher = subprocess.Popen(
            command, cwd=REPO, env={**environment, **settings}, stdout=log, stderr=subprocess.STDOUT
        )
    return Stack(launcher, data_dir, port)


def stop(stack: Stack) -> None:
    """Stop the stack as Ctrl-C does."""
    if stack.launcher.poll() is None:
        stack.launcher.send_signal(signal.SIGINT)
    stack.launcher.wait(60)


def _ready(stack: Stack) -> bool:
    if stack.launcher.poll() is not None:
        raise CannotStart((stack.data_dir / "launcher.log").read_text()[-3000:])
    return stack.is_ready()
