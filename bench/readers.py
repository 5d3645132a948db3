"""How fast PDF pages are read and chunked, beside pypdfium2's plain text of the same pages.

    python -m bench.readers PATH... [--rounds 5] [--part 64]

A path is a file or a folder, searched for PDFs. Everything runs in one process, the steps in turn
in every round, since the machine's speed wanders, and in processor time, since it may be busy; figures
are medians over the rounds. `ratio` is what our steps take together in plain readings: the cost of a
page, 1 being pypdfium2 alone. Files of which pypdfium2 finds no text are left out of the sum.
"""

import argparse
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pypdfium2

from bench.figures import load, table
from pipelines.ingest.chunk import chunk
from pipelines.ingest.elements import Extraction, join, pack, pack_chunks, unpack, unpack_chunks
from pipelines.ingest.formats import pdf
from schemas.errors.tree import AuraError

STEPS = ("plain", "count", "read", "pack", "unpack", "chunk", "pack chunks", "unpack chunks")
OURS = STEPS[1:]
ROUNDS = 5
PAGES_PER_PART = 64
MIN_CHARS_PER_PAGE = 50


@dataclass(frozen=True)
class Timed:
    """The seconds of each step in each round over one file."""

    name: str
    pages: int
    has_text: bool
    rounds: Sequence[dict[str, float]]

    def seconds(self, step: str) -> float:
        return median(found[step] for found in self.rounds)

    def ratio(self, steps: Sequence[str]) -> float:
        """Return the median over the rounds of what `steps` take together, in plain readings."""
        return median(sum(found[step] for step in steps) / found["plain"] for found in self.rounds)


def plain(data: bytes) -> int:
    """Read the text of all pages as pypdfium2 gives it, and return its length."""
    with pypdfium2.PdfDocument(data) as document:
        return sum(len(page.get_textpage().get_text_bounded()) for page in document)


def measured(path: Path, rounds: int, part: int) -> Timed:
    """Return the times of a file, after one round that warms up. Raises AuraError if it does not read."""
    data = path.read_bytes()
    count = pdf.count_pages(data)
    one_round(data, part)
    has_text = plain(data) > MIN_CHARS_PER_PAGE * count
    return Timed(path.name, count, has_text, [one_round(data, part) for _ in range(rounds)])


def one_round(data: bytes, part: int) -> dict[str, float]:
    """Return the seconds of each step over one file, read in parts of so many pages."""
    seconds = dict.fromkeys(STEPS, 0.0)

    def timed(step: str, act: Callable[[], Any]) -> Any:
        began = time.process_time()
        found = act()
        seconds[step] += time.process_time() - began
        return found

    gc.disable()  # As in the child that reads: see `apart`.
    timed("plain", lambda: plain(data))
    count = timed("count", lambda: pdf.count_pages(data))
    parts: list[Extraction] = []
    for start in range(0, count, part):
        pages = range(start, min(start + part, count))
        found = timed("read", lambda pages=pages: pdf.read(data, pages, _ignored))
        packed = timed("pack", lambda found=found: pack(found))
        parts.append(timed("unpack", lambda packed=packed: unpack(packed)))
    gc.enable()
    whole = join(parts)
    chunks = timed("chunk", lambda: chunk(whole))
    kept = timed("pack chunks", lambda: pack_chunks(chunks, whole.title))
    timed("unpack chunks", lambda: unpack_chunks(kept))
    return seconds


def report(found: Sequence[Timed]) -> str:
    """Return a table: a file a row, how fast its steps are in pages a second, and what they cost."""
    rows = []
    for timed in found:
        speeds = [f"{timed.pages / timed.seconds(step):.0f}" if timed.seconds(step) else "" for step in STEPS]
        ratios = [f"{timed.ratio([step]):.2f}" for step in OURS if step in ("read", "chunk")]
        rows.append([timed.name, str(timed.pages), *speeds, *ratios, f"{timed.ratio(OURS):.2f}"])
    return table(["file", "pages", *STEPS, "read ratio", "chunk ratio", "ratio"], rows)


def together(found: Sequence[Timed]) -> Timed:
    """Return all files as one."""
    rounds = [
        {step: sum(timed.rounds[i][step] for timed in found) for step in STEPS} for i in range(len(found[0].rounds))
    ]
    return Timed("all with text", sum(timed.pages for timed in found), True, rounds)


def files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.pdf")) if path.is_dir() else [path]


def _ignored(done: int) -> None:
    """Take note of no progress."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--part", type=int, default=PAGES_PER_PART, help="pages read in one go")
    args = parser.parse_args()
    before, found = load(), []
    for path in files(args.paths):
        try:
            found.append(measured(path, args.rounds, args.part))
        except AuraError as error:
            print(f"{path.name}: {error.code}")
    if found:
        # Recognising letters on scans takes a thousand times as long as finding no text there.
        print(report([*found, together([timed for timed in found if timed.has_text] or found)]))
    print(f"pages a second; load {before} → {load()}")


if __name__ == "__main__":
    main()
