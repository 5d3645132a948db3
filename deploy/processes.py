"""Starting and ending the processes of one stack so that none is ever left behind.

Each program leads a process group of its own and carries the stack's mark in its environment, as
its children do. On Linux the kernel also ends it when the launcher dies, however that happens.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.forking import Forked, Order, Template
from deploy.places import REPO, Places

MARK = "AURA_STACK"
LOG_KEPT_BYTES = 5 * 2**20
PR_SET_PDEATHSIG = 1
SERVERS_RANK = 8
"""From this rank on a program keeps data: it gets a moment to close it even in a hurry."""

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """One long-running program of the stack.

    Programs are stopped by rising `rank`, those of one rank together: `stop_signal` asks for an
    orderly end, and after `stop_within_s` it is killed. `leftovers` finds children that left the
    program's process group. `mend` is given what it wrote before it died, repairs what can be
    repaired, and returns a sentence about it. With an `order` it can be forked instead.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = REPO
    uid: int | None = None
    stop_signal: int = signal.SIGTERM
    stop_within_s: float = 10.0
    rank: int = 1
    leftovers: Callable[[], list[psutil.Process]] = list
    mend: Callable[[str], str | None] = lambda said: None
    order: Order | None = None


@dataclass(frozen=True)
class Started:
    """A program that was started. What it wrote begins at byte `log_from` of its log."""

    program: Program
    process: "subprocess.Popen[bytes] | Forked"
    log: Path
    log_from: int

    def said(self, most_bytes: int = 4096) -> str:
        """Return the end of what it wrote since it was started."""
        with self.log.open("rb") as log:
            log.seek(max(self.log_from, self.log.stat().st_size - most_bytes))
            return log.read().decode(errors="replace").strip()


def spawn(program: Program, where: Places) -> Started:
    """Start `program`, its output appended to `logs/<name>.log`.

    Call it from the main thread: Linux ends the child when the *thread* that started it ends.
    """
    log_path = log_of(program.name, where)
    drop = {} if program.uid is None else {"user": program.uid, "group": primary_group(program.uid), "extra_groups": []}
    with log_path.open("ab") as log:
        log_from = log.tell()
        process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=program.cwd,
            env=environment(where, program.env),
            start_new_session=True,
            umask=0o077,  # What they keep is documents and speech: for this user alone.
            preexec_fn=die_with_parent(program.stop_signal),  # noqa: PLW1509 (the launcher has one thread)
            **drop,
        )
    return Started(program, process, log_path, log_from)


def fork(program: Program, template: Template, where: Places) -> Started:
    """Have a worker forked, its output appended to its log as `spawn` does. Raises OSError."""
    assert program.order is not None
    log_path = log_of(program.name, where)
    with log_path.open("ab") as log:
        log_from = log.tell()
        return Started(program, template.fork(program.order, log.fileno()), log_path, log_from)


def log_of(name: str, where: Places) -> Path:
    """Return the log of a program; what has grown too long is set aside."""
    path = where.logs / f"{name}.log"
    if path.exists() and path.stat().st_size > LOG_KEPT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path


def environment(where: Places, told: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment, passed on with what is `told`, its Python first on PATH, and the mark."""
    inherited = dict(os.environ)
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', os.defpath)}"
    return {**inherited, "PATH": path, "PYTHONUNBUFFERED": "1", **told, MARK: where.mark}


def primary_group(uid: int) -> int:
    """Return the primary group of the user `uid`."""
    import pwd  # Late: it exists on POSIX systems only.

    return pwd.getpwuid(uid).pw_gid


def die_with_parent(signal_number: int) -> Callable[[], None] | None:
    """Return what makes a child of this process get `signal_number` when this process ends (Linux)."""
    libc, parent = _libc, os.getpid()
    if libc is None:
        return None

    def arrange() -> None:
        # Runs after the change of user, which would have cleared it.
        libc.prctl(PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal_number)

    return arrange


def marked(where: Places) -> list[psutil.Process]:
    """Return the running processes that carry this stack's mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == where.mark:
                found.append(process)
        except (psutil.Error, OSError):
            # It ended while we looked, or belongs to somebody else.
            continue
    return found


def send(processes: Iterable[psutil.Process], signal_number: int) -> None:
    """Send the signal to those of `processes` that still run."""
    for process in processes:
        try:
            process.send_signal(signal_number)
        except psutil.Error:
            continue


def end(processes: Sequence[psutil.Process], within_s: float, first: int = signal.SIGTERM) -> None:
    """End `processes`: the signal `first`, then after `within_s` SIGKILL."""
    send(processes, first)
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    send(alive, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that `pid` led."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # Nothing is left; macOS says EPERM where only zombies are.
        return


def wait_until(ready: Callable[[], bool], within_s: float, step_s: float = 0.02) -> bool:
    """Return whether `ready()` became true within `within_s`, asking every `step_s`."""
    pause, deadline = threading.Event(), time.monotonic() + within_s
    while not ready():
        if time.monotonic() > deadline:
            return False
        pause.wait(step_s)
    return True


def stop(started: Sequence[Started], hurry: Callable[[], bool] = bool) -> None:
    """End all of `started` in the order of their ranks, and whatever children they left behind.

    `hurry` is asked while waiting: once true, nothing but the servers is waited for.
    """
    for rank in sorted({each.program.rank for each in started}):
        same = [each for each in started if each.program.rank == rank]
        for each in same:
            if each.process.poll() is None:
                each.process.send_signal(each.program.stop_signal)
        patience_s = max(each.program.stop_within_s for each in same)
        wait_until(lambda same=same: hurry() or all(e.process.poll() is not None for e in same), patience_s)  # type: ignore[misc]
        if rank >= SERVERS_RANK:
            wait_until(lambda same=same: all(e.process.poll() is not None for e in same), 3)  # type: ignore[misc]
        for each in same:
            clear(each)
            each.process.wait()


def clear(each: Started) -> None:
    """Kill what is left of `each`: its process group, and children that left the group."""
    kill_group(each.process.pid)
    end(each.program.leftovers(), within_s=1, first=signal.SIGQUIT)
