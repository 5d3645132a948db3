"""Daily use from a terminal: `flask --app api ingest PATH…`, `ask "…"`, `doctor`.

The commands talk to the running server over HTTP, as any client does.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from schemas.settings import get_settings

console = Console()

IN_FLIGHT = 16
"""Files that are uploaded but not yet processed at once."""


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--assistant", help="Only this assistant may use the documents.")
def ingest(paths: tuple[Path, ...], assistant: str | None) -> None:
    """Upload files, or folders with all that is in them, and show their progress."""
    files = sorted(file for path in paths for file in _files(path))
    failed = 0
    with _client() as client, _bars() as bars:
        waiting, running = files[::-1], dict[str, tuple[TaskID, Path]]()
        while waiting or running:
            while waiting and len(running) < IN_FLIGHT:
                file = waiting.pop()
                bar = bars.add_task(file.name, total=None, state="uploading")
                job = _upload(client, file, assistant)
                if isinstance(job, str):
                    running[job] = (bar, file)
                else:
                    failed += 1
                    bars.update(bar, total=1, state=f"[red]{job['code']}: {job['detail']}")
            for job_id, (bar, _) in list(running.items()):
                ended, bad = _follow(client, job_id, bars, bar)
                if ended:
                    failed += bad
                    del running[job_id]
            if running:
                time.sleep(0.2)  # The server has no event for "any of these"; five looks a second are cheap.
    console.print(f"{len(files) - failed} of {len(files)} files are searchable.")
    sys.exit(1 if failed else 0)


@click.command()
@click.argument("question")
@click.option("--assistant", default="default-assistant", show_default=True)
def ask(question: str, assistant: str) -> None:
    """Ask a question; the answer streams, its sources follow."""
    body = {"message": question, "assistant_key": assistant, "stream": True}
    with _client() as client, client.stream("POST", "/api/chat", json=body) as response:
        if response.status_code != 200:
            response.read()
            problem = response.json()
            raise click.ClickException(f"{problem['code']}: {problem['detail']}")
        for event in _events(response):
            if event["type"] == "turn.token":
                click.echo(event["text"], nl=False)
            elif event["type"] == "turn.completed":
                click.echo("\n")
                for number, citation in enumerate(event["citations"], 1):
                    page = f", page {citation['page']}" if citation.get("page") else ""
                    click.echo(f"  [{number}] {citation['filename']}{page}")
                click.echo(f"  confidence {event['context_confidence']:.2f}, {event['processing_time']:.2f} s")
            elif event["type"] == "turn.failed":
                raise click.ClickException(f"{event['code']}: {event['detail']}")


@click.command()
def doctor() -> None:
    """Say what is installed, running and missing, and how to mend it."""
    from deploy.doctor import examine  # Starts nothing, but looks at everything: too much for each import.

    findings = examine(get_settings())
    for finding in findings:
        mark = "[green]✓[/]" if finding.ok else "[red]✗[/]"
        console.print(f"{mark} {finding.name}: {finding.what}", highlight=False)
        if not finding.ok and finding.mend:
            console.print(f"    → {finding.mend}", highlight=False)
    sys.exit(0 if all(finding.ok or not finding.needed for finding in findings) else 1)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from (found for found in path.rglob("*") if found.is_file() and not found.name.startswith("."))


def _upload(client: httpx.Client, file: Path, assistant: str | None) -> "str | dict[str, str]":
    """Return the job's id, or the problem that the file was refused with."""
    fields = {"assistant_key": assistant} if assistant else {}
    with file.open("rb") as opened:
        response = client.post("/api/documents/upload", files={"file": (file.name, opened)}, data=fields)
    found = response.json()
    return str(found["job_id"]) if response.status_code in (200, 202) else found


def _follow(client: httpx.Client, job_id: str, bars: Progress, bar: TaskID) -> tuple[bool, bool]:
    """Move the bar; return whether the job has ended, and whether badly."""
    view = client.get(f"/api/documents/{job_id}").json()
    if view["status"] == "processed":
        bars.update(bar, total=1, completed=1, state=f"[green]{view['chunks']} chunks")
        return True, False
    if view["status"] == "failed":
        bars.update(bar, total=1, state=f"[red]{view['code']}: {view['detail']}")
        return True, True
    bars.update(bar, total=view["total"], completed=view["done"] or 0, state=view["waiting_for"] or view["stage"])
    return False, False


def _events(response: httpx.Response) -> Iterator[dict[str, object]]:
    for line in response.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line[5:])


def _client() -> httpx.Client:
    settings = get_settings()
    address = f"http://{settings.host}:{settings.port}"
    try:
        httpx.get(f"{address}/health", trust_env=False, timeout=10)
    except httpx.TransportError:
        raise click.ClickException(
            f"AURA does not answer at {address}. Start it with `make run`, or see `flask --app api doctor`."
        ) from None
    headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"} if settings.api_key else {}
    return httpx.Client(base_url=address, timeout=120, trust_env=False, headers=headers)


def _bars() -> Progress:
    columns = (TextColumn("{task.description:<32}"), BarColumn(), TextColumn("{task.fields[state]}"))
    return Progress(*columns, console=console)
