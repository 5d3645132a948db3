"""Workers that are forked from one process (`deploy/template.py`) instead of each importing everything again.

Where that cannot be done, on macOS or for a program that is no worker, each is started by itself.
"""

import json
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deploy.places import REPO

READY_WITHIN_S = 120.0
"""For the first worker the template has to import everything, on a slow machine beside all else that starts."""

POSSIBLE = sys.platform == "linux"
PADDING = "." * 400
"""Room for the command lines of workers, which `ps` is to show as if each had been started by itself."""


@dataclass(frozen=True)
class Order:
    """A worker or the beat that is to be forked: the words after `python -m`, its niceness, and settings of its own."""

    args: tuple[str, ...]
    nice: int = 0
    env: Mapping[str, str] = field(default_factory=dict)


def order_of(command: str) -> Order | None:
    """Return the order that a line of the Procfile is; None where it is neither worker nor beat."""
    words = shlex.split(command)
    nice, env = 0, {}
    if words[:2] == ["nice", "-n"]:
        nice, words = int(words[2]), words[3:]
    if words[:1] == ["env"]:
        words = words[1:]
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            env[name] = value
    if words[:3] == ["python", "-m", "workers"]:
        words = words[2:]
    elif words[:1] != ["celery"] or "beat" not in words:
        return None
    return Order(tuple(words), nice, env) if POSSIBLE else None


class Template:
    """The process that forks. Every order has the environment it was started with, and what the order adds.

    `arrange` runs in the new process before its program does, which is that of `module`.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        log: int,
        arrange: Callable[[], None] | None = None,
        module: str = "deploy.template",
    ) -> None:
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.env = dict(env)
        self._codes: dict[int, int] = {}
        self._pids: list[int] = []
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), PADDING],
                **{"cwd": REPO, "env": self.env, "stdin": subprocess.DEVNULL, "stdout": log, "stderr": log},
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
                umask=0o077,
                preexec_fn=arrange,  # noqa: PLW1509 (the launcher has one thread)
            )

    def fork(self, order: Order, log: int) -> "Forked":
        """Return the new worker, whose output goes to the file `log`. Raises OSError where nobody can fork it."""
        asked = {"args": order.args, "nice": order.nice, "env": {**self.env, **order.env}}
        socket.send_fds(self.channel, [json.dumps(asked).encode()], [log])
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._pids:
            if not self.listen(deadline - time.monotonic()):
                raise TimeoutError("The template does not answer.")
        return Forked(self, self._pids.pop())

    def listen(self, within_s: float = 0.0) -> bool:
        """Take in what the template says, waiting for the first word; return whether it said something.

        Raises ConnectionError where it has ended, or was closed.
        """
        if self.channel.fileno() < 0:
            raise ConnectionResetError("The template is closed.")
        said = False
        while select.select([self.channel], [], [], 0.0 if said else max(0.0, within_s))[0]:
            message = self.channel.recv(4096)
            if not message:
                raise ConnectionResetError("The template has ended.")
            told = json.loads(message)
            if "pid" in told:
                self._pids.append(told["pid"])
            else:
                self._codes[told["ended"]] = told["code"]
            said = True
        return said

    def code_of(self, pid: int) -> int | None:
        """Return how a worker ended; None while it runs, or where only its end is known."""
        return self._codes.pop(pid, None)

    def close(self) -> None:
        """End the template; workers that it still has end with it."""
        self.channel.close()
        self._process.terminate()
        self._process.wait()


class Forked:
    """A forked worker, asked and signalled as a `subprocess.Popen` is."""

    def __init__(self, template: Template, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._template = template
        try:
            self._file = os.pidfd_open(pid)
        except ProcessLookupError:
            self._file = -1

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            try:
                self._template.listen()
                self.returncode = self._template.code_of(self.pid)
            except OSError:
                # Nobody is left to tell: it was told to end when its parent did.
                self.returncode = -signal.SIGTERM if self._is_gone() else None
            if self.returncode is not None and self._file >= 0:
                os.close(self._file)
                self._file = -1
        return self.returncode

    def wait(self) -> int:
        """Return the exit code once it has ended."""
        while self.poll() is None:
            select.select([self._file] if self._file >= 0 else [], [], [], 0.01)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send the signal to this very process, whoever may have its id by now."""
        if self._file >= 0 and self.poll() is None:
            try:
                signal.pidfd_send_signal(self._file, number)
            except ProcessLookupError:
                return

    def _is_gone(self) -> bool:
        return self._file < 0 or bool(select.select([self._file], [], [], 0)[0])
