"""AURA's programs for tests, forked from a process that has imported them all (`tests/template.py`).

A web process or a worker that starts by itself needs three to five seconds of a processor, nearly all of them for
imports; forked it needs a few tenths. Where nobody can fork (`deploy/forking.py`), each is started by itself.
"""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import IO, TypeAlias

from deploy.forking import POSSIBLE, Order, Template
from deploy.forking import Forked as Told
from deploy.places import REPO

_lock = threading.Lock()
"""What the template says is heard by one thread at a time."""


class Forked:
    """A program that runs, asked and signalled as a `subprocess.Popen` is."""

    def __init__(self, told: Told) -> None:
        self.pid, self._told = told.pid, told
        self._file = os.pidfd_open(told.pid)

    def __del__(self) -> None:
        os.close(self._file)

    @property
    def returncode(self) -> int | None:
        return self._told.returncode

    def poll(self) -> int | None:
        with _lock:
            return self._told.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once it has ended. Raises TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            # It has ended a moment before the template says how.
            if select.select([self._file], [], [], 0.1)[0]:
                time.sleep(0.002)
        return code

    def send_signal(self, number: int) -> None:
        with _lock:
            self._told.send_signal(number)

    def terminate(self) -> None:
        self.send_signal(15)

    def kill(self) -> None:
        self.send_signal(9)


Program: TypeAlias = "Forked | subprocess.Popen[bytes]"


def start(words: Sequence[str], env: Mapping[str, str], out: "int | IO[bytes] | IO[str]") -> Program:
    """Start what `python` with these words is, `-m` first, with this environment; all that it says goes to `out`."""
    if not POSSIBLE:
        return subprocess.Popen([sys.executable, *words], cwd=REPO, env=env, stdout=out, stderr=out)
    number = out if isinstance(out, int) else out.fileno()
    with _lock:
        return Forked(_template().fork(Order(tuple(words[1:]), env=env), number))


@lru_cache
def _template() -> Template:
    """Return the one of this test process; it ends with it."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AURA_")}
    return Template(mine, 2, module="tests.template")
