"""Daily use from a terminal: `flask --app api ingest PATH…`, `ask "…"`, `doctor`.

The commands talk to the running server over HTTP, as any client does.
"""

import json
import sys
from collections.abc import Iterator

import click
import httpx
from rich.console import Console

from api.cli.client import client as make_client
from api.cli.ingest import ingest
from schemas.settings import get_settings

console = Console()

__all__ = ["ask", "doctor", "ingest"]


@click.command()
@click.argument("question")
@click.option("--assistant", default="default-assistant", show_default=True)
def ask(question: str, assistant: str) -> None:
    """Ask a question; the answer streams, its sources follow."""
    body = {"message": question, "assistant_key": assistant, "stream": True}
    with make_client() as client, client.stream("POST", "/api/chat", json=body) as response:
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


def _events(response: httpx.Response) -> Iterator[dict[str, object]]:
    for line in response.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line[5:])
