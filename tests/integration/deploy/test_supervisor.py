"""The supervisor keeps a stack running, and leaves nothing behind, however it ends."""

import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import psutil
import psycopg

from deploy.database import connected
from deploy.processes import wait_until
from schemas.errors.work import CannotStart
from tests.integration.deploy.conftest import WITHIN_S, SmallStack, until_said


def test_stop_ends_every_process_and_its_children(small_stack: SmallStack) -> None:
    launcher = small_stack.started('parent: sh -c "sleep 1000 & sleep 1001"\nother: sleep 1002\n')
    assert wait_until(lambda: len(small_stack.running("sleep 100")) >= 4, WITHIN_S)

    launcher.send_signal(signal.SIGTERM)

    assert launcher.wait(WITHIN_S) == 0
    assert small_stack.is_gone()


def test_a_program_that_ignores_the_signal_is_killed(small_stack: SmallStack) -> None:
    launcher = small_stack.started("web: sh -c \"trap '' TERM; while true; do sleep 0.5; done\"\n")
    assert wait_until(lambda: small_stack.asleep("sleep 0.5") != [], WITHIN_S)

    launcher.send_signal(signal.SIGINT)

    assert launcher.wait(WITHIN_S) == 0
    assert small_stack.is_gone()


def test_a_second_ctrl_c_hurries(small_stack: SmallStack) -> None:
    stubborn = "worker: sh -c \"trap 'echo asked >&2' TERM; while true; do sleep 0.5; done\"\n"
    launcher = small_stack.started(stubborn, "--patient")
    assert wait_until(lambda: small_stack.asleep("sleep 0.5") != [], WITHIN_S)

    launcher.send_signal(signal.SIGINT)
    log = small_stack.where.logs / "worker.log"
    assert wait_until(lambda: "asked" in log.read_text(), WITHIN_S)
    launcher.send_signal(signal.SIGINT)

    assert launcher.wait(WITHIN_S) == 0
    assert small_stack.is_gone()


def test_programs_stop_in_order_front_door_first(small_stack: SmallStack) -> None:
    order = small_stack.where.data_dir / "order"
    launcher = small_stack.started(
        "".join(
            f"{name}: sh -c \"trap 'echo {name} >> {order}; exit 0' TERM; while true; do sleep 0.5; done\"\n"
            for name in ("beat", "worker", "web")
        )
    )
    assert wait_until(lambda: len(small_stack.asleep("sleep 0.5")) >= 3, WITHIN_S)

    launcher.send_signal(signal.SIGTERM)

    assert launcher.wait(WITHIN_S) == 0
    assert order.read_text().split() == ["web", "worker", "beat"]


def test_what_dies_is_started_again_and_its_orphans_are_ended(small_stack: SmallStack) -> None:
    launcher = small_stack.started('pool: sh -c "sleep 1000 & sleep 1001"\n')
    # By then nothing is a shell but the one that leads: each that was forked has become its `sleep`.
    assert wait_until(lambda: len(small_stack.asleep("sleep 100")) == 2, WITHIN_S)
    (before,) = [process for process in small_stack.running("sleep 1000") if process.name() == "sh"]
    orphans = before.children(recursive=True)

    before.kill()

    assert until_said(launcher, "pool") == "pool was killed by SIGKILL; it is started again."
    assert wait_until(
        lambda: {p.pid for p in small_stack.running("sleep 1000")} - {p.pid for p in orphans} != set(), WITHIN_S
    )
    assert psutil.wait_procs(orphans, timeout=WITHIN_S)[1] == []


def test_a_program_that_keeps_ending_shows_what_it_said(small_stack: SmallStack) -> None:
    launcher = small_stack.launch('web: sh -c "echo no bread today; exit 3"\n')

    assert until_said(launcher, "web ended") == "web ended with code 3; it is started again."
    assert until_said(launcher, "web keeps ending")
    assert until_said(launcher, "no bread today")


def test_killing_the_launcher_leaves_nothing_for_long(small_stack: SmallStack) -> None:
    launcher = small_stack.started()
    assert wait_until(lambda: len(small_stack.asleep("sleep")) == 2, WITHIN_S)
    left = small_stack.asleep("sleep")

    launcher.kill()

    _, alive = psutil.wait_procs(left, timeout=WITHIN_S)
    assert alive == [] or sys.platform != "linux", "elsewhere the next start ends them"
    small_stack.started()
    assert [process for process in left if process.is_running()] == []
    assert wait_until(lambda: len(small_stack.asleep("sleep")) == 2, WITHIN_S)


def test_leftovers_of_a_killed_launcher_are_ended_by_the_next_start(small_stack: SmallStack) -> None:
    launcher = small_stack.started("stubborn: sh -c \"trap '' TERM; exec sleep 1000\"\n")
    assert wait_until(lambda: small_stack.asleep("sleep 1000") != [], WITHIN_S)
    (left,) = small_stack.running("sleep 1000")
    launcher.kill()
    launcher.wait()
    assert left.is_running(), "the test needs a process that outlives its launcher"

    until_said(small_stack.launch(), "An earlier run was killed")

    assert wait_until(lambda: not left.is_running(), WITHIN_S)


def test_one_data_folder_has_one_stack(small_stack: SmallStack) -> None:
    first = small_stack.started()

    second = small_stack.launch()

    assert f"(process {first.pid})" in until_said(second, "AURA already runs")
    assert second.wait(WITHIN_S) == 1
    assert wait_until(lambda: len(small_stack.asleep("sleep")) == 2, WITHIN_S)


def test_a_killed_postgres_runs_again_with_its_data(small_stack: SmallStack) -> None:
    launcher = small_stack.started("idle: sleep 1000\n", "--postgres")
    url = small_stack.url
    assert wait_until(lambda: _answers(url), WITHIN_S)
    with connected(url) as connection, ThreadPoolExecutor(1) as pool:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
        # A session at work does not notice that its Postgres is dead, and keeps the next one from starting.
        busy = pool.submit(connection.execute, "SELECT count(*) FROM generate_series(1, 1000000000)")
        psutil.Process(backend).parent().kill()  # type: ignore[union-attr]
        until_said(launcher, "postgres was killed by SIGKILL")
        assert isinstance(busy.exception(WITHIN_S), psycopg.OperationalError)

    assert wait_until(lambda: _answers(url), WITHIN_S)
    with connected(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def _answers(url: str) -> bool:
    try:
        with connected(url):
            return True
    except CannotStart:
        return False
