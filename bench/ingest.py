"""How fast documents become searchable, beside what limits it and beside its peers, in the same run.

    python -m bench.ingest pdf FOLDER [--rounds N] [--seconds S] [--no-peers]
    python -m bench.ingest small [--documents N] [--rounds N] [--no-peers]
    python -m bench.ingest minilm [--documents N]
    python -m bench.ingest memory FILE…
    python -m bench.ingest                 (pdf over docs/samples, small, minilm)

What each measures, and how, is in docs/benchmarks.md.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.ingesting import memory, minilm, pdf, small
from deploy.places import REPO

SAMPLES = REPO / "docs" / "samples"


def main(arguments: Sequence[str] | None = None) -> None:
    sys.stdout.reconfigure(line_buffering=True)  # A run takes minutes: into a file, too, each round shows when it ends.
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(run=everything)
    commands = parser.add_subparsers()

    of_pdf = commands.add_parser("pdf")
    of_pdf.add_argument("folder", type=Path)
    of_pdf.add_argument("--rounds", type=int, default=3)
    of_pdf.add_argument("--seconds", type=float, default=10, help="How long a round of AURA lasts at least.")
    of_pdf.add_argument("--no-peers", action="store_true")
    of_pdf.set_defaults(run=lambda given: pdf.run(given.folder, given.rounds, given.seconds, not given.no_peers))

    of_small = commands.add_parser("small")
    of_small.add_argument("--documents", type=int, default=1000)
    of_small.add_argument("--rounds", type=int, default=5)
    of_small.add_argument("--no-peers", action="store_true")
    of_small.set_defaults(run=lambda given: small.run(given.documents, given.rounds, not given.no_peers))

    of_minilm = commands.add_parser("minilm")
    of_minilm.add_argument("--documents", type=int, default=100)
    of_minilm.add_argument("--rounds", type=int, default=3)
    of_minilm.set_defaults(run=lambda given: minilm.run(given.documents, given.rounds))

    of_memory = commands.add_parser("memory")
    of_memory.add_argument("files", type=Path, nargs="+")
    of_memory.set_defaults(run=lambda given: memory.run(given.files))

    given = parser.parse_args(arguments)
    given.run(given)


def everything(_: argparse.Namespace) -> None:
    """Measure what needs no files but our own."""
    pdf.run(SAMPLES, 1, 5, True)
    small.run(1000, 3, True)
    minilm.run(100, 1)


if __name__ == "__main__":
    main()
