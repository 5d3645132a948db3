"""A running stack: what it tells, what it takes of the machine, and how it mends itself."""

import os
import subprocess
import sys

import psutil
import pytest

from deploy.ephemeral import Stack, wait_until
from deploy.places import REPO
from schemas.settings import Settings

MEMORY_MIB = 4096
SERVERS = {"postgres": "bin/postgres", "valkey": "bin/valkey-server", "web": "gunicorn", "beat": " beat "}


def test_a_first_start_alarms_nobody_about_postgres(stack: Stack) -> None:
    said, ready, _ = (stack.data_dir / "launcher.log").read_text().partition("Ready after")

    assert ready
    assert "postgres │" not in said


def test_all_processes_together_stay_below_four_gibibytes(stack: Stack) -> None:
    assert stack.memory_mib() < MEMORY_MIB


def test_commands_in_another_terminal_find_the_stack(stack: Stack) -> None:
    written = stack.data_dir / "runtime.env"

    found = Settings(_env_file=written, database_url=stack.runtime()["AURA_DATABASE_URL"])

    assert written.stat().st_mode & 0o777 == 0o600
    assert stack.url == f"http://{found.host}:{stack.runtime()['AURA_PORT']}"
    with stack.database() as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("aura_app",)


def test_a_second_start_in_the_same_folder_says_where_the_first_one_is(stack: Stack) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "deploy.local", "run"],
        cwd=REPO,
        env={**os.environ, "AURA_DATA_DIR": str(stack.data_dir), "AURA_PORT": "1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert second.returncode == 1
    assert f"AURA already runs at {stack.url} (process {stack.launcher.pid})" in second.stdout
    assert stack.is_ready()


@pytest.mark.parametrize("name", SERVERS)
def test_a_killed_server_comes_back_by_itself(stack: Stack, name: str) -> None:
    (victim,) = leaders(stack, name)

    victim.kill()

    wait_until(lambda: leaders(stack, name) not in ([], [victim]), 30, f"{name} is started again")
    wait_until(stack.is_ready, 60, f"the stack is ready after {name} was killed")
    answer = stack.ask("Is anybody there?")
    assert "response" in answer, answer


def leaders(stack: Stack, name: str) -> list[psutil.Process]:
    """Return the process that the launcher started as `name`; none while it is down.

    The beat is forked by another child of its.
    """
    found = []
    for process in stack.launcher_process().children(recursive=name == "beat"):
        try:
            if SERVERS[name] in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found
