"""PDFs through the whole pipeline, beside pypdfium2's plain text and beside two peers."""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench import cpu
from bench.fake_embeddings import FakeEmbedder
from bench.figures import load, table
from bench.ingesting import batch, pdfium, peers
from bench.ingesting.pdfium import CORES, Pdfium
from deploy.ephemeral import Stack, ephemeral_stack

MAX_COPIES = 2000


def run(folder: Path, rounds: int, seconds: float, with_peers: bool) -> None:
    """Print the table for the PDFs of a folder."""
    found = [(path, pdfium.pages(path)) for path in sorted(folder.glob("*.pdf"))]
    files = {path: count for path, count in found if count}
    if not files:
        raise SystemExit(f"No PDF that can be opened in {folder}.")
    limit = Pdfium()
    with FakeEmbedder() as fake, tempfile.TemporaryDirectory(prefix="aura-pdf-") as place:
        try:
            limit.seconds(list(files))
            lone_s = limit.seconds(list(files) * CORES)[0] / CORES
            copies = min(MAX_COPIES, max(CORES, math.ceil(seconds / lone_s)))
            with ephemeral_stack({**fake.settings, "AURA_MAX_BATCH_MB": "8192"}) as stack:
                measured = Rounds(stack, fake, limit, Path(place), files, copies)
                measured.measure(rounds)
                measured.report()
                if with_peers and peers.are_here():
                    beside(stack, fake, files, measured.pages_per_s)
        finally:
            limit.stop()


class Rounds:
    """AURA and the limit in turn, over the same copies."""

    def __init__(
        self, stack: Stack, fake: FakeEmbedder, limit: Pdfium, place: Path, files: dict[Path, int], copies: int
    ) -> None:
        self.stack, self.fake, self.limit, self.place = stack, fake, limit, place
        self.files, self.copies, self.pages = files, copies, sum(files.values()) * copies
        self.took: list[batch.Took] = []
        self.limits: list[tuple[float, float]] = []
        self.used_s: list[float] = []

    def measure(self, rounds: int) -> None:
        self.before = load()
        batch.warm(self.stack, self._contents(self._made(-1, 1)))
        for number in range(rounds):
            made = self._made(number, self.copies)
            self.limits.append(self.limit.seconds(made))
            self.fake.asked()
            before, embedder_s = cpu.used_s(self.stack), self.fake.cpu_s()
            took = batch.send(self.stack, self._contents(made))
            used = cpu.between(before, cpu.used_s(self.stack))
            asked, embedder_s = self.fake.asked(), self.fake.cpu_s() - embedder_s
            self.took.append(took)
            self.used_s.append(sum(used.values()))
            self.limits.append(self.limit.seconds(made))
            print(f"round {number}: {self._rate(took):.0f} pages/s, pypdfium2 {self._limits(number)}; ", end="")
            print(f"{took.chunks} chunks, {took.failed} failed, {asked['texts']} texts in {asked['requests']} requests")
            print(f"  CPU s: {cpu.shown(used)}; the fake embedder {embedder_s:.1f} beside it")
            batch.forget(self.stack)
            for path in made:
                path.unlink()

    @property
    def pages_per_s(self) -> float:
        return median(self._rate(took) for took in self.took)

    def report(self) -> None:
        limit = self.pages / median(seconds for seconds, _ in self.limits)
        least = 1000 * median(cpu_s for _, cpu_s in self.limits) / self.pages
        ours = 1000 * median(self.used_s) / self.pages
        answered = median(self.pages / took.pipeline_s for took in self.took)
        head = ["PDF until searchable", "pages/s", "of the limit", "CPU ms a page", "of the limit's"]
        rows = [
            [f"pypdfium2's plain text, {CORES} processes", f"{limit:.0f}", "1.00", f"{least:.1f}", "1.0"],
            [
                "AURA, from the first byte sent",
                f"{self.pages_per_s:.0f}",
                f"{self.pages_per_s / limit:.2f}",
                f"{ours:.1f}",
                f"{ours / least:.1f}",
            ],
            ["AURA, from the answer on", f"{answered:.0f}", f"{answered / limit:.2f}", "", ""],
        ]
        print()
        print(table(head, rows))
        print(f"\n{len(self.files)} files × {self.copies}, {self.pages} pages. Load {self.before} → {load()}.\n")

    def _made(self, number: int, copies: int) -> list[Path]:
        """Return copies of the files with other bytes, and the same content: a comment behind their end."""
        made = []
        for copy in range(copies):
            for path in self.files:
                made.append(self.place / f"{path.stem}-{number}-{copy}.pdf")
                made[-1].write_bytes(path.read_bytes() + f"\n% copy {number}.{copy}\n".encode())
        return made

    def _contents(self, paths: Sequence[Path]) -> list[tuple[str, bytes]]:
        return [(path.name, path.read_bytes()) for path in paths]

    def _rate(self, took: batch.Took) -> float:
        return self.pages / took.whole_s

    def _limits(self, number: int) -> str:
        return " and ".join(f"{self.pages / s:.0f}" for s, _ in self.limits[2 * number : 2 * number + 2])


def beside(stack: Stack, fake: FakeEmbedder, files: dict[Path, int], ours: float) -> None:
    """Print what the peers reach over the files, with one process and with two, each over a copy."""
    rows, pages, before = [], sum(files.values()), load()
    for peer, name in peers.PEERS.items():
        for workers in (1, 2):
            ran = peers.ingest_files(stack, peer, fake.url, [*files] * workers, workers)
            rate = pages * workers / ran.seconds
            print(f"{name}, {workers}: {rate:.1f} pages/s")  # The others may take as long again.
            rows.append(
                [
                    f"{name}, {workers} process{'es'[: 2 * workers - 2]}",
                    f"{rate:.1f}",
                    f"{ours / rate:.1f}",
                    f"{1000 * ran.cpu_s / pages / workers:.0f}",
                ]
            )
    print(table(["the peers", "pages/s", "AURA is faster, times", "CPU ms a page, without Postgres"], rows))
    print(f"\nThe same {len(files)} files, {pages} pages a process. Load {before} → {load()}.\n")
