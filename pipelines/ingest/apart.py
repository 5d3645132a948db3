"""Reading files in a child process, so that a hostile one can only end its own reader.

A PDF of 600 bytes can keep pdfium busy for hours, one of 5 kB can fill 4 GB, and neither can be
stopped from within. The child is forked, which costs a few milliseconds, has its memory and processor
time limited, and dies with its parent. A child may have children of its own, such as for what is attached to a mail.
"""

import ctypes
import gc
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from schemas.errors.files import Bomb, Damaged
from schemas.errors.providers import ReaderStopped
from schemas.errors.tree import AuraError

T = TypeVar("T")
Report = Callable[[int], None]

_PARENT_DEATH_SIGNAL = 1
_PLAIN_SIGNALS = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGUSR1,
    signal.SIGXCPU,
    signal.SIGSEGV,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGILL,
)  # fmt: skip
_NEAR_LIMIT = 0.5
_IDLE_FACTOR = 4
"""How many times its processor time a child may take by the clock, on a machine that is busy."""


@dataclass(frozen=True)
class Limits:
    """What a child may use beyond what its parent had when it began."""

    memory_bytes: int = 1 << 30
    cpu_s: int = 60


def run_apart(work: Callable[[Report], T], report: Report, limits: Limits) -> T:
    """Return what `work` returns, run in a forked child; what it reports and raises comes through.

    The result is pickled. Raises Bomb where a limit is exceeded, Damaged where the child crashes,
    ReaderStopped where somebody else has killed it.
    """
    receiver, sender = Pipe(duplex=False)
    sys.stdout.flush()
    sys.stderr.flush()
    had_bytes = _memory_bytes()[1]
    pid = os.fork()
    if pid == 0:
        receiver.close()
        _child(work, sender, limits)
    sender.close()
    try:
        return cast(T, _result(receiver, report, time.monotonic() + _IDLE_FACTOR * limits.cpu_s))
    except EOFError:
        _, status, usage = os.wait4(pid, 0)
        pid = 0
        peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        used_s = usage.ru_utime + usage.ru_stime
        raise _cause(status, peak_bytes - had_bytes, used_s, limits) from None
    finally:
        receiver.close()
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _result(receiver: "Connection[Any, Any]", report: Report, deadline: float) -> Any:
    while True:
        if not receiver.poll(max(0.0, deadline - time.monotonic())):
            raise Bomb("Reading the file took far longer than its size allows.")
        kind, value = receiver.recv()
        if kind == "report":
            report(value)
        elif kind == "raised":
            raise value
        else:
            return value


def _child(work: Callable[[Report], T], sender: "Connection[object, object]", limits: Limits) -> NoReturn:
    """Do the work and leave without running anything that belongs to the parent: handlers, hooks, buffers."""
    status = 1
    try:
        _confine(limits)
        sender.send(("done", work(lambda done: sender.send(("report", done)))))
        status = 0
    except MemoryError:
        sender.send(("raised", Bomb()))
    except RecursionError:
        sender.send(("raised", Damaged("The file is nested too deeply.")))
    except AuraError as error:
        sender.send(("raised", error))
    except BaseException as error:  # noqa: BLE001 - the outermost frame of a process: a bug is reported to the parent
        sender.send(("raised", RuntimeError("".join(traceback.format_exception(error)))))
    finally:
        os._exit(status)


def _confine(limits: Limits) -> None:
    for number in _PLAIN_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    # Nothing lives long enough to be worth collecting, and collecting copies the parent's pages.
    gc.disable()
    used_s = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _limit(resource.RLIMIT_CPU, int(used_s) + limits.cpu_s, 1)
    _limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        _limit(resource.RLIMIT_AS, _memory_bytes()[0] + limits.memory_bytes)


def _limit(what: int, most: int, grace: int = 0) -> None:
    """Lower a limit of this process; never raise it, as a child's own child would."""
    allowed = resource.getrlimit(what)[1]
    hard = most + grace if allowed == resource.RLIM_INFINITY else min(most + grace, allowed)
    resource.setrlimit(what, (min(most, hard), hard))


def _memory_bytes() -> tuple[int, int]:
    """Return how much memory this process has reserved, and how much it has in use; 0 where that is not known."""
    if sys.platform != "linux":
        return 0, 0
    reserved, resident, *_ = Path("/proc/self/statm").read_text().split()
    return int(reserved) * resource.getpagesize(), int(resident) * resource.getpagesize()


def _cause(status: int, taken_bytes: int, used_s: float, limits: Limits) -> AuraError:
    """Return why a child died that did not say so itself, having used so much memory and processor time."""
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    if ended_by == signal.SIGXCPU or (ended_by == signal.SIGKILL and used_s > _NEAR_LIMIT * limits.cpu_s):
        return Bomb("Reading the file took far more work than its size allows.")
    if taken_bytes > _NEAR_LIMIT * limits.memory_bytes:
        return Bomb()
    if ended_by == signal.SIGKILL:
        # The machine ran out of memory, or somebody ended the worker: the file need not be at fault.
        return ReaderStopped()
    return Damaged("The file is damaged: its reader crashed over it.")
