"""The command that uploads a folder: what it takes, what it says, how it ends."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from api.cli import ingest as cli_ingest
from schemas.settings import get_settings
from tests.integration.ways_in.conftest import Sender
from workers.documents import batches as telling


@pytest.fixture
def run(app: Flask, address: str, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Return what runs the command against the server, as a key of the sender's organisation."""
    made = sender.post("/api/tenant/keys", 201, name="cli", scopes=["documents:read", "documents:write"])
    there = urlsplit(address)
    settings = {"host": there.hostname, "port": there.port, "api_key": made["api_key"]}
    for name, value in settings.items():
        monkeypatch.setenv(f"AURA_{name.upper()}", str(value))
    get_settings.cache_clear()
    monkeypatch.setattr(cli_ingest, "LOOK_EVERY_S", 0.02)
    yield lambda *args: CliRunner().invoke(cli_ingest.ingest, [str(arg) for arg in args])
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three texts in it, and what is not to be taken."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    for name in ("a.txt", "deep/b.md", "deep/er/c.txt", ".git/d.txt", ".hidden.txt", "tool.exe"):
        (tmp_path / name).write_text(f"{name} {uuid4()}")
    return tmp_path


def work(sender: Sender, **columns: object) -> threading.Thread:
    """End the sender's documents as workers would, once the batch is closed."""

    def end() -> None:
        while True:
            found = sender.rows("SELECT batch_id, is_open FROM batches WHERE tenant_id = %s", sender.tenant_id)
            if found and not found[0][1]:
                break
            stop.wait(0.02)
        sender.set_documents("error_code IS NULL", processing_status="processed", version=1)
        if columns:
            sender.set_documents("filename = 'a.txt'", **columns)
        telling.settle(sender.tenant_id, [found[0][0]])

    stop = threading.Event()
    thread = threading.Thread(target=end)
    thread.start()
    return thread


def test_a_folder_becomes_a_batch_with_its_folders(run: Callable[..., Result], folder: Path, sender: Sender) -> None:
    worker = work(sender)
    result = run(folder, "--priority", "3")
    worker.join()
    assert result.exit_code == 0, result.output
    assert "3 of 3 files are searchable." in result.output
    for name in (".git/d.txt: hidden", ".hidden.txt: hidden", "tool.exe: not a kind"):
        assert name in result.output.replace("\n", "")
    [batch] = sender.get("/api/batches")["batches"]
    assert (batch["source"], batch["priority"], batch["state"]) == ("folder", 3, "completed")
    found = {(item["folder"], item["filename"]) for item in sender.items(batch["id"])}
    assert found == {("", "a.txt"), ("deep", "b.md"), ("deep/er", "c.txt")}


def test_what_failed_is_printed_with_what_to_do_and_the_exit_code_tells(
    run: Callable[..., Result], folder: Path, sender: Sender
) -> None:
    (folder / "empty.txt").write_text("")
    worker = work(
        sender, processing_status="failed", version=0, error_code="no_text", error_detail="No text was found."
    )
    result = run(folder)
    worker.join()
    assert result.exit_code == 1
    assert "a.txt: no_text: No text was found. If it is a scan" in result.output
    assert "empty.txt: empty_file: The file is empty. Check that" in result.output
    assert "2 of 4 files are searchable." in result.output


def test_it_comes_back_at_once_where_it_is_told_not_to_wait(
    run: Callable[..., Result], folder: Path, sender: Sender
) -> None:
    result = run(folder / "a.txt", "--no-wait")
    assert result.exit_code == 0, result.output
    [batch] = sender.get("/api/batches")["batches"]
    assert batch["id"] in result.output.replace("\n", "")
    assert (batch["is_open"], batch["state"]) == (False, "running")


def test_an_interrupt_leaves_the_batch_running_and_says_how_to_follow_it(
    run: Callable[..., Result], folder: Path, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_ingest, "_follow", interrupt)
    result = run(folder)
    assert result.exit_code == 130
    [batch] = sender.get("/api/batches")["batches"]
    assert f"GET /api/jobs/{batch['id']}" in result.output.replace("\n", "")
    assert batch["state"] == "running"


def test_an_unknown_assistant_is_said_before_anything_is_sent(
    run: Callable[..., Result], folder: Path, sender: Sender
) -> None:
    result = run(folder, "--assistant", "nobody")
    assert result.exit_code == 1
    assert "unknown_assistant" in result.output


def test_an_empty_folder_is_said_so(run: Callable[..., Result], tmp_path: Path) -> None:
    assert "no file here" in run(tmp_path).output
