"""Small stacks to start, wound and stop: real processes, and the real embedded Postgres where it is asked for."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from deploy.places import REPO, Places, places
from deploy.postgres import remove
from deploy.processes import end, marked, wait_until

WITHIN_S = 90.0
"""How long is waited for what comes at once on a quiet machine."""

TWO_SLEEPERS = "one: sleep 1000\ntwo: sleep 1001\n"


@dataclass
class SmallStack:
    """A launcher of a small Procfile, and what it has said so far."""

    where: Places
    procfile: Path
    launchers: list["subprocess.Popen[str]"] = field(default_factory=list)
    url: str = ""

    def launch(self, processes: str = TWO_SLEEPERS, *options: str) -> "subprocess.Popen[str]":
        self.procfile.write_text(processes)
        launcher = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.integration.deploy.small_stack",
                self.where.data_dir,
                self.procfile,
                *options,
            ],
            cwd=REPO,
            # Nobody listens there: workers try again, where without an address they would end at once.
            env={**os.environ, "AURA_REDIS_URL": "redis://127.0.0.1:1/0"},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.launchers.append(launcher)
        return launcher

    def started(self, processes: str = TWO_SLEEPERS, *options: str) -> "subprocess.Popen[str]":
        """Return the launcher once it has started its processes."""
        launcher = self.launch(processes, *options)
        if "--postgres" in options:
            self.url = until_said(launcher, "postgres at").split()[-1]
        until_said(launcher, "started")
        return launcher

    def running(self, word: str = "") -> list[psutil.Process]:
        """Return the stack's processes whose command line holds `word`."""
        found = []
        for process in marked(self.where):
            with suppress(psutil.Error, OSError):  # It has just ended.
                if word in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def asleep(self, word: str) -> list[psutil.Process]:
        """Return the stack's `sleep`s: a shell that names one has set its traps by the time that it runs."""
        found = []
        for process in self.running(word):
            with suppress(psutil.Error):  # A short one has ended since.
                if process.name() == "sleep":
                    found.append(process)
        return found

    def is_gone(self) -> bool:
        """Return whether nothing of it runs, soon: who was killed last may still be about to end."""
        return wait_until(lambda: self.running() == [], WITHIN_S)


def until_said(launcher: "subprocess.Popen[str]", beginning: str) -> str:
    """Return the launcher's next line that starts with `beginning`; its output must hold one."""
    assert launcher.stdout is not None
    seen = []
    for line in launcher.stdout:
        seen.append(line)
        if line.startswith(beginning):
            return line.strip()
    pytest.fail(f"the launcher ended without saying {beginning!r}, but: {''.join(seen)}")


@pytest.fixture
def small_stack() -> Iterator[SmallStack]:
    with tempfile.TemporaryDirectory(prefix="aura-deploy-", ignore_cleanup_errors=True) as folder:
        stack = SmallStack(places(Path(folder) / "data"), Path(folder) / "Procfile")
        try:
            yield stack
        finally:
            for launcher in stack.launchers:
                launcher.kill()
                launcher.communicate()
            end(marked(stack.where), within_s=5)
            remove(stack.where)
