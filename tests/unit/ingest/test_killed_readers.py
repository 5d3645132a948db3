"""A reader that somebody else ends says nothing about its file."""

import os
import signal
from collections.abc import Callable

import pytest

from pipelines.ingest.apart import Limits, run_apart
from schemas.errors.files import Bomb
from schemas.errors.providers import ReaderStopped
from schemas.errors.tree import Transient


def test_a_reader_that_is_killed_from_outside_is_not_blamed_on_the_file() -> None:
    with pytest.raises(ReaderStopped) as raised:
        run_apart(lambda report: os.kill(os.getpid(), signal.SIGKILL), lambda done: None, Limits())
    assert isinstance(raised.value, Transient)


def test_a_reader_that_is_killed_at_its_limit_is() -> None:
    def spin(_report: Callable[[int], None]) -> None:
        # Native code may not notice the first signal; the second cannot be caught.
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True:
            pass

    with pytest.raises(Bomb):
        run_apart(spin, lambda done: None, Limits(cpu_s=1))
