"""Many small documents in one batch: they travel in bundles, and one request embeds the texts of many."""

from statistics import median

from bench import cpu
from bench.fake_embeddings import FakeEmbedder
from bench.figures import load, table
from bench.ingesting import batch, peers
from bench.ingesting.batch import Took
from bench.words import texts
from deploy.ephemeral import Stack, ephemeral_stack

WORDS = 60


def run(count: int, rounds: int, with_peers: bool) -> None:
    """Print the table for `count` documents of one chunk each."""
    before = load()
    took: list[Took] = []
    requests = []
    beside: dict[str, list[float]] = {}
    with FakeEmbedder() as fake, ephemeral_stack(fake.settings) as stack:
        batch.warm(stack, _files(count // 10, -1))
        asked_peers = with_peers and peers.are_here()
        for number in range(rounds):
            fake.asked()
            used = cpu.used_s(stack)
            took.append(batch.send(stack, _files(count, number)))
            used_s = cpu.between(used, cpu.used_s(stack))
            requests.append(fake.asked()["requests"])
            print(f"round {number}: {count / took[-1].pipeline_s:.0f} documents/s, {took[-1].failed} failed;", end=" ")
            print(f"CPU s: {cpu.shown(used_s)}")
            if asked_peers:
                for name, seconds in _peers(stack, fake, count, number).items():
                    beside.setdefault(name, []).append(seconds)
    rows = [
        ["AURA, accepted until searchable", f"{count / median(t.pipeline_s for t in took):.0f}", f"{max(requests)}"],
        ["AURA, with the upload over HTTP", f"{count / median(t.whole_s for t in took):.0f}", ""],
        *([name, f"{count / median(found):.0f}", ""] for name, found in beside.items()),
    ]
    print()
    print(table([f"{count} documents of one chunk", "documents/s", "embedding requests"], rows))
    print(f"\nMedians of {rounds} rounds. Load {before} → {load()}.\n")


def _files(count: int, seed: int) -> list[tuple[str, bytes]]:
    return [(f"note-{seed}-{i}.txt", body.encode()) for i, body in enumerate(texts(count, WORDS, seed))]


def _peers(stack: Stack, fake: FakeEmbedder, count: int, seed: int) -> dict[str, float]:
    """Return the seconds that LlamaIndex needs for the same texts in one process."""
    same = list(texts(count, WORDS, seed))
    return {
        "LlamaIndex in one process, in its memory": peers.ingest_texts(None, "llama_index", fake.url, same).seconds,
        "LlamaIndex in one process, into Postgres": peers.ingest_texts(stack, "llama_index", fake.url, same).seconds,
    }
