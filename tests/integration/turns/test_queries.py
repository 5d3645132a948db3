"""What a turn asks Postgres, counted: somebody waits for every round trip of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from api.dialogue import turns as asking
from tests.integration.turns.conftest import ANSWER, Speaker
from workers import send, turn


class Asked:
    """What this process has sent to Postgres: transactions, statements, and how many of each until something."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    @property
    def transactions(self) -> int:
        return sum("set_config('app.tenant_id'" in statement for statement in self.statements)

    @property
    def own(self) -> int:
        """Return the statements without those that bind a transaction to its tenant."""
        return len(self.statements) - self.transactions


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    asked, execute = Asked(), psycopg.Cursor.execute

    def noted(cursor: Any, query: Any, *args: Any, **options: Any) -> Any:
        asked.statements.append(str(query))
        return execute(cursor, query, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", noted)
        yield asked


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], tuple[Asked, list[int]]]:
    """Return what does something and returns what it asked, with the transactions before each wake-up of a worker."""

    def counted(act: Callable[[], object]) -> tuple[Asked, list[int]]:
        before_wakes: list[int] = []
        real = send._send
        with counting(monkeypatch) as asked, monkeypatch.context() as patch:

            def woken(*args: Any, **options: Any) -> None:
                before_wakes.append(asked.transactions)
                real(*args, **options)

            patch.setattr(send, "_send", woken)
            act()
        return asked, before_wakes

    return counted


def test_a_step_asks_once_for_what_it_reads_and_wakes_the_next_before_what_nobody_waits_for(
    speaker: Speaker, count: Callable[[Callable[[], object]], tuple[Asked, list[int]]]
) -> None:
    speaker.knows("The tower stands by the sea.")
    # What a process asks once, of what a tenant may do, is known then. As much was said before, the ground is not.
    speaker.answered(speaker.say())
    turn_id = speaker.say()
    asked, _ = count(speaker.say)
    assert (asked.transactions, asked.own) == (1, 1), asked.statements
    # Transactions until the next worker is woken, and all statements of the step.
    for step, until_woken, statements in (("transcribe", 2, 4), ("retrieve", 5, 7), ("generate", 2, 16)):
        asked, before_wakes = count(lambda step=step: speaker.run(turn_id, step))  # type: ignore[misc]
        assert before_wakes[0] == until_woken, (step, asked.statements)
        assert asked.own <= statements, (step, asked.statements)
    asked, _ = count(lambda: turn.synthesize(str(speaker.tenant_id), str(turn_id), 0))
    # Taken, held for what it may cost, settled, finished.
    assert (asked.transactions, asked.own <= 9) == (4, True), asked.statements


def test_where_nothing_is_stored_nothing_is_searched(
    speaker: Speaker, count: Callable[[Callable[[], object]], tuple[Asked, list[int]]]
) -> None:
    # What a process asks once is known then.
    speaker.answered(speaker.say())
    turn_id = speaker.say()
    asked, before_wakes = count(lambda: speaker.run(turn_id, "transcribe"))
    assert before_wakes == [2], asked.statements
    assert (speaker.woken("retrieve"), str(turn_id) in speaker.woken("generate")) == ([], True)
    assert [event.name for event in speaker.told()][-2:] == ["turn.transcript", "turn.retrieved"]
    speaker.run(turn_id, "generate")
    assert speaker.turn(turn_id).answer == ANSWER


def test_a_confirmation_wakes_with_its_first_transaction(
    speaker: Speaker, count: Callable[[Callable[[], object]], tuple[Asked, list[int]]]
) -> None:
    turn_id = speaker.say(speculative=True)
    speaker.run(turn_id, "transcribe", "retrieve")
    asked, before_wakes = count(lambda: asking.confirm_turn(speaker.caller, turn_id))
    assert before_wakes == [1]
    assert asked.own <= 3, asked.statements
