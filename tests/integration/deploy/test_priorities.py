"""Bulk work gives way to voice: a niced worker is nice to other programs, not only to itself."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import MagicMock

import psycopg
import pytest

from deploy import cluster
from deploy.places import REPO, places
from pipelines import niceness

BE_NICE = "from pipelines import niceness; niceness.spread()"


def groups_by_session() -> bool:
    """Return whether a session begun here is a group of its own: a kernel with them turned off has an empty file."""
    look = ["cat", "/proc/self/autogroup"]
    return bool(subprocess.run(look, start_new_session=True, capture_output=True, check=False).stdout)


def may_be_nice_to_postgres(where: Path) -> bool:
    """Return whether we may set the niceness of who Postgres runs as: a container's root may not."""
    with subprocess.Popen(["sleep", "60"], user=cluster.user(places(where))) as another:
        try:
            os.setpriority(os.PRIO_PROCESS, another.pid, 19)
        except PermissionError:
            return False
        finally:
            another.kill()
    return True


needs_groups = pytest.mark.skipif(not groups_by_session(), reason="this kernel does not group processes by session")


def niceness_of_group(pid: int) -> int:
    """Return how nice the kernel takes the session of a process to be, 0 for one that is in no group."""
    return int((Path(f"/proc/{pid}/autogroup").read_text().split() or ["0"])[-1])


OURS = os.getpriority(os.PRIO_PROCESS, 0)
"""All that is started here is as nice as the tests are, or nicer."""


@needs_groups
@pytest.mark.parametrize(("nice", "group"), [(0, OURS), (19, 19)])
def test_a_workers_niceness_counts_beside_other_programs(nice: int, group: int) -> None:
    """It is asked of the kernel what it has made of the worker, while that one waits for its standard input."""
    command = ["nice", "-n", str(nice), sys.executable, "-c", f"{BE_NICE}; print(1, flush=True); input()"]
    with subprocess.Popen(
        command, cwd=REPO, start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout is not None and worker.stdout.readline() == b"1\n"
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) == group
        assert niceness_of_group(worker.pid) == group


@needs_groups
def test_a_worker_in_the_session_of_others_leaves_them_alone() -> None:
    """The shell leads the session; the worker is only in it."""
    work = f"nice -n 19 {sys.executable} -c '{BE_NICE}' && cat /proc/self/autogroup"
    told = subprocess.run(["sh", "-c", work], cwd=REPO, start_new_session=True, capture_output=True, check=True).stdout
    assert told.split()[-1] == b"0"


@needs_groups
@pytest.mark.parametrize("nice", [OURS, 19])
def test_postgres_serves_a_worker_as_nicely_as_that_works(
    servers: tuple[str, str, str], tmp_path: Path, nice: int
) -> None:
    if not may_be_nice_to_postgres(tmp_path):
        pytest.skip("who runs the tests may not set the niceness of who runs Postgres")
    act = "from pipelines.stores.database import get_engine as engine; open = engine().connect(); "
    act += "print(open.connection.dbapi_connection.info.backend_pid, flush=True); input()"
    command = ["nice", "-n", str(nice - OURS), sys.executable, "-c", act]
    with subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        serves = int(worker.stdout.readline())
        assert (os.getpriority(os.PRIO_PROCESS, serves), niceness_of_group(serves)) == (nice, nice)


@needs_groups
def test_many_that_may_not_administer_the_machine_are_each_nice() -> None:
    """Of those the kernel lets one set its group each 0.1 s, and tells the others to try again."""
    if shutil.which("setpriv") is None or os.geteuid() != 0:
        pytest.skip("needs root, and setpriv to be less")
    less = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]
    command = [*less, "nice", "-n", "7", sys.executable, "-c", f"{BE_NICE}; print(1, flush=True); input()"]
    with ExitStack() as all_at_once:
        workers = [
            all_at_once.enter_context(
                subprocess.Popen(
                    command, start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPO
                )
            )
            for _ in range(3)
        ]
        for worker in workers:
            assert worker.stdout is not None and worker.stdout.readline() == b"1\n"
        assert [niceness_of_group(worker.pid) for worker in workers] == [min(7 + OURS, 19)] * 3


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
        assert os.getpriority(os.PRIO_PROCESS, another.pid) == OURS
        another.kill()
