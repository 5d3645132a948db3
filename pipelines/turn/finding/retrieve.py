"""From rankings to the passages an answer is grounded in."""

from collections.abc import Sequence

from pipelines.ports.passages import Passage
from pipelines.turn.finding.distinct import chosen
from pipelines.turn.finding.fusion import WELL_BEHIND, Rankings, coverage, fused
from pipelines.turn.wording.words import content_words

BY_WORDS_ALONE = 0.75
"""Confidence that words alone can give at most."""


def best(rankings: Rankings, question: str, count: int) -> list[Passage]:
    """Return the `count` passages that an answer can rest on, best first, with their `score`."""
    return chosen(fused(rankings, question), question, count)


def confidence_by_words(passages: Sequence[Passage], question: str) -> float:
    """Return how sure it is that the passages hold the answer where no vector could be asked for: 0…0.75."""
    return BY_WORDS_ALONE * bool(passages) * coverage(passages[:WELL_BEHIND], content_words(question))
