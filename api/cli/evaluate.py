"""`flask --app api evaluate SET`: questions with right answers, asked by the running server, and the figures."""

import json
import sys
import threading
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli.client import client as make_client

LOOK_EVERY_S = 0.5
ENDED = ("completed", "cancelled", "failed")
NUMBERS = ("match_count", "dense_weight", "threshold")

console = Console(stderr=True)
_pause = threading.Event()


@click.command()
@click.argument("questions", metavar="SET", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--config", "configs", multiple=True, help="How to ask, as `match_count=8,dense_weight=0.5`; repeat it.")
@click.option("--name", help="What the run is called; the file's name unless another is given.")
@click.option("--against", help="Id of an earlier run: say which questions got better and worse.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write the plot to this SVG file.")
@click.option("--no-wait", is_flag=True, help="Come back once the set is accepted.")
def evaluate(
    questions: Path, configs: tuple[str, ...], name: str | None, against: str | None, plot: Path | None, no_wait: bool
) -> None:
    """Ask the questions of SET (JSON, CSV or SQuAD) and print the comparison table in Markdown.

    Exits with 1 where the run did not complete. Ctrl-C leaves it running.
    """
    form = {"name": name or questions.name, "configurations": json.dumps([_configuration(one) for one in configs])}
    with make_client() as client:
        files = {"file": (questions.name, questions.read_bytes())}
        view: dict[str, Any] = _checked(client.post("/api/evaluations/upload", data=form, files=files)).json()
        place = f"/api/evaluations/{view['id']}"
        if not no_wait:
            view = _followed(client, place)
        if no_wait or view["status"] not in ENDED:
            console.print(f"It goes on at {place}.", highlight=False)
            return
        click.echo(_checked(client.get(place, params={"format": "md"})).text)
        if plot is not None:
            plot.write_text(_checked(client.get(place, params={"format": "svg"})).text, encoding="utf-8")
        if against is not None:
            _compare(client, place, against)
    if view["code"]:
        console.print(f"{view['code']}: {view['detail']}", style="red", highlight=False, markup=False)
    sys.exit(0 if view["status"] == "completed" else 1)


def _configuration(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in filter(None, text.split(",")):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            raise click.BadParameter(f"{pair!r} is not `name=value`.", param_hint="--config")
        try:
            found[name] = float(value) if name in NUMBERS else value
        except ValueError:
            raise click.BadParameter(f"{name} takes a number.", param_hint="--config") from None
    return found


def _followed(client: httpx.Client, place: str) -> dict[str, Any]:
    """Show how far the run is until it has ended, or the caller stops looking."""
    columns = (TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task("asking", total=None)
        while True:
            view: dict[str, Any] = _checked(client.get(place)).json()
            bars.update(bar, total=view["total"], completed=view["done"])
            try:
                if view["status"] in ENDED or _pause.wait(LOOK_EVERY_S):
                    return view
            except KeyboardInterrupt:
                return view


def _compare(client: httpx.Client, place: str, against: str) -> None:
    found = _checked(client.get(place, params={"against": against})).json()["against"]
    click.echo(f"{len(found['better'])} better, {len(found['worse'])} worse, {found['same']} the same.")
    for question in found["worse"]:
        click.echo(f"- worse: {question}")
    for question in found["better"]:
        click.echo(f"- better: {question}")


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        found = response.json()
        raise click.ClickException(f"{found['code']}: {found['detail']}")
    return response
