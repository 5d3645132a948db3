"""What whoever starts a stack is shown while it starts."""

from pathlib import Path

import pytest

from deploy.terminal import Terminal, awaited

WORKERS = ("worker:extract", "worker:embed", "worker:store")


def test_a_start_into_a_file_names_each_thing_once(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()

    for left in (("Postgres: connection refused",), ("the web process",), ("redis", *WORKERS), WORKERS, WORKERS[1:]):
        terminal.waiting(*awaited(left))
    terminal.waiting("")

    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "waiting for Postgres",
        "waiting for the web process",
        "waiting for redis",
        "waiting for the workers",
    ]


def test_a_terminal_is_told_which_workers() -> None:
    assert awaited(WORKERS[1:]) == ("the workers", "embed, store")


def test_only_what_warns_and_is_news_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    (tmp_path / "postgres.log").write_text(
        "FATAL:  the database system is starting up\nLOG:  all is well\nFATAL:  out of memory\n"
    )

    terminal.echo(tmp_path)
    terminal.echo(tmp_path)

    assert capsys.readouterr().out.splitlines() == ["  postgres │ FATAL:  out of memory"]
