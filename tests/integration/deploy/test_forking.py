"""Workers are forked from one process, and are like workers that were started by themselves."""

import signal
from contextlib import suppress

import psutil
import pytest

from deploy.forking import POSSIBLE, Order, order_of
from deploy.processes import wait_until
from tests.integration.deploy.conftest import WITHIN_S, SmallStack

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="forking from a template needs Linux")

TWO_WORKERS = (
    "quick: python -m workers -Q upkeep -n upkeep@%h -P threads -c 1 --without-gossip --without-mingle\n"
    "slow: nice -n 7 env OMP_THREAD_LIMIT=1 python -m workers -Q chunk -n chunk@%h -P threads -c 1 --without-gossip\n"
)


def workers(stack: SmallStack) -> dict[str, psutil.Process]:
    """Return the workers that run, by queue."""
    found = {}
    for process in stack.running("-m workers -Q"):
        with suppress(psutil.Error, IndexError):  # It has just ended.
            found[process.cmdline()[4]] = process
    return found


def up(stack: SmallStack) -> bool:
    return len(workers(stack)) == 2


def renewed(stack: SmallStack, before: set[int]) -> bool:
    """Return whether both workers run, and none of those before."""
    pids = {worker.pid for worker in workers(stack).values()}
    return len(pids) == 2 and not pids & before


def template(stack: SmallStack) -> psutil.Process:
    [found] = stack.running("deploy.template")
    return found


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("python -m workers -Q a -c 2", Order(("workers", "-Q", "a", "-c", "2"))),
        ("nice -n 10 env A=1 B=x=y python -m workers -Q a", Order(("workers", "-Q", "a"), 10, {"A": "1", "B": "x=y"})),
        ("env A=1 python -m workers", Order(("workers",), 0, {"A": "1"})),
        ("celery -A workers.app:app beat --pidfile=", Order(("celery", "-A", "workers.app:app", "beat", "--pidfile="))),
        ("nice -n 5 celery -A workers.app:app flower", None),
        ('sh -c "python -m workers"', None),
    ],
)
def test_a_line_of_the_procfile_is_an_order_where_it_is_a_worker_or_the_beat(line: str, order: Order | None) -> None:
    assert order_of(line) == order


def test_a_forked_worker_has_its_name_niceness_and_settings(small_stack: SmallStack) -> None:
    small_stack.started(TWO_WORKERS)
    assert wait_until(lambda: up(small_stack), WITHIN_S)
    found = workers(small_stack)
    assert {worker.ppid() for worker in found.values()} == {template(small_stack).pid}
    assert found["chunk"].cmdline()[:7] == ["python", "-m", "workers", "-Q", "chunk", "-n", "chunk@%h"]
    assert found["chunk"].nice() - found["upkeep"].nice() == 7
    assert (small_stack.where.logs / "slow.log").exists()


def test_a_killed_forked_worker_is_started_again(small_stack: SmallStack) -> None:
    launcher = small_stack.started(TWO_WORKERS)
    assert wait_until(lambda: up(small_stack), WITHIN_S)
    before = workers(small_stack)["chunk"]

    before.send_signal(signal.SIGKILL)

    assert launcher.stdout is not None
    assert "slow was killed by SIGKILL; it is started again." in launcher.stdout.readline()
    assert wait_until(lambda: renewed(small_stack, {before.pid}), WITHIN_S)
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait(WITHIN_S) == 0
    assert small_stack.is_gone()


def test_where_nobody_can_fork_workers_are_started_by_themselves(small_stack: SmallStack) -> None:
    small_stack.started(TWO_WORKERS)
    assert wait_until(lambda: up(small_stack), WITHIN_S)
    gone, before = template(small_stack), workers(small_stack)

    gone.send_signal(signal.SIGKILL)

    assert wait_until(
        lambda: (
            up(small_stack)
            and not {worker.pid for worker in before.values()} & {w.pid for w in workers(small_stack).values()}
        ),
        WITHIN_S,
    )
    assert small_stack.running("deploy.template") == []


def test_a_launcher_that_is_killed_takes_template_and_workers_along(small_stack: SmallStack) -> None:
    launcher = small_stack.started(TWO_WORKERS)
    assert wait_until(lambda: up(small_stack), WITHIN_S)
    everything = small_stack.running()

    launcher.send_signal(signal.SIGKILL)

    _, alive = psutil.wait_procs(everything, timeout=WITHIN_S)
    assert alive == []
