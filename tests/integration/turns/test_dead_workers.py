"""A worker that dies in the middle of a turn is noticed at once, and its step is run again by another."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest

from deploy.ephemeral import wait_until
from schemas.tables.dialogue import TurnStatus
from tests import leftovers
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd
from tests.integration.reindex.stacks import ROOT, SPOKEN_TURN, Stack
from tests.integration.turns.conftest import ANSWER, Speaker, providers, reply_with

NOTICED_S = 2.0

ASKS = {
    "transcribe": "/transcriptions",
    "retrieve": "/embeddings",
    "generate": "/chat/completions",
    "synthesize": "text-to-speech",
}


@pytest.fixture(scope="module")
def stack(servers: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, FarEnd]]:
    """Yield processes that work on all steps of turns; each test sees to it that there are two."""
    leftovers.clear(servers)
    with fakes.far_end() as fake, pytest.MonkeyPatch.context() as patch, providers(fake.url, patch):
        fake.reply = reply_with()
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "AURA_PROVIDER_FIRST_TOKEN_S": "30"}
        here = Stack(httpx.Client(), tmp_path_factory.mktemp("turns"), environ, servers[2])
        try:
            yield here, fake
        finally:
            for process in here.running:
                process.kill()
            for process in here.running:
                process.wait(30)


@pytest.fixture
def far_end(stack: tuple[Stack, FarEnd]) -> FarEnd:
    """Return the far end of the workers, in the place of the one that tests without workers have."""
    return stack[1]


@pytest.fixture
def tidy() -> None:
    """Leave the messages: here workers take them."""


def two_workers(stack: Stack) -> None:
    alive = sum(process.poll() is None for process in stack.running)
    for _ in range(2 - alive):
        stack.start_workers(SPOKEN_TURN)


@pytest.fixture
def killer(admin: psycopg.Connection) -> Callable[[str], int]:
    """Return what kills the process that holds the step of a turn, or its sentence."""

    def kill(table: str) -> int:
        found = admin.execute(
            f"SELECT s.application_name FROM {table} t JOIN pg_locks l ON l.objid::bigint = t.holder"  # type: ignore[arg-type]
            " AND l.locktype = 'advisory' JOIN pg_stat_activity s ON s.pid = l.pid WHERE t.status = 'running'"
        ).fetchone()
        assert found is not None
        pid = int(found[0].removeprefix("aura-holder-"))
        os.kill(pid, signal.SIGKILL)
        return pid

    return kill


@pytest.mark.parametrize("step", ASKS)
@pytest.mark.timeout(650)
def test_its_step_is_run_again_within_two_seconds(
    stack: tuple[Stack, FarEnd],
    speaker: Speaker,
    killer: Callable[[str], int],
    step: str,
    record_property: Callable[[str, object], None],
) -> None:
    processes, fake = stack
    two_workers(processes)
    asked = threading.Semaphore(0)
    killed = threading.Event()
    plain = reply_with()

    def hangs_once(exchange: Exchange) -> None:
        if ASKS[step] in exchange.asked.path and not (step == "retrieve" and _warms(exchange)):
            asked.release()
            if not killed.is_set():
                killed.wait(20)
                exchange.cut()
                return
        plain(exchange)

    # Where nothing is stored nothing is asked of an embedder.
    speaker.knows(ANSWER)
    fake.reply = hangs_once
    turn_id = speaker.say()
    assert asked.acquire(timeout=20), "the step has begun"
    pid = killer("sentences" if step == "synthesize" else "turns")
    died_at = time.monotonic()
    killed.set()
    assert asked.acquire(timeout=20), "the step is run again"
    took_s = time.monotonic() - died_at
    record_property("run_again_s", round(took_s, 2))
    wait_until(lambda: speaker.turn(turn_id).status not in ("queued", "running"), 20, "the turn has ended")
    record_property("ended_s", round(time.monotonic() - died_at, 2))
    ended = speaker.turn(turn_id)
    assert (ended.status, ended.answer) == (TurnStatus.COMPLETED, ANSWER)
    assert [role for role, _ in speaker.history()] == ["user", "assistant"]
    assert took_s < NOTICED_S
    for process in processes.running:
        if process.pid == pid:
            process.wait(10)


def _warms(exchange: Exchange) -> bool:
    return exchange.asked.json["input"] == ["warm"]
