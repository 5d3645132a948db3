"""Measures of retrieval, of answers, and of confidence. Pure arithmetic: lists in, numbers out.

Ranks count from 1; None says that what was sought was not found. Shares are 0…1. Over nothing every measure is None.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def recall_at(ranks: Sequence[int | None], k: int) -> float | None:
    """Return the share of questions whose source is among the first `k`."""
    return mean([rank is not None and rank <= k for rank in ranks])


def mrr(ranks: Sequence[int | None]) -> float | None:
    """Return the mean reciprocal rank; what was not found counts 0."""
    return mean([1 / rank if rank else 0.0 for rank in ranks])


def ndcg(ranks: Sequence[int | None], sources: int = 1, k: int = 10) -> float:
    """Return the nDCG@k of one question whose `sources` right sources stand at `ranks`, each of gain 1.

    Järvelin and Kekäläinen 2002, with log2(rank + 1).
    """
    gained = sum(1 / math.log2(rank + 1) for rank in ranks if rank is not None and rank <= k)
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(sources, k) + 1))
    return gained / ideal if ideal else 0.0


def normalised(text: str) -> str:
    """Return a text as SQuAD compares it: lower case, without punctuation and English articles, single spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join(" " if unicodedata.category(char).startswith(("P", "S")) else char for char in plain)
    return " ".join(ARTICLES.sub(" ", plain).split())


def exact_match(answer: str, golds: Sequence[str]) -> bool:
    """Return whether the answer is one of the right ones (SQuAD, Rajpurkar et al. 2016)."""
    return any(normalised(answer) == normalised(gold) for gold in golds)


def f1(answer: str, golds: Sequence[str]) -> float:
    """Return the best F1 of the answer's words and those of a right one."""
    return max((_f1(normalised(answer).split(), normalised(gold).split()) for gold in golds), default=0.0)


def _f1(said: Sequence[str], gold: Sequence[str]) -> float:
    if not said or not gold:
        return float(said == gold)
    same = sum((Counter(said) & Counter(gold)).values())
    return 2 * same / (len(said) + len(gold))


def holds(answer: str, golds: Sequence[str]) -> bool:
    """Return whether a right answer stands inside the answer, as whole words."""
    inside = f" {normalised(answer)} "
    return any(normalised(gold) and f" {normalised(gold)} " in inside for gold in golds)


def expected_calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> float | None:
    """Return the mean distance of confidence and share of right ones over `bins` of equal width, weighted by size.

    Guo et al. 2017.
    """
    if not confidences:
        return None
    parts: dict[int, list[tuple[float, bool]]] = {}
    for confidence, is_right in zip(confidences, right, strict=True):
        parts.setdefault(min(int(confidence * bins), bins - 1), []).append((confidence, is_right))
    return sum(abs(sum(c - r for c, r in part)) for part in parts.values()) / len(confidences)


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float]]:
    """Return (coverage, risk) when only the surest so many are answered, for each number of them.

    Questions of equal confidence are answered together or not at all.
    """
    ordered = sorted(zip(confidences, right, strict=True), key=lambda one: -one[0])
    points, wrong = [], 0
    for at, (confidence, is_right) in enumerate(ordered, 1):
        wrong += not is_right
        if at == len(ordered) or ordered[at][0] != confidence:
            points.append((at / len(ordered), wrong / at))
    return points


def area_under(points: Sequence[tuple[float, float]]) -> float | None:
    """Return the area under risk over coverage, each point standing for the coverage since the one before."""
    if not points:
        return None
    before, area = 0.0, 0.0
    for coverage, risk in points:
        area += (coverage - before) * risk
        before = coverage
    return area


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the percentile by linear interpolation between the nearest two."""
    if not values:
        return None
    ordered = sorted(values)
    at = (len(ordered) - 1) * percent / 100
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def mean(values: Sequence[float]) -> float | None:
    """Return the mean."""
    return sum(values) / len(values) if values else None
