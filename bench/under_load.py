"""How long a spoken question takes while documents are ingested, against the same on an idle machine.

    python -m bench.under_load [--documents 500] [--rounds 15] [--seconds 400]

The models that run here do all the work, on the processors of this machine: one session asks, in real time, questions
about the samples. Measured is the time from the last sample of the question to the first sound of the answer, with
nothing remembered of earlier rounds; then the same while a batch of documents is in work.
"""

import argparse
import json
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count, cycle

import numpy as np

from bench import cpu
from bench.figures import load, row, table
from bench.ingesting import batch
from bench.turn import collect, trimmed, waterfall
from bench.words import texts, vocabulary
from deploy import spoken
from deploy.client import Client
from deploy.ephemeral import Stack, ephemeral_stack
from deploy.places import REPO
from schemas.errors.providers import ProviderUnavailable

WORDS = 500
HELD_TO = 1.5
"""Times the idle latency that a turn may take while documents are ingested."""


@dataclass
class Turns:
    """What turns took: milliseconds to the first sound, and their steps."""

    first_ms: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: int = 0
    used: dict[str, float] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=15, help="questions on the idle machine")
    parser.add_argument("--seconds", type=float, default=400, help="how long is asked while documents are ingested")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # Whoever ends this ends its stack, too.
    before = load()
    with ephemeral_stack({"AURA_ANSWER_CACHE": "0"}) as stack:
        for path in sorted((REPO / "docs" / "samples").iterdir()):
            stack.upload(path.name, path.read_bytes(), wait_s=120)
        questions = asked_aloud(stack)
        measured(stack, questions, lambda n: n < 2)  # The first question loads what is loaded late.
        idle = measured(stack, questions, lambda n: n < args.rounds)
        ingest = Ingest(stack, args.documents)
        until = time.monotonic() + args.seconds
        busy = measured(stack, questions, lambda _: ingest.goes_on() and time.monotonic() < until)
        print(f"\n{ingest.said()}")
    report(idle, busy)
    print(f"\nload {before} → {load()}")


def asked_aloud(stack: Stack) -> list[tuple[bytes, int]]:
    """Return the samples' questions as sound, and its rate."""
    told = json.loads((REPO / "tests" / "acceptance" / "sample_questions.json").read_text())
    client = Client(stack.url)
    found = [client.synthesize(one["question"]) for one in told if one["file"]][:8]
    return [(trimmed(pcm), rate_hz) for pcm, rate_hz in found]


def measured(stack: Stack, questions: list[tuple[bytes, int]], goes_on: Callable[[int], bool]) -> Turns:
    """Ask one question after the other and return what each took."""
    turns, used = Turns(), cpu.used_s(stack)
    for number, (pcm, rate_hz) in zip(count(), cycle(questions), strict=False):
        if not goes_on(number):
            break
        stack.client.delete("/api/analytics/cache").raise_for_status()
        try:
            heard = spoken.ask(stack.url, pcm, rate_hz, "default-assistant")
        except ProviderUnavailable:
            turns.failed += 1
            continue
        if heard.first_sound_s is not None:
            turns.first_ms.append(heard.first_sound_s * 1e3)
            print(f"{turns.first_ms[-1]:.0f} ms", end=" ", flush=True)
        collect(turns.steps, heard.events.get("turn.completed", {}).get("timings", {}))
    turns.used = cpu.between(used, cpu.used_s(stack))
    return turns


class Ingest:
    """A batch of documents that is worked on beside what is measured."""

    def __init__(self, stack: Stack, documents: int) -> None:
        words = vocabulary(sorted((REPO / "bench" / "company").glob("*.md")))
        made = texts(documents, WORDS, 1, words)
        self._files = [(f"note-{number}.txt", text.encode()) for number, text in enumerate(made)]
        self._stack, self._began = stack, time.monotonic()
        self._took: batch.Took | None = None
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def goes_on(self) -> bool:
        """Return whether documents are still in work."""
        return self._thread.is_alive()

    def said(self) -> str:
        """Return a line of what became of it."""
        if self._took is None:
            return f"{len(self._files)} documents were in work all the time ({time.monotonic() - self._began:.0f} s)."
        took = self._took
        return f"{len(self._files)} documents, {took.chunks} chunks, {took.failed} failed, in {took.whole_s:.0f} s."

    def _send(self) -> None:
        # Looks seldom: what watches must not be a load itself.
        batch.LOOK_EVERY_S = 0.5
        self._took = batch.send(self._stack, self._files)


def report(idle: Turns, busy: Turns) -> None:
    """Print both, their steps, and the ratio."""
    head = ["ms", "p50", "p95", "p99", "max"]
    for name, turns in (("idle", idle), ("while documents are ingested", busy)):
        print(f"\n## End of speech → first sound, {name}: {len(turns.first_ms)} turns, {turns.failed} failed")
        print(table(head, [row("end of speech → first sound", turns.first_ms), *waterfall(turns.steps)]))
        print(f"\nCPU s: {cpu.shown(turns.used)}")
    if idle.first_ms and busy.first_ms:
        ratios = [np.percentile(busy.first_ms, point) / np.percentile(idle.first_ms, point) for point in (50, 95)]
        holds = "holds" if max(ratios) <= HELD_TO else "does NOT hold"
        print(f"\nRatio p50 {ratios[0]:.2f}, p95 {ratios[1]:.2f}: at most {HELD_TO} {holds}.")


if __name__ == "__main__":
    main()
