"""A process that has imported what every worker needs, and forks workers from itself: one import serves them all.

    python -m deploy.template FD PADDING

FD is its end of a socket pair (`deploy/forking.py` has the other). Each order that comes over it, with the file to
write to, becomes a worker in a session of its own; back go its process id, and how it ended. It ends with its
launcher, and its workers with it. Linux only: elsewhere each worker is started by itself.
"""

import contextlib
import ctypes
import gc
import json
import os
import random
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from celery.bin.base import CLIContext
from celery.bin.beat import beat

from schemas.settings import get_settings
from workers.__main__ import run
from workers.app import app

PR_SET_PDEATHSIG = 1
ARG_START = 45
"""Where in /proc/self/stat, counted from 0 after the name, the address of the command line stands; its end is next."""


def main() -> None:
    """Fork workers until the launcher hangs up."""
    # Next to nothing of what is imported is ever garbage; to look for it would take a sixth of the time.
    gc.disable()
    app.loader.import_default_modules()
    serve(be)


def serve(program: Callable[[Sequence[str]], None]) -> None:
    """Fork processes that are `program` of the words of an order, until the launcher hangs up."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    # What is there already is shared by all workers as long as nobody writes to it, collecting garbage included.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wake, woken = socket.socketpair()
    wake.setblocking(False)
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([channel, wake], [], [])
        if wake in ready:
            with contextlib.suppress(BlockingIOError):
                wake.recv(4096)
        if channel in ready:
            message, files, _, _ = socket.recv_fds(channel, 1 << 20, 1)
            if not message:
                return
            order = json.loads(message)
            _answer(channel, {"pid": _fork(order, program, files[0], (channel, wake, woken))})
        for pid, status in _ended():
            _answer(channel, {"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def be(words: Sequence[str]) -> None:
    """Be the worker, or the beat, that `python -m` with these words is."""
    sys.argv = [*words]
    if words[0] == "workers":
        run(words[1:])
    else:
        # As for workers: `celery` itself would import every other command first.
        context = CLIContext(app=app, no_color=True, workdir=None, quiet=True)
        beat.main(words[words.index("beat") + 1 :], prog_name="celery beat", obj=context)


def _answer(channel: socket.socket, message: dict[str, int]) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        channel.sendall(json.dumps(message).encode())


def _ended() -> list[tuple[int, int]]:
    found = []
    with contextlib.suppress(ChildProcessError):
        while (child := os.waitpid(-1, os.WNOHANG))[0]:
            found.append(child)
    return found


def _fork(
    order: dict[str, Any],
    program: Callable[[Sequence[str]], None],
    log: int,
    ours: tuple[socket.socket, ...],
) -> int:
    """Return the id of a new process that is the program of the order."""
    template = os.getpid()
    pid = os.fork()
    if pid:
        os.close(log)
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        for end in ours:
            end.close()
        if _arranged(order, log, template):
            program(order["args"])
        code = 0
    except SystemExit as end_of_worker:
        code = end_of_worker.code if isinstance(end_of_worker.code, int) else int(end_of_worker.code is not None)
    except BaseException:  # noqa: BLE001 (the last line of a process: its log is to say why)
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _arranged(order: dict[str, Any], log: int, template: int) -> bool:
    """Arrange what a process of its own would have from the beginning; False where the template is gone."""
    gc.enable()
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != template:
        return False
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    os.umask(0o077)
    os.nice(order["nice"])
    os.environ.clear()
    os.environ.update(order["env"])
    get_settings.cache_clear()
    random.seed()
    _be_called(["python", "-m", *order["args"]])
    return True


def _be_called(words: Sequence[str]) -> None:
    """Write over the command line that `ps` shows, as far as there is room: the padding made some."""
    fields = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()
    start, end = (int(fields[ARG_START + offset]) for offset in (0, 1))
    title = "\0".join(words).encode()[: end - start - 1]
    ctypes.memmove(start, title.ljust(end - start, b"\0"), end - start)


if __name__ == "__main__":
    main()
