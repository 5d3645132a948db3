"""From rankings to the passages an answer is grounded in."""

from pipelines.ports import Passage
from pipelines.turn.distinct import chosen
from pipelines.turn.fusion import Rankings, fused


def best(rankings: Rankings, question: str, count: int) -> list[Passage]:
    """Return the `count` passages that an answer can rest on, best first, with their `score`."""
    return chosen(fused(rankings, question), question, count)
