"""Texts that no other document has: short ones, which travel in bundles, and long ones, which go alone."""

import random

WORDS = """river harbour bicycle battery lantern market window garden engine letter copper winter meadow signal
bridge carpet marble kettle timber saddle violin anchor pepper velvet island ribbon tunnel basket orchard""".split()
SMALL_WORDS = 400
LONG_WORDS = 40_000
"""280 kB, of which more than a hundred chunks are made: two requests or more."""


def prose(name: str, words: int = SMALL_WORDS) -> bytes:
    """Return Markdown of so many words in sections, each sentence with the document's name in it."""
    rng = random.Random(name)
    sections = []
    for number in range(max(1, words // 2000)):
        count = min(words, 2000) // 12
        lines = [" ".join(rng.choices(WORDS, k=11)).capitalize() + f" {name}." for _ in range(count)]
        sections.append(f"# Part {number}\n\n" + " ".join(lines))
    return "\n\n".join(sections).encode()


def many(run: str, count: int) -> dict[str, bytes]:
    """Return `count` files by their names, every other one long."""
    return {f"{run}-{i}.md": prose(f"{run}{i}", LONG_WORDS if i % 2 else SMALL_WORDS) for i in range(count)}
