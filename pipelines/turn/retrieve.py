"""From rankings to the passages an answer is grounded in, and how far they can be trusted."""

from collections.abc import Sequence

from pipelines.ports import Passage
from pipelines.turn.distinct import chosen
from pipelines.turn.fusion import Rankings, coverage, fused
from pipelines.turn.words import content_words

WELL_BEHIND = 5
"""Passages that confidence looks at: what stands further down does not carry an answer."""

BY_WORDS_ALONE = 0.75
"""Confidence in a passage that holds all the question's words, where nothing could be compared by its meaning."""


def best(rankings: Rankings, question: str, count: int) -> list[Passage]:
    """Return the `count` passages that an answer can rest on, best first, with their `score`."""
    return chosen(fused(rankings, question), question, count)


def confidence_by_words(passages: Sequence[Passage], question: str) -> float:
    """Return how sure it is that the passages hold the answer where no vector could be asked for: 0…0.75."""
    return BY_WORDS_ALONE * bool(passages) * coverage(passages[:WELL_BEHIND], content_words(question))


def confidence(passages: Sequence[Passage], question: str) -> float:
    """Return 0…1: how sure it is that the passages hold the answer. High above 0.8, low below 0.6.

    The calibrated similarity of the best passage, moved by how much of the question's wording it
    holds: a passage with all the question's content words is trusted more than its vector alone
    says, one with none of them less.
    """
    wanted = content_words(question)
    best = 0.0
    for passage in passages[:WELL_BEHIND]:
        said = content_words(" ".join((passage.filename, *passage.heading_path, passage.text)))
        coverage = len(wanted & said) / len(wanted) if wanted else 0.5
        best = max(best, _moved(passage.similarity, coverage))
    return best


def _moved(similarity: float, coverage: float) -> float:
    """Return the similarity with its odds multiplied by 4 at full coverage and divided by 4 at none."""
    bounded = min(max(similarity, 1e-6), 1 - 1e-6)
    odds = bounded / (1 - bounded) * 4 ** (2 * coverage - 1)
    return odds / (1 + odds)
