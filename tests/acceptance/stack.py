"""A whole stack of its own, started as `make run` starts it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.places import REPO, Places, free_port, places
from deploy.postgres import remove, running
from deploy.processes import end, marked


class Stack:
    """The stack of one data folder: its launcher, what it has said, its processes."""

    def __init__(self, data_dir: Path) -> None:
        self.where: Places = places(data_dir)
        self.address = f"http://127.0.0.1:{free_port()}"
        self.launcher: subprocess.Popen[str] | None = None

    def launch(self, command: str = "run", **told: str) -> "subprocess.Popen[str]":
        """Start `python -m deploy.local COMMAND` with settings of its own and no keys."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("AURA_") and "_KEY" not in name
        }
        settings = {
            "AURA_DATA_DIR": str(self.where.data_dir),
            "AURA_PORT": self.address.rpartition(":")[2],
            "AURA_FLOWER_PORT": str(free_port()),
            **told,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.local", command],
            cwd=REPO,
            env={**kept, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start(self, **told: str) -> float:
        """Start the stack and return the seconds it took until it said that it is ready."""
        self.launcher = self.launch(**told)
        return float(said(self.launcher, "Ready after").split()[2])

    def stop(self) -> int:
        """End the stack as Ctrl-C does and return the launcher's exit code."""
        assert self.launcher is not None
        self.launcher.terminate()
        self.launcher.communicate(timeout=60)
        return self.launcher.returncode

    def processes(self) -> list[psutil.Process]:
        """Return all processes of the stack but the launcher."""
        data = (self.where.data_dir / "postgres").resolve() / "data"
        return list({process.pid: process for process in (*marked(self.where), *running(data))}.values())

    def process(self, name: str) -> psutil.Process:
        """Return the process that leads the program `name` of the Procfile, or a server."""
        words = {"web": "gunicorn", "postgres": "postgres", "valkey": "valkey-server"}
        found = [p for p in self.processes() if words.get(name, f"-Q {name} ") in " ".join(p.cmdline())]
        return min(found, key=lambda process: process.create_time())

    def parts(self) -> dict[str, bool]:
        """Return what `/health/ready` says of each part; empty where the front door does not answer."""
        try:
            found: dict[str, bool] = httpx.get(f"{self.address}/health/ready", timeout=10).json()["parts"]
        except httpx.HTTPError:
            return {}
        return found

    def ready(self) -> bool:
        """Return whether every part is there."""
        parts = self.parts()
        return bool(parts) and all(parts.values())


def said(launcher: "subprocess.Popen[str]", beginning: str) -> str:
    """Return the launcher's next line that starts with `beginning`; its output must hold one."""
    assert launcher.stdout is not None
    seen = []
    for line in launcher.stdout:
        seen.append(line)
        if line.startswith(beginning):
            return line.strip()
    pytest.fail(f"the launcher ended without saying {beginning!r}, but: {''.join(seen)}")


@contextmanager
def stack() -> Iterator[Stack]:
    """Yield a stack that is not started yet; nothing of it is left afterwards."""
    # Not pytest's own folder: two runs at once may rotate it away below a running server.
    with tempfile.TemporaryDirectory(prefix="aura-stack-") as folder:
        made = Stack(Path(folder))
        try:
            yield made
        finally:
            if made.launcher is not None:
                made.launcher.terminate()
                try:
                    made.launcher.communicate(timeout=60)
                except subprocess.TimeoutExpired:
                    made.launcher.kill()
            end(made.processes(), within_s=5)
            remove(made.where)
