"""Work that can wait gives way to what somebody waits for, beyond the process that does it. Linux only.

Where the kernel groups processes by session (`sched_autogroup_enabled`, on by default), niceness counts within a
session only; workers have sessions of their own, and so has each process of Postgres. A group has a niceness, too.
"""

import contextlib
import os
import socket
import threading
from pathlib import Path

import psycopg

PROC = Path("/proc")

TRIES, PAUSE_S = 30, 0.1
"""Of all who may not administer the machine, as in a container, the kernel lets one set a group each 0.1 s."""


def spread() -> None:
    """Make this process's niceness count beside the other programs of the machine, where its session is its own."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if niceness > 0 and os.getsid(0) == os.getpid():
        _set_group(os.getpid(), niceness)


def be_served_nicely(connection: psycopg.Connection[object]) -> None:
    """Make the server's process behind a connection as nice as this one, where it runs here and we may."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if niceness <= 0 or not PROC.is_dir():
        return
    pid = connection.info.backend_pid
    # A server elsewhere has numbers of its own: only a process whose title names our end of the line is ours.
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as ours:
        host, port = ours.getsockname()[:2]
        if f"{host}({port})".encode() in (PROC / str(pid) / "cmdline").read_bytes():
            os.setpriority(os.PRIO_PROCESS, pid, niceness)
            _set_group(pid, niceness)


def _set_group(pid: int, niceness: int) -> None:
    group = PROC / str(pid) / "autogroup"
    for _ in range(TRIES):
        try:
            # Not made where there is none: kernels without groups, and processes that have ended.
            with group.open("r+b", buffering=0) as file:
                if file.write(str(niceness).encode()) is not None:
                    return
        except OSError:
            return
        threading.Event().wait(PAUSE_S)
