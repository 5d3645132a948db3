"""Starting and stopping, however the last run ended. The tests are about the folder of the stack that the others used.

They come last and in this order.
"""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy import ephemeral
from deploy.ephemeral import Stack, wait_until
from deploy.places import places
from deploy.processes import marked

WARM_START_S = 15.0


@pytest.fixture(scope="module")
def data_dir(stack: Stack) -> Path:
    """Return the folder; its stack's launcher is killed, and so gets to do nothing more."""
    left = started(stack)
    stack.launcher.send_signal(signal.SIGKILL)
    stack.launcher.wait()
    psutil.wait_procs(left, timeout=20)
    return stack.data_dir


@pytest.fixture(scope="module")
def again(data_dir: Path) -> Iterator[Stack]:
    """Yield a stack that was started in the folder again; where it still runs, it is stopped."""
    made = ephemeral.start(data_dir, {})
    try:
        wait_until(made.is_ready, ephemeral.READY_WITHIN_S, "the stack is ready")
        yield made
    finally:
        ephemeral.stop(made)


def started(stack: Stack) -> list[psutil.Process]:
    return stack.launcher_process().children(recursive=True)


def test_a_second_start_is_warm(again: Stack) -> None:
    # A start is bound by the processors: what it uses of two is the time it takes where they are idle.
    used = [process.cpu_times() for process in (again.launcher_process(), *started(again))]
    assert sum(times.user + times.system for times in used) <= 2 * WARM_START_S


def test_a_stack_whose_launcher_was_killed_starts_again(again: Stack) -> None:
    answer = again.ask("Is anybody there?")

    assert "response" in answer, answer


def test_stopping_leaves_no_process(again: Stack) -> None:
    everything = started(again)
    assert len(everything) > 12

    ephemeral.stop(again)

    assert again.launcher.returncode == 0
    assert [process for process in everything if process.is_running()] == []
    assert marked(places(again.data_dir)) == []
    assert not (again.data_dir / "runtime.env").exists()


def test_sigterm_stops_as_ctrl_c_does(data_dir: Path) -> None:
    stack = ephemeral.start(data_dir, {})
    wait_until(lambda: len(started(stack)) > 2, 60, "its servers are started")
    everything = started(stack)

    stack.launcher.terminate()

    assert stack.launcher.wait(60) in (0, 130)
    assert [process for process in everything if process.is_running()] == []


def test_a_used_port_is_said_in_a_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stack = ephemeral.start(data_dir, {"AURA_PORT": str(port)})

        assert stack.launcher.wait(30) == 1
    assert f"Port {port} is in use" in (data_dir / "launcher.log").read_text()
    assert marked(places(data_dir)) == []
