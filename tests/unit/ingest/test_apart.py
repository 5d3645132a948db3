"""What a hostile file does to its reader stays with its reader."""

import os
import signal
import threading
import time

import pytest

from pipelines.ingest.apart import Limits, Report, run_apart
from schemas.errors.files import Bomb, Damaged, Encrypted

SMALL = Limits(memory_bytes=64 << 20, cpu_s=1)


def ignore(done: int) -> None:
    """Take no note."""


def test_results_reports_and_errors_come_through() -> None:
    told: list[int] = []

    def work(report: Report) -> tuple[str, int]:
        report(3)
        report(7)
        return "done", os.getpid()

    result, pid = run_apart(work, told.append, SMALL)
    assert (result, told) == ("done", [3, 7])
    assert pid != os.getpid()

    def fail(report: Report) -> None:
        raise Encrypted("locked")

    with pytest.raises(Encrypted, match="locked"):
        run_apart(fail, ignore, SMALL)


def test_endless_work_is_stopped() -> None:
    def work(report: Report) -> None:
        while True:
            pass

    started = time.monotonic()
    with pytest.raises(Bomb):
        run_apart(work, ignore, SMALL)
    assert time.monotonic() - started < 120


def test_too_much_memory_is_refused() -> None:
    def work(report: Report) -> int:
        return len(bytes(512 << 20))

    with pytest.raises(Bomb):
        run_apart(work, ignore, SMALL)


def test_a_crash_is_the_files_fault() -> None:
    with pytest.raises(Damaged):
        run_apart(lambda report: os.kill(os.getpid(), signal.SIGSEGV), ignore, SMALL)


def test_endless_nesting_is_damage() -> None:
    def work(report: Report) -> None:
        work(report)

    with pytest.raises(Damaged):
        run_apart(work, ignore, SMALL)


def test_a_bug_is_not_blamed_on_the_file() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        run_apart(lambda report: 1 // 0, ignore, SMALL)


def test_no_child_is_left_behind_when_the_caller_gives_up() -> None:
    children: list[int] = []

    def work(report: Report) -> None:
        report(os.getpid())
        threading.Event().wait()

    def give_up(pid: int) -> None:
        children.append(pid)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_apart(work, give_up, SMALL)
    with pytest.raises(ProcessLookupError):
        os.kill(children[0], 0)
