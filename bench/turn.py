"""How long an answer takes with the models that run here, as a waterfall.

    python -m bench.turn [--rounds 20]

Written: from the request to the first token. Spoken: from the last sample of the question, sent in
real time, to the first sound of the answer; that includes the silence that ends an utterance.
"""

import argparse
import json
import time
from collections import defaultdict
from typing import Any

from bench.figures import load, row, table
from deploy import spoken
from deploy.client import Client
from deploy.ephemeral import Stack, ephemeral_stack
from deploy.places import REPO

WRITTEN = (
    "How many days of paid holiday does a full-time employee have?",
    "What does a city bike cost for a day?",
    "When is the shop open on Sundays?",
    "How do I cancel a booking?",
)
SPOKEN = ("Where do I leave the bike when the shop is closed?", "When is the shop open on Sundays?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    with ephemeral_stack() as stack:
        for path in sorted((REPO / "docs" / "samples").iterdir()):
            stack.upload(path.name, path.read_bytes(), wait_s=120)
        before = load()
        written(stack, args.rounds)
        aloud(stack, args.rounds)
        print(f"\nload {before} → {load()}")


def written(stack: Stack, rounds: int) -> None:
    """Ask in writing and print request → first token, and the steps between."""
    first, steps = [], defaultdict(list)
    for number in range(rounds):
        began, token = time.monotonic(), None
        body = {"message": WRITTEN[number % len(WRITTEN)], "stream": True, "use_memory": False}
        with stack.client.stream("POST", "/rag/chat", json=body) as response:
            for line in response.iter_lines():
                event = json.loads(line[5:]) if line.startswith("data:") else {}
                if event.get("type") == "turn.token" and token is None:
                    token = time.monotonic()
                elif event.get("type") == "turn.completed":
                    collect(steps, event["timings"])
        if token is not None:
            first.append((token - began) * 1e3)
    print("\n## Written question → first token")
    print(table(["ms", "p50", "p95", "p99", "max"], [row("request → first token", first), *waterfall(steps)]))


def aloud(stack: Stack, rounds: int) -> None:
    """Ask by voice and print end of speech → first sound, and the steps between."""
    client = Client(stack.url)
    questions = [client.synthesize(question) for question in SPOKEN]
    first, steps = [], defaultdict(list)
    for number in range(rounds):
        pcm, rate_hz = questions[number % len(questions)]
        heard = spoken.ask(stack.url, trimmed(pcm), rate_hz, "default-assistant")
        if heard.first_sound_s is not None:
            first.append(heard.first_sound_s * 1e3)
        collect(steps, heard.events.get("turn.completed", {}).get("timings", {}))
    print("\n## End of speech → first sound")
    print(table(["ms", "p50", "p95", "p99", "max"], [row("end of speech → first sound", first), *waterfall(steps)]))


def trimmed(pcm: bytes, threshold: int = 300) -> bytes:
    """Return the sound without the silence at its end, so that its last sample is the end of speech."""
    end = len(pcm) // 2 * 2
    while end > 2 and abs(int.from_bytes(pcm[end - 2 : end], "little", signed=True)) < threshold:
        end -= 2
    return pcm[:end]


def collect(steps: dict[str, list[float]], timings: dict[str, Any]) -> None:
    """Add a turn's waterfall to the others'."""
    for name, value in timings.items():
        if isinstance(value, dict):
            steps[f"{name}: waited"].append(value["queued_ms"])
            steps[f"{name}: ran"].append(value["run_ms"])
        elif name.endswith("_ms"):
            steps[f"start → {name.removesuffix('_ms')}"].append(value)


def waterfall(steps: dict[str, list[float]]) -> list[list[str]]:
    """Return a row for each step that every turn had."""
    full = max((len(values) for values in steps.values()), default=0)
    return [row(name, values) for name, values in steps.items() if len(values) == full]


if __name__ == "__main__":
    main()
