"""Spoken questions to the models that run here: from the end of speech to the first sound, silence included.

Each question is asked once: nothing may be answered from what was kept. A question of its own conversation is put to
the socket in real time, with the protocol's own settings.
"""

import json
from collections import defaultdict
from pathlib import Path

from bench.figures import load, row, table
from bench.speech import pcm16
from bench.turn import collect, trimmed, waterfall
from deploy import spoken
from deploy.client import Client
from deploy.ephemeral import Stack, ephemeral_stack
from deploy.places import REPO
from schemas.errors.tree import AuraError

SAMPLES = REPO / "docs" / "samples"
QUESTIONS = REPO / "tests" / "acceptance" / "sample_questions.json"
RATE_HZ = 16_000
ASSISTANT = "default-assistant"


def measure(count: int, speech: Path | None) -> None:
    """Print a table for the questions about docs/samples, and one for what people say in the recordings of `speech`."""
    questions = [str(one["question"]) for one in json.loads(QUESTIONS.read_text())][:count]
    with ephemeral_stack() as stack:
        for path in sorted(SAMPLES.iterdir()):
            stack.upload(path.name, path.read_bytes(), wait_s=120)
        client = Client(stack.url)
        made = [client.synthesize(question) for question in questions]
        before = load()
        _asked(stack, "Questions about the samples", [(trimmed(pcm), rate_hz) for pcm, rate_hz in made])
        if speech is not None:
            said = [pcm16(path) for path in sorted(speech.iterdir()) if path.suffix in (".wav", ".flac")]
            _asked(stack, "What people say", [(trimmed(pcm), RATE_HZ) for pcm in said])
        print(f"\nload {before} → {load()}")


def _asked(stack: Stack, title: str, questions: list[tuple[bytes, int]]) -> None:
    first, steps, failed = [], defaultdict[str, list[float]](list), 0
    for pcm, rate_hz in questions:
        try:
            heard = spoken.ask(stack.url, pcm, rate_hz, ASSISTANT)
        except AuraError as error:
            print(f"not answered: {error.detail}")
            failed += 1
            continue
        if heard.first_sound_s is not None:
            first.append(heard.first_sound_s * 1e3)
        collect(steps, heard.events.get("turn.completed", {}).get("timings", {}))
    print(f"\n## {title}: {len(first)} of {len(questions)} answered aloud, {failed} not at all")
    print(table(["ms", "p50", "p95", "p99", "max"], [row("end of speech → first sound", first), *waterfall(steps)]))
