"""The embedded model as the limit: texts a second through the whole pipeline, and of the model alone."""

import time
from statistics import median

from bench import cpu
from bench.figures import load, table
from bench.ingesting import batch
from bench.words import texts
from deploy.ephemeral import ephemeral_stack
from pipelines import providers
from pipelines.ingest.embed import LOCAL_BATCH
from schemas.settings import Settings

WORDS = 150


def run(count: int, rounds: int) -> None:
    """Print the table for `count` documents of one chunk each; model alone and pipeline in turn."""
    alone = providers.embedder(Settings(_env_file=None))
    alone.embed(["warm"])
    before, model_s, took = load(), list[float](), list[float]()
    with ephemeral_stack() as stack:
        batch.warm(stack, [("warm-2.txt", b"Something else.")])
        for number in range(rounds):
            files = [(f"note-{number}-{i}.txt", body) for i, body in enumerate(texts(count, WORDS, number))]
            model_s.append(_seconds(alone, files))
            used = cpu.used_s(stack)
            took.append(batch.send(stack, [(name, body.encode()) for name, body in files]).pipeline_s)
            used_s = cpu.between(used, cpu.used_s(stack))
            model_s.append(_seconds(alone, files))
            print(f"round {number}: {count / took[-1]:.1f} texts/s; CPU s: {cpu.shown(used_s)}")
    lone, ours = count / median(model_s), count / median(took)
    rows = [
        ["the model alone", f"{lone:.1f}", "1.00"],
        ["the whole pipeline", f"{ours:.1f}", f"{ours / lone:.2f}"],
    ]
    print()
    print(table([f"{count} texts of {WORDS} words", "texts/s", "ratio"], rows))
    print(f"\nMedians of {rounds} rounds, the model before and after each. Load {before} → {load()}.\n")


def _seconds(embedder: providers.Embedder, files: list[tuple[str, str]]) -> float:
    """Return how long the model takes over the texts as the pipeline embeds them, as many at a time."""
    found = [f"{name}\n{body}" for name, body in files]
    began = time.monotonic()
    for start in range(0, len(found), LOCAL_BATCH):
        embedder.embed(found[start : start + LOCAL_BATCH])
    return time.monotonic() - began
