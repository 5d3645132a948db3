"""One stack per data folder: its lock, its state file, and what a killed launcher left running."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import psutil

from deploy.places import Places, write_private
from deploy.postgres import clean
from deploy.processes import end, marked
from schemas.errors.work import CannotStart


@dataclass(frozen=True)
class State:
    """The launcher of a running stack. A pid alone may since be another program's; with `born` it is not."""

    pid: int
    born: float
    address: str = ""

    def process(self) -> psutil.Process | None:
        """Return the launcher, None where it is gone."""
        try:
            launcher = psutil.Process(self.pid)
            return launcher if abs(launcher.create_time() - self.born) < 1 else None
        except psutil.NoSuchProcess:
            return None


@contextmanager
def claimed(where: Places, say: Callable[[str], object] = lambda _: None) -> Iterator[None]:
    """Hold the data folder: nobody else starts a stack in it. Raises CannotStart where somebody does.

    Processes that an earlier, killed launcher of this folder left behind are ended first.
    """
    with where.lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(_already(where)) from None
        left = end_leftovers(where)
        if left:
            say(f"An earlier run was killed; the {left} processes it left behind are ended.")
        note(where)
        try:
            yield
        finally:
            where.state.unlink(missing_ok=True)
            where.runtime_env.unlink(missing_ok=True)


def note(where: Places, address: str = "") -> None:
    """Write down that this process runs the stack, and the `address` it serves."""
    me = psutil.Process()
    write_private(where.state, json.dumps(asdict(State(me.pid, me.create_time(), address))))


def read(where: Places) -> State | None:
    """Return who runs the stack of this data folder, None where nobody says so."""
    try:
        return State(**json.loads(where.state.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def end_leftovers(where: Places) -> int:
    """End the processes that carry this stack's mark, and its Postgres; return how many carried the mark."""
    left = [process for process in marked(where) if process.pid != os.getpid()]
    end(left, within_s=4)
    data = where.data_dir / "postgres" / "data"
    if data.exists():
        clean(data.resolve())
    return len(left)


def gone(process: psutil.Process, within_s: float) -> bool:
    """Wait for the end of `process` and return whether it came."""
    try:
        process.wait(within_s)
    except psutil.TimeoutExpired:
        return False
    return True


def _already(where: Places) -> str:
    state = read(where)
    at = f" at {state.address}" if state and state.address else ""
    who = f" (process {state.pid})" if state else ""
    return (
        f"AURA already runs{at}{who} with the data folder {where.data_dir}. "
        "Stop it with Ctrl-C in its terminal or `make stop`, or set AURA_DATA_DIR to another folder for a second one."
    )
