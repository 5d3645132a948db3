"""The whole product on real input: `make demo`. Everything goes over the public interfaces.

Reads docs/samples, asks a written and a spoken question, saves the spoken answer, and listens to it
again. Exits non-zero where a step failed.
"""

import argparse
import os
import re
import signal
import sys
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from deploy import spoken
from deploy.client import Client
from deploy.places import REPO
from deploy.readiness import address
from deploy.waterfall import waterfall
from schemas.errors.tree import AuraError, Permanent
from schemas.settings import get_settings

SAMPLES = REPO / "docs" / "samples"
ASSISTANT = "default-assistant"
WRITTEN = "How many days of paid holiday does a full-time employee have?"
ALOUD = "Where do I leave the bike when the shop is closed?"

STAGES = ("extract", "chunk", "embed", "store")
READ_WITHIN_S = 240.0
SAME_WER = 0.4
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
"""Word errors between an answer and its sound heard again: figures may be written in words."""


class Demo:
    """The steps, in order, and the terminal they are shown on."""

    def __init__(self, console: Console, address: str, answer: Path) -> None:
        self._console, self._client, self._address = console, Client(address), address
        self._recording, self._answer = answer, ""

    def run(self) -> int:
        """Take all steps, each also where an earlier one failed; return the exit code."""
        steps = (
            ("Reading the documents", self.read),
            ("A written question", self.ask_written),
            ("A spoken question", self.ask_aloud),
            ("Listening to the answer again", self.listen_again),
        )
        failed = [title for number, (title, step) in enumerate(steps, 1) if not self._take(number, title, step)]
        load = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
        self._console.print(f"\n[dim]Times are of this machine at this moment: {load}.[/]", highlight=False)
        if failed:
            self._console.print(f"[bold red]{len(failed)} of {len(steps)} steps failed:[/] {', '.join(failed)}")
        else:
            self._console.print("[bold green]Every step worked.[/]")
        return 1 if failed else 0

    def _take(self, number: int, title: str, step: Callable[[], None]) -> bool:
        self._console.print()
        self._console.rule(f"[bold]{number}  {title}", align="left", style="cyan")
        began = time.monotonic()
        try:
            step()
        except AuraError as error:
            self._console.print(f"[bold red]✗[/] {escape(error.detail)}")
            return False
        except httpx.HTTPError as error:
            self._console.print(f"[bold red]✗[/] The server did not answer: {escape(str(error))}")
            return False
        self._console.print(f"[green]✓[/] [dim]{time.monotonic() - began:.1f} s[/]")
        return True

    def read(self) -> None:
        """Upload every sample and follow each until it is searchable."""
        files = sorted(path for path in SAMPLES.iterdir() if path.is_file() and not path.name.startswith("."))
        deadline, pause = time.monotonic() + READ_WITHIN_S, threading.Event()
        ended: dict[str, bool] = {}
        columns = (TextColumn("{task.description:<34}"), BarColumn(28), TextColumn("{task.fields[state]}"))
        with Progress(*columns, console=self._console) as bars:
            shown = {
                self._client.upload(path): (path.name, bars.add_task(path.name, total=len(STAGES), state="waiting"))
                for path in files
            }
            while len(ended) < len(shown) and time.monotonic() < deadline:
                for job_id in shown.keys() - ended.keys():
                    job = self._client.job(job_id)
                    _move(bars, shown[job_id][1], job["result"])
                    if job["finished"]:
                        ended[job_id] = job["status"] == "processed"
                pause.wait(0.1)
        bad = [name for job_id, (name, _) in shown.items() if not ended.get(job_id)]
        if bad or not files:
            raise Permanent(f"Not searchable: {', '.join(bad) or 'no sample was found'}.")

    def ask_written(self) -> None:
        """Ask in writing; the answer appears as it is written."""
        self._console.print(f"[bold]?[/] {WRITTEN}\n")
        completed: dict[str, Any] = {}
        for event in self._client.ask(WRITTEN, ASSISTANT):
            if event["type"] == "turn.token":
                self._console.print(event["text"], end="", markup=False, highlight=False, soft_wrap=True)
            elif event["type"] == "turn.completed":
                completed = event
            elif event["type"] in ("turn.failed", "turn.cancelled"):
                raise Permanent(f"{event.get('code')}: {event.get('detail')}")
        self._console.print()
        self._show_grounds(completed)

    def ask_aloud(self) -> None:
        """Ask by voice, in real time, and keep the spoken answer."""
        pcm, rate_hz = self._client.synthesize(ALOUD)
        self._console.print(f"[bold]?[/] [dim]speaking for {len(pcm) / 2 / rate_hz:.1f} s:[/] {ALOUD}")
        heard = spoken.ask(self._address, pcm, rate_hz, ASSISTANT)
        transcript = str(heard.events.get("turn.transcript", {}).get("text", ""))
        completed = heard.events.get("turn.completed", {})
        self._console.print(f"[bold]heard[/]   {escape(transcript)}")
        self._answer = str(completed.get("response", ""))
        self._console.print(f"[bold]answer[/]  {escape(self._answer)}")
        if word_error_rate(ALOUD, transcript) > SAME_WER:
            raise Permanent("The question was not understood as it was said.")
        if not heard.pcm:
            raise Permanent("No sound came back.")
        with wave.open(str(self._recording), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(heard.sample_rate_hz)
            sound.writeframes(bytes(heard.pcm))
        seconds = len(heard.pcm) / 2 / heard.sample_rate_hz
        self._console.print(f"[bold]sound[/]   {seconds:.1f} s in {self._recording}", highlight=False)
        self._console.print(f"[bold]first sound[/] {heard.first_sound_s or 0:.2f} s after the end of the question")
        self._show_grounds(completed)

    def listen_again(self) -> None:
        """Transcribe the spoken answer: it must say what its text says."""
        if not self._answer:
            raise Permanent("There is no spoken answer to listen to.")
        again = self._client.transcribe(self._recording)
        wrong = word_error_rate(self._answer, again)
        self._console.print(f"[bold]heard[/]   {escape(again)}")
        self._console.print(f"[bold]word errors[/] {wrong:.0%}")
        if wrong > SAME_WER:
            raise Permanent("The spoken answer does not say what its text says.")

    def _show_grounds(self, completed: dict[str, Any]) -> None:
        """Print sources and waterfall of a completed turn. Raises Permanent where the answer has no source."""
        citations = completed.get("citations", [])
        for number, citation in enumerate(citations, 1):
            page = f", page {citation['page']}" if citation.get("page") else ""
            self._console.print(f"  [cyan]\\[{number}][/] {escape(str(citation['filename']))}{page}", highlight=False)
        self._console.print(waterfall(completed.get("timings", {})))
        if not citations:
            raise Permanent("The answer names no source.")


def word_error_rate(said: str, heard: str) -> float:
    """Return the share of words of `said` that are missing, added or different in `heard`."""
    expected, found = _words(said), _words(heard)
    row = list(range(len(found) + 1))
    for number, word in enumerate(expected, 1):
        previous, row = row, [number]
        for place, other in enumerate(found, 1):
            row.append(min(previous[place] + 1, row[-1] + 1, previous[place - 1] + (word != other)))
    return row[-1] / max(1, len(expected))


def _words(text: str) -> list[str]:
    """Return the words of `text` without citations; small numbers as digits, as recognition writes either."""
    words = re.findall(r"\w+", re.sub(r"\[\d+\]|['’]", "", text.lower()))
    return [str(NUMBERS.index(word)) if word in NUMBERS else word for word in words]


def _move(bars: Progress, bar: TaskID, document: dict[str, Any]) -> None:
    """Move a document's bar: a quarter for each stage, and within a stage by its parts."""
    if document["status"] == "processed":
        bars.update(bar, completed=len(STAGES), state=f"[green]{document['chunks']} passages")
    elif document["status"] == "failed":
        bars.update(bar, state=f"[red]{escape(document['code'] or '')}: {escape(document['detail'] or '')}")
    elif document["stage"] in STAGES:
        part = (document["done"] or 0) / max(1, document["total"] or 1)
        state = document["waiting_for"] or document["stage"]
        bars.update(bar, completed=STAGES.index(document["stage"]) + min(1.0, part), state=escape(state))


def main() -> int:
    """Run the demo against the running stack and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--answer", type=Path, default=Path("answer.wav"), help="where the spoken answer is saved")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    try:
        return Demo(Console(), address(get_settings()), parser.parse_args().answer).run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
