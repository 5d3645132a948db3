"""The stack as a newcomer meets it: start, wounds, a second start, stop. One stack for all, in this order."""

import signal
import socket
from collections.abc import Iterator

import psutil
import pytest

from deploy.processes import wait_until
from tests.acceptance.stack import Stack, said, stack

WARM_START_S = 15.0
MEMORY_GIB = 4.0


@pytest.fixture(scope="module")
def run() -> Iterator[Stack]:
    with stack() as made:
        made.start()
        yield made


def test_every_part_is_ready_and_memory_is_bounded(run: Stack) -> None:
    assert run.ready()
    pss = sum(process.memory_full_info().pss for process in run.processes())

    assert pss < MEMORY_GIB * 2**30


def test_commands_in_another_terminal_find_the_stack(run: Stack) -> None:
    from schemas.settings import Settings

    found = Settings(_env_file=run.where.runtime_env, data_dir=run.where.data_dir)

    assert run.where.runtime_env.stat().st_mode & 0o777 == 0o600
    assert f":{found.port}" in run.address
    assert found.database_url and found.redis_url


def test_a_second_start_says_where_the_first_one_is(run: Stack) -> None:
    second = run.launch()

    assert run.address in said(second, "AURA cannot start. AURA already runs")
    assert second.wait(10) == 1


def test_a_used_port_is_said_in_a_sentence() -> None:
    with stack() as other, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        launcher = other.launch(AURA_PORT=str(port))

        assert f"Port {port} is in use" in said(launcher, "AURA cannot start.")
        assert launcher.wait(10) == 1
        assert other.processes() == []


@pytest.mark.parametrize("name", ["postgres", "valkey", "web", "retrieve"])
def test_what_is_killed_comes_back(run: Stack, name: str) -> None:
    victim = run.process(name)

    victim.kill()

    assert run.launcher is not None
    assert said(run.launcher, name) == f"{name} was killed by SIGKILL; it is started again."
    # Not the dead worker's last word, which Redis keeps for some seconds.
    assert wait_until(lambda: run.process(name).pid != victim.pid and run.ready(), 40, step_s=0.2)


def test_stopping_leaves_no_process_and_the_next_start_is_warm(run: Stack) -> None:
    before = run.processes()

    assert run.stop() == 0

    assert [process for process in before if process.is_running()] == []
    assert run.processes() == []
    assert not run.where.runtime_env.exists()
    assert run.start() <= WARM_START_S


def test_a_killed_launcher_leaves_a_stack_that_starts_again(run: Stack) -> None:
    left = run.processes()
    assert run.launcher is not None
    run.launcher.send_signal(signal.SIGKILL)
    run.launcher.communicate()

    run.start()

    _, alive = psutil.wait_procs(left, timeout=1)
    assert alive == []
    assert run.ready()
