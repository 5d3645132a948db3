"""What reading large files together costs in memory."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.fake_embeddings import FakeEmbedder
from bench.figures import load, table
from bench.ingesting import batch
from deploy.ephemeral import Stack, ephemeral_stack

EVERY_S = 0.1
SHOWN = 20
QUEUES = ("extract", "express", "chunk")


class Sampler(threading.Thread):
    """Notes resident and proportional memory of the pools that read and cut, their forked readers included."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self.stack, self.ended = stack, threading.Event()
        self.found: list[tuple[float, dict[str, tuple[float, float]]]] = []

    def run(self) -> None:
        began = time.monotonic()
        while not self.ended.wait(EVERY_S):
            self.found.append((time.monotonic() - began, {queue: self._mib(queue) for queue in QUEUES}))

    def _mib(self, queue: str) -> tuple[float, float]:
        resident = proportional = 0
        for process in self.stack.workers(queue):
            try:
                used = process.memory_full_info()
            except psutil.Error:
                continue
            resident, proportional = resident + used.rss, proportional + used.pss
        return resident / 2**20, proportional / 2**20


def run(files: Sequence[Path]) -> None:
    """Print the memory of the pools over time while the files are taken in together."""
    before = load()
    with FakeEmbedder() as fake, ephemeral_stack(fake.settings) as stack:
        batch.warm(stack, [("warm-2.txt", b"Something else.")])
        sampler = Sampler(stack)
        sampler.start()
        took = batch.send(stack, [(path.name, path.read_bytes()) for path in files])
        sampler.ended.set()
        sampler.join()
    head = ["s", *(f"{queue}: RSS, PSS MiB" for queue in QUEUES)]
    step = max(1, len(sampler.found) // SHOWN)
    rows = [[f"{at:.1f}", *(_shown(one[queue]) for queue in QUEUES)] for at, one in sampler.found[::step]]
    peaks = [(max(one[q][0] for _, one in sampler.found), max(one[q][1] for _, one in sampler.found)) for q in QUEUES]
    print(table(head, [*rows, ["peak", *map(_shown, peaks)]]))
    print(f"\n{len(files)} files, {took.chunks} chunks, {took.failed} failed, {took.whole_s:.1f} s,", end=" ")
    print(f"looked at each {EVERY_S:g} s. RSS counts shared pages once a process. Load {before} → {load()}.\n")


def _shown(used: tuple[float, float]) -> str:
    return f"{used[0]:.0f}, {used[1]:.0f}"
