"""A run of AURA: its whole stack, the far ends, the callers, and what all their processes used."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.cpu import between, used_s
from bench.voicing import fakes
from bench.voicing.callers import Orders
from deploy.ephemeral import Stack
from deploy.places import REPO

CALLERS_A_PROCESS = 50
BEGIN_IN_S = 0.5
WARM_S = 4.0
"""Seconds of speech before what is measured: every pool has done each of its tasks once."""


@dataclass(frozen=True)
class Run:
    """What is to be run: how many sessions for how long, in which Python the callers live and what work they do."""

    sessions: int
    seconds: float
    speech: Path
    work: Path | None = None
    python: str = sys.executable
    start: Mapping[str, Any] | None = None


@contextmanager
def far_ends(delays: fakes.Delays) -> Iterator[tuple[str, psutil.Process]]:
    """Yield the address and the process of the far ends while the block runs."""
    command = [sys.executable, "-m", "bench.voicing.fakes", fakes.given(delays)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}", psutil.Process(server.pid)
        finally:
            server.kill()


def run(stack: Stack, far_end: str, far_process: psutil.Process, what: Run) -> dict[str, Any]:
    """Run callers against a stack that is ready and return what happened, as `summary` reads it."""
    httpx.get(f"{far_end}/marks", trust_env=False)
    load, memory = psutil.getloadavg()[0], memory_mib(stack)
    orders = _orders(stack, what)
    processes = [_callers(what.python, one) for one in orders]
    try:
        for process in processes:
            _await_line(process, "open")
        before, far_before = used_s(stack), _cpu_s(far_process)
        busy, began = busy_s(), time.perf_counter()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{began + BEGIN_IN_S}\n")
            process.stdin.flush()
        for process in processes:
            _await_line(process, "done")
        used, far_s = between(before, used_s(stack)), _cpu_s(far_process) - far_before
        busy, wall_s = busy_s() - busy, time.perf_counter() - began
        after = memory_mib(stack)
        parts = [json.loads(_rest(process)) for process in processes]
    finally:
        for process in processes:
            process.kill()
    callers_s = sum(part["cpu_s"] for part in parts)
    told = httpx.get(f"{far_end}/marks", trust_env=False).json()
    return {
        "sessions": what.sessions,
        "turns": with_marks(parts, told["turns"]),
        "waterfalls": [found for part in parts for found in part["waterfalls"]],
        "faults": dict(sum((Counter(part["faults"]) for part in parts), Counter())),
        "codes": dict(sum((Counter(part["codes"]) for part in parts), Counter())),
        "ended": [why for part in parts for why in part["ended"]],
        "cut_offs": sum(part["cut_offs"] for part in parts),
        "answers": sum(part["answers"] for part in parts),
        "unmarked": told["unmarked"],
        "used": used,
        "callers_s": callers_s,
        "far_ends_s": far_s,
        "cpu_s": sum(used.values()) + callers_s + far_s,
        "others": max(0.0, busy - sum(used.values()) - callers_s - far_s) / wall_s,
        "wall_s": wall_s,
        "memory_mib": [memory, after],
        "load": [load, psutil.getloadavg()[0]],
        "late_ms": [1e3 * max(part["lateness"][i] for part in parts) for i in (0, 1)],
    }


def warm_up(stack: Stack, what: Run) -> None:
    """Have a few callers speak, so that nothing is measured that happens once."""
    run_s = replace(what, sessions=2, seconds=WARM_S)
    processes = [_callers(what.python, one) for one in _orders(stack, run_s)]
    for process in processes:
        _await_line(process, "open")
        assert process.stdin is not None
        process.stdin.write(f"{time.perf_counter() + BEGIN_IN_S}\n")
        process.stdin.close()
    for process in processes:
        _rest(process)


def with_marks(parts: list[dict[str, Any]], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the turns of all callers with the instants at which their far ends were called."""
    called = {(one.pop("caller"), one.pop("turn")): one for one in told}
    turns = [turn for part in parts for turn in part["turns"]]
    for turn in turns:
        turn["marks"] |= called.get((turn["caller"], turn["number"]), {})
    return turns


def memory_mib(stack: Stack) -> float:
    """Return the proportional memory of all processes of the stack that are there to be asked."""
    found = 0
    for process in [stack.launcher_process(), *stack.launcher_process().children(recursive=True)]:
        with suppress(psutil.Error):
            found += process.memory_full_info().pss
    return found / 2**20


def busy_s() -> float:
    """Return the CPU seconds that all processes of the machine have used."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - getattr(times, "guest", 0.0))


def _orders(stack: Stack, what: Run) -> list[Orders]:
    count = -(-what.sessions // CALLERS_A_PROCESS)
    shares = [what.sessions // count + (n < what.sessions % count) for n in range(count)]
    return [
        Orders(
            url=stack.url.replace("http", "ws", 1) + "/ws/voice/continuous",
            sessions=share,
            seconds=what.seconds,
            speech=str(what.speech),
            work=str(what.work or ""),
            first=sum(shares[:n]),
            of=what.sessions,
            start=dict(what.start or {}),
        )
        for n, share in enumerate(shares)
    ]


def _callers(python: str, orders: Orders) -> "subprocess.Popen[str]":
    command = [python, "-m", "bench.voicing.callers", json.dumps(asdict(orders))]
    return subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _await_line(process: "subprocess.Popen[str]", wanted: str) -> None:
    assert process.stdout is not None
    if process.stdout.readline().strip() != wanted:
        raise SystemExit("the callers ended early; see what they wrote")


def _rest(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.read()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
