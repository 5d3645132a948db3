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


def test_what_every_worker_warns_of_is_shown_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    for queue in ("embed", "extract", "store"):
        (tmp_path / f"{queue}.log").write_text("ERROR: No space left on device\n" * 9)
    with (tmp_path / "store.log").open("a") as log:
        log.write('{"event": "task_failed", "level": "error", "document": "a1"}\n')

    terminal.echo(tmp_path)

    assert capsys.readouterr().out.splitlines() == [
        "     embed │ ERROR: No space left on device",
        "     store │ task_failed level=error document=a1",
    ]


def test_every_line_is_shown_to_who_asked_for_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "store.log").write_text("ERROR: No space left on device\n" * 20)

    Terminal(verbose=True).echo(tmp_path)

    assert len(capsys.readouterr().out.splitlines()) == 20


def test_a_full_disk_is_said_once_until_there_is_room_again(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()

    for sentence in ("", "It is full.", "It is full.", "", "It is full."):
        terminal.standing(sentence)

    assert capsys.readouterr().out == "It is full.\nIt is full.\n"
