"""Starting and stopping, however the last run ended. The tests are about the folder of the stack that the others used.

They come last and in this order.
"""

import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from deploy import ephemeral
from deploy.ephemeral import Stack, wait_until
from deploy.forking import POSSIBLE
from deploy.places import places
from deploy.processes import marked

WARM_IMPORTS = 20
"""So many times the processor's time that one import of everything takes: a start takes some nine, one in which each
worker imports for itself more than twenty, on any machine.
"""


@pytest.fixture(scope="module")
def data_dir(stack: Stack) -> Path:
    """Return the folder; its stack's launcher is killed, and so gets to do nothing more."""
    left = started(stack)
    stack.launcher.send_signal(signal.SIGKILL)
    stack.launcher.wait()
    psutil.wait_procs(left, timeout=60)
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


@pytest.mark.skipif(not POSSIBLE, reason="where nothing can be forked each worker imports for itself")
def test_a_second_start_is_warm(again: Stack) -> None:
    used_s, imports_s = 0.0, 0.0
    for process in (again.launcher_process(), *started(again)):
        with suppress(psutil.NoSuchProcess):  # A worker of Postgres that has ended since.
            seconds = sum(process.cpu_times()[:2])
            used_s += seconds
            imports_s = max(imports_s, seconds if "deploy.template" in process.cmdline() else 0)
    assert 0 < used_s <= WARM_IMPORTS * imports_s, (used_s, imports_s)


def test_a_stack_whose_launcher_was_killed_starts_again(again: Stack) -> None:
    answer = again.ask("Is anybody there?")

    assert "response" in answer, answer


def test_stopping_leaves_no_process(again: Stack) -> None:
    everything = started(again)
    assert len(everything) > 12

    ephemeral.stop(again)

    assert again.launcher.returncode == 0
    # Who was killed in the end may still be about to go.
    assert psutil.wait_procs(everything, timeout=60)[1] == []
    assert marked(places(again.data_dir)) == []
    assert not (again.data_dir / "runtime.env").exists()


def test_sigterm_stops_as_ctrl_c_does(data_dir: Path) -> None:
    stack = ephemeral.start(data_dir, {})
    wait_until(lambda: len(started(stack)) > 2, 180, "its servers are started")
    everything = started(stack)

    stack.launcher.terminate()

    assert stack.launcher.wait(180) in (0, 130)
    assert psutil.wait_procs(everything, timeout=60)[1] == []


def test_a_used_port_is_said_in_a_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stack = ephemeral.start(data_dir, {"AURA_PORT": str(port)})

        assert stack.launcher.wait(180) == 1
    assert f"Port {port} is in use" in (data_dir / "launcher.log").read_text()
    assert marked(places(data_dir)) == []
