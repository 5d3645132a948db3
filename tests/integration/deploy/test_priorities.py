"""Bulk work gives way to voice: a niced worker is nice to other programs, not only to itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.places import REPO

BE_NICE = "from workers.__main__ import _be_nice_to_others as be_nice; be_nice()"
AUTOGROUP = Path("/proc/self/autogroup")


def niceness_of_group(pid: int) -> int:
    """Return how nice the kernel takes the session of a process to be."""
    return int(Path(f"/proc/{pid}/autogroup").read_text().split()[-1])


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not group processes by session")
@pytest.mark.parametrize(("nice", "group"), [(0, 0), (19, 19)])
def test_a_workers_niceness_counts_beside_other_programs(nice: int, group: int) -> None:
    """It is asked of the kernel what it has made of the worker, while that one waits for its standard input."""
    command = ["nice", "-n", str(nice), sys.executable, "-c", f"{BE_NICE}; print(1, flush=True); input()"]
    with subprocess.Popen(
        command, cwd=REPO, start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout is not None and worker.stdout.readline() == b"1\n"
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) == nice
        assert niceness_of_group(worker.pid) == group


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not group processes by session")
def test_a_worker_in_the_session_of_others_leaves_them_alone() -> None:
    before = niceness_of_group(os.getpid())
    subprocess.run(["nice", "-n", "19", sys.executable, "-c", BE_NICE], cwd=REPO, check=True)
    assert niceness_of_group(os.getpid()) == before
