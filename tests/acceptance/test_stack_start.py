"""Starting and stopping, however the last run ended. The tests share one data folder, in this order."""

import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy import ephemeral
from deploy.ephemeral import Stack, wait_until
from deploy.places import places
from deploy.postgres import remove
from deploy.processes import end, marked

WARM_START_S = 15.0


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="aura-stack-") as folder:
        yield Path(folder)
        end(marked(places(Path(folder))), within_s=15)
        remove(places(Path(folder)))


@pytest.fixture
def stack(data_dir: Path) -> Iterator[Stack]:
    """Yield a stack that was started in the shared folder; where it still runs, it is stopped."""
    made = ephemeral.start(data_dir, {})
    try:
        wait_until(made.is_ready, ephemeral.READY_WITHIN_S, "the stack is ready")
        yield made
    finally:
        ephemeral.stop(made)


def started(stack: Stack) -> list[psutil.Process]:
    return stack.launcher_process().children(recursive=True)


def test_stopping_leaves_no_process(stack: Stack) -> None:
    everything = started(stack)
    assert len(everything) > 12

    ephemeral.stop(stack)

    assert stack.launcher.returncode == 0
    assert [process for process in everything if process.is_running()] == []
    assert marked(places(stack.data_dir)) == []
    assert not (stack.data_dir / "runtime.env").exists()


def test_a_second_start_is_warm(data_dir: Path) -> None:
    stack = ephemeral.start(data_dir, {})
    try:
        wait_until(stack.is_ready, ephemeral.READY_WITHIN_S, "the stack is ready")
        # A start is bound by the processors: what it uses of two is the time it takes where they are idle.
        used = [process.cpu_times() for process in (stack.launcher_process(), *started(stack))]
        assert sum(times.user + times.system for times in used) <= 2 * WARM_START_S
    finally:
        # The launcher is killed: what it started must not outlive it, nor keep the next start from working.
        left = started(stack)
        stack.launcher.send_signal(signal.SIGKILL)
        stack.launcher.wait()
    psutil.wait_procs(left, timeout=20)


def test_a_stack_whose_launcher_was_killed_starts_again(stack: Stack) -> None:
    answer = stack.ask("Is anybody there?")

    assert "response" in answer, answer


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
