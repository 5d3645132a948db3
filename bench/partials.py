"""What partial transcripts cost the turn they belong to, and turns beside it; with the models that run here.

    python -m bench.partials [--rounds 12]

Spoken questions in real time: without partial transcripts, with them, and with them while two others speak who have
them, too. Measured are the run of each turn's own transcription and the time from the end of speech to the first sound.
"""

import argparse
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

import numpy as np

from bench.figures import load, row, table
from bench.under_load import asked_aloud
from deploy import spoken
from deploy.ephemeral import Stack, ephemeral_stack
from deploy.places import REPO
from deploy.spoken import Heard
from schemas.errors.providers import ProviderUnavailable

Questions = list[tuple[bytes, int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    args = parser.parse_args()
    before = load()
    with ephemeral_stack({"AURA_ANSWER_CACHE": "0"}) as stack:
        path = REPO / "docs" / "samples" / "faq.html"
        stack.upload(path.name, path.read_bytes(), wait_s=120)
        questions = asked_aloud(stack)[: args.rounds]
        for partials in (False, True):
            asked(stack, questions[:1], partials)
        found = {"off": asked(stack, questions, False), "on": asked(stack, questions, True)}
        with others(stack, questions, 2):
            found["on, two others speak"] = asked(stack, questions, True)
        memory = sum(one.memory_full_info().pss for one in stack.workers("partials")) / 2**20
    report(found)
    print(f"\nThe process that listens to partial utterances: {memory:.0f} MiB. Load {before} → {load()}.")


def asked(stack: Stack, questions: Questions, partials: bool) -> list[Heard]:
    """Ask the questions one after the other and return what was heard."""
    return [spoken.ask(stack.url, pcm, rate, "default-assistant", partials=partials) for pcm, rate in questions]


@contextmanager
def others(stack: Stack, questions: Questions, count: int) -> Iterator[None]:
    """Have so many others ask all the time."""
    over = threading.Event()

    def talk(first: int) -> None:
        for pcm, rate in cycle(questions[first:] + questions[:first]):
            if over.is_set():
                return
            try:
                spoken.ask(stack.url, pcm, rate, "default-assistant", partials=True)
            except ProviderUnavailable:
                continue

    threads = [threading.Thread(target=talk, args=(2 * number + 1,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    yield
    over.set()


def report(found: dict[str, list[Heard]]) -> None:
    """Print what each way came to."""
    rows = []
    for name, heard in found.items():
        runs = [one.events["turn.completed"]["timings"]["transcribe"]["run_ms"] for one in heard]
        first = [one.first_sound_s * 1e3 for one in heard if one.first_sound_s is not None]
        told = [one.counts["turn.transcript.partial"] for one in heard]
        rows += [row(f"{name}: own transcription, ms", runs), row(f"{name}: end of speech → first sound, ms", first)]
        rows.append([f"{name}: partial transcripts a question", f"{np.mean(told):.1f}", "", "", ""])
    print(table(["partial transcripts", "p50", "p95", "p99", "max"], rows))


if __name__ == "__main__":
    main()
