"""`flask --app api ingest PATH…`: files and folders become one batch, whose progress is shown until it ends."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from api.cli.client import client as make_client
from pipelines.ingest.file_types import TYPES

GROUP_FILES = 100
GROUP_BYTES = 32 << 20
LOOK_EVERY_S = 0.5
SUFFIXES = frozenset({".zip", *(suffix for kind in TYPES for suffix in kind.suffixes)})

console = Console()
_pause = threading.Event()


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--assistant", help="Only this assistant may use the documents.")
@click.option("--priority", default=0, type=click.IntRange(-10, 10), show_default=True, help="More is begun first.")
@click.option("--no-wait", is_flag=True, help="Come back once all is uploaded.")
def ingest(paths: tuple[Path, ...], assistant: str | None, priority: int, no_wait: bool) -> None:
    """Upload files, or folders with all that is in them, as one batch, and show its progress.

    Exits with 1 where a file failed. Ctrl-C leaves the batch running.
    """
    files = list(_files(paths))
    if not files:
        raise click.ClickException("There is no file here that can be read.")
    with make_client() as client, _bars() as bars:
        batch = _post(client, "/api/batches", _about(paths, assistant, priority))
        try:
            _upload(client, batch["id"], files, bars)
            _post(client, f"/api/batches/{batch['id']}/close")
            view = None if no_wait else _follow(client, batch["id"], bars)
        except KeyboardInterrupt:
            _leave(client, batch["id"])
            sys.exit(130)
        if view is None:
            console.print(f"{len(files)} files are accepted. Follow them at /api/jobs/{batch['id']}.", highlight=False)
            return
        failed = _report(client, view)
    sys.exit(1 if failed else 0)


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Yield files with their folder below what was named; hidden and unreadable ones are passed over with a line."""
    seen: set[Path] = set()
    for path in paths:
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in found:
            below = file.relative_to(path) if path.is_dir() else Path(file.name)
            if not file.is_file() or file.resolve() in seen:
                continue
            seen.add(file.resolve())
            if path.is_dir() and any(part.startswith(".") for part in below.parts):
                _skipped(file, "hidden")
            elif path.is_dir() and file.suffix.lower() not in SUFFIXES:
                _skipped(file, "not a kind that is read")
            else:
                yield file, below.parent.as_posix().lstrip(".")


def _skipped(file: Path, why: str) -> None:
    console.print(f"skipped {file}: {why}", style="dim", highlight=False, markup=False, soft_wrap=True)


def _about(paths: Sequence[Path], assistant: str | None, priority: int) -> dict[str, Any]:
    name = ", ".join(path.resolve().name for path in paths)[:255]
    return {"name": name, "assistant_key": assistant, "priority": priority, "source": "folder"}


def _upload(client: httpx.Client, batch_id: str, files: Sequence[tuple[Path, str]], bars: Progress) -> None:
    bar = bars.add_task("uploading", total=len(files))
    for group in _groups(files):
        with ExitStack() as stack:
            parts = [
                ("files", (f"{folder}/{file.name}" if folder else file.name, stack.enter_context(file.open("rb"))))
                for file, folder in group
            ]
            response = client.post("/api/documents/upload", files=parts, data={"batch_id": batch_id})
        _checked(response)
        bars.advance(bar, len(group))


def _groups(files: Sequence[tuple[Path, str]]) -> Iterator[list[tuple[Path, str]]]:
    group: list[tuple[Path, str]] = []
    size = 0
    for file, folder in files:
        here = file.stat().st_size
        if group and (len(group) >= GROUP_FILES or size + here > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append((file, folder))
        size += here
    if group:
        yield group


def _follow(client: httpx.Client, batch_id: str, bars: Progress) -> dict[str, Any]:
    """Move the bar until the batch has ended, and return it."""
    bar = bars.add_task("reading", total=None)
    while True:
        view: dict[str, Any] = _checked(client.get(f"/api/batches/{batch_id}"))
        _move(bars, bar, view)
        if view["state"] in ("completed", "cancelled"):
            return view
        _pause.wait(LOOK_EVERY_S)


def _move(bars: Progress, bar: TaskID, view: dict[str, Any]) -> None:
    totals = view["totals"]
    done = totals["total"] - totals["queued"] - totals["running"]
    what = f"waits for {view['waiting_for']}" if view["waiting_for"] else "reading"
    bars.update(bar, total=totals["total"] or None, completed=done, description=what)


def _report(client: httpx.Client, view: dict[str, Any]) -> int:
    """Print what failed, why and what to do; return how many."""
    totals = view["totals"]
    if view["code"]:
        console.print(f"{view['code']}: {view['detail']}", style="red", highlight=False, markup=False)
    for status in ("refused", "failed", "cancelled"):
        after = None
        while totals[status]:
            query = {"status": status, "limit": 200, **({"after": after} if after else {})}
            page = _checked(client.get(f"/api/batches/{view['id']}/documents", params=query))
            for item in page["documents"]:
                where = f"{item['folder']}/{item['filename']}" if item["folder"] else item["filename"]
                line = f"{where}: {item['code']}: {item['detail']} {item['remedy'] or ''}".rstrip()
                console.print(line, style="red", highlight=False, markup=False, soft_wrap=True)
            after = page["next"]
            if after is None:
                break
    console.print(f"{totals['processed']} of {totals['total']} files are searchable.", highlight=False)
    return int(totals["total"] - totals["processed"]) + bool(view["code"])


def _leave(client: httpx.Client, batch_id: str) -> None:
    """Close the batch, so that what was uploaded is completed, and say how to follow it."""
    client.post(f"/api/batches/{batch_id}/close")
    console.print(
        f"\nWhat was uploaded goes on. Follow it: GET /api/jobs/{batch_id}; stop it: DELETE /api/jobs/{batch_id}.",
        highlight=False,
    )


def _post(client: httpx.Client, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return _checked(client.post(path, json=body or {}))


def _checked(response: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = response.json()
    if response.is_error:
        raise click.ClickException(f"{found['code']}: {found['detail']}")
    return found


def _bars() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)
