"""Bulk work gives way to voice: a niced worker is nice to other programs, not only to itself."""

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import psycopg
import pytest

from deploy.places import REPO
from pipelines import niceness

BE_NICE = "from pipelines import niceness; niceness.spread()"


def groups_by_session() -> bool:
    """Return whether a session begun here is a group of its own: a kernel with them turned off has an empty file."""
    look = ["cat", "/proc/self/autogroup"]
    return bool(subprocess.run(look, start_new_session=True, capture_output=True, check=False).stdout)


needs_groups = pytest.mark.skipif(not groups_by_session(), reason="this kernel does not group processes by session")


def niceness_of_group(pid: int) -> int:
    """Return how nice the kernel takes the session of a process to be, 0 for one that is in no group."""
    return int((Path(f"/proc/{pid}/autogroup").read_text().split() or ["0"])[-1])


@needs_groups
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


@needs_groups
def test_a_worker_in_the_session_of_others_leaves_them_alone() -> None:
    """The shell leads the session; the worker is only in it."""
    work = f"nice -n 19 {sys.executable} -c '{BE_NICE}' && cat /proc/self/autogroup"
    told = subprocess.run(["sh", "-c", work], cwd=REPO, start_new_session=True, capture_output=True, check=True).stdout
    assert told.split()[-1] == b"0"


@needs_groups
@pytest.mark.parametrize("nice", [0, 19])
def test_postgres_serves_a_worker_as_nicely_as_that_works(servers: tuple[str, str, str], nice: int) -> None:
    act = "from pipelines.stores.database import get_engine as engine; open = engine().connect(); "
    act += "print(open.connection.dbapi_connection.info.backend_pid, flush=True); input()"
    command = ["nice", "-n", str(nice), sys.executable, "-c", act]
    with subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        serves = int(worker.stdout.readline())
        assert (os.getpriority(os.PRIO_PROCESS, serves), niceness_of_group(serves)) == (nice, nice)


def test_a_server_elsewhere_is_left_alone(servers: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of its process is that of another here."""
    with (
        subprocess.Popen(["sleep", "60"]) as another,
        psycopg.connect(servers[1].replace("+psycopg", "")) as connection,
    ):
        monkeypatch.setattr(os, "getpriority", lambda *_: 19)
        told = MagicMock(wraps=connection, info=MagicMock(backend_pid=another.pid))
        niceness.be_served_nicely(told)
        monkeypatch.undo()
        assert os.getpriority(os.PRIO_PROCESS, another.pid) == 0
        another.kill()
