"""From two rankings to the passages an answer is grounded in, and how far they can be trusted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipelines.ports import Passage
from pipelines.turn.words import content_words

DENSE_WEIGHT, LEXICAL_WEIGHT = 0.6, 0.4
"""Min–max scaled scores with these weights beat reciprocal rank fusion on three sets; see docs/decisions.md."""

WELL_BEHIND = 5
"""Passages that confidence looks at: what stands further down does not carry an answer."""


def fuse(
    dense: Sequence[Passage], lexical: Sequence[Passage], count: int, dense_weight: float | None = None
) -> list[Passage]:
    """Return the `count` best passages of both rankings, best first, with their fused `score` in 0…1.

    Each ranking's scores are scaled to 0…1 within the union; a passage that is missing from one has
    its 0. Of passages that say the same, or are contained in a better one, the best stays.
    """
    union: dict[int, Passage] = {passage.chunk_id: passage for passage in dense}
    for passage in lexical:
        known = union.get(passage.chunk_id)
        union[passage.chunk_id] = replace(known, bm25=passage.bm25) if known else passage
    nearness = _scaled({passage.chunk_id: passage.similarity for passage in dense})
    wording = _scaled({passage.chunk_id: passage.bm25 for passage in lexical})
    of_meaning = DENSE_WEIGHT if dense_weight is None else dense_weight
    of_words = LEXICAL_WEIGHT if dense_weight is None else 1 - dense_weight
    scored = [
        replace(passage, score=of_meaning * nearness.get(key, 0.0) + of_words * wording.get(key, 0.0))
        for key, passage in union.items()
    ]
    scored.sort(key=lambda passage: (-passage.score, passage.chunk_id))
    return _distinct(scored, count)


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


def _scaled(scores: Mapping[int, float]) -> dict[int, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    return {key: (score - low) / (high - low) if high > low else 1.0 for key, score in scores.items()}


def _distinct(passages: Sequence[Passage], count: int) -> list[Passage]:
    kept: list[Passage] = []
    texts: list[str] = []
    for passage in passages:
        text = re.sub(r"\W+", " ", passage.text).strip().lower()
        if any(text in other for other in texts):
            continue
        kept.append(passage)
        texts.append(text)
        if len(kept) == count:
            break
    return kept
