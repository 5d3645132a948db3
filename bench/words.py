"""Texts made of real words, each different from all others."""

import random
from collections.abc import Iterator
from pathlib import Path

from deploy.places import REPO

SOURCES = sorted((REPO / "docs" / "sample_sources").glob("*.md"))


def vocabulary(paths: list[Path] | None = None) -> list[str]:
    """Return the words of some texts, as often as they stand there; of our own samples where none are named."""
    return [word for path in paths or SOURCES for word in path.read_text(encoding="utf-8", errors="ignore").split()]


def texts(count: int, words: int, seed: int = 0, known: list[str] | None = None) -> Iterator[str]:
    """Yield `count` texts of so many words: sentences of 14 or so, so that they are cut as real ones are.

    The words are of the vocabulary `known`, by default that of our own samples.
    """
    chosen, known = random.Random(seed), known or vocabulary()
    for number in range(count):
        found = chosen.choices(known, k=words)
        for end in range(13, words, 14):
            found[end] = found[end].rstrip(".") + "."
        yield f"Note {seed}-{number}. {' '.join(found)}."
