"""How sure it is that an answer from the passages is right, and what an answerer makes of that.

A logistic curve over a handful of facts about the best statement. Only `similarity` hangs on the embedding
model, and it is calibrated per model (pipelines/providers/calibration.py), so one table serves them all.
"""

import math
from collections.abc import Mapping, Sequence

from pipelines.ports.passages import Passage
from pipelines.turn.composing.ranking import Asked, Scored, ranked, read, whole
from pipelines.turn.wording.phrases import language_of
from pipelines.turn.wording.words import content_words

LOW, HIGH = 0.6, 0.8
"""Below LOW an answer is more likely wrong than it may be: "I don't know". Above HIGH it is right as a rule."""

LEAST_SIMILARITY = 0.01
"""Similarities nearer to 0 or 1 count as this one: their log odds would decide alone."""

WORDED = {
    "even": -4.21,
    "similarity": 0.64,
    "statement": 0.97,
    "passage": 4.66,
    "missing_names": -0.99,
    "fits": 0.07,
    "untyped": -1.35,
    "lead": 2.39,
    "phrasing": 2.39,
    "words": 0.70,
}
"""Fitted by `python -m bench.calibrate_answers`; see `facts` for what each stands for."""

BY_MEANING = {
    "even": 0.65,
    "similarity": 0.84,
}
"""Where the question is in another language than the passages: their words can not be compared."""

BY_WORDS = {
    "even": -5.08,
    "statement": 1.06,
    "passage": 5.52,
    "missing_names": -1.16,
    "fits": 0.06,
    "untyped": -1.39,
    "lead": 1.77,
    "phrasing": 3.16,
    "words": 1.38,
}
"""Where no vector could be compared; fitted by itself."""

NEAR, NEAR_SCORE = 3, 0.65
"""Statements that may answer as well as the best one: so many, if they score this share of it."""

MOST_LOG_ODDS = 50.0

STEEP = 2.5
"""How many times faster the log odds fall below LOW than above it: there nothing is answered, so nothing is right."""

LANGUAGE_CHARS = 1000


def confidence(passages: Sequence[Passage], question: str) -> float:
    """Return 0…1: the probability that an answer from the passages, best first, is right. 0 without passages."""
    if not passages:
        return 0.0
    found = facts(passages, question)
    if set(found) == {"similarity"}:
        return _probability(BY_MEANING, found)
    if "similarity" not in found:
        return _probability(BY_WORDS, found) if found else 0.0
    return _probability(WORDED, found)


def band(probability: float) -> str:
    """Return "high", "medium" or "low"."""
    return "high" if probability > HIGH else "low" if probability < LOW else "medium"


def facts(passages: Sequence[Passage], question: str) -> dict[str, float]:
    """Return what the confidence rests on; empty where no statement has to do with the question.

    Where the passages are in another language than the question that is `similarity` alone; where no vector
    could be compared, `similarity` is not among them.
    """
    similarity = max(passage.similarity for passage in passages)
    meaning = {"similarity": _log_odds(similarity)} if similarity else {}
    if language_of(question) != language_of(passages[0].text[:LANGUAGE_CHARS]):
        return meaning
    asked = read(question, passages)
    found = ranked(passages, asked)
    return {**meaning, **_worded(passages, asked, found)} if found else {}


def _worded(passages: Sequence[Passage], asked: Asked, found: Sequence[Scored]) -> dict[str, float]:
    """Return what the best statement and its passage hold of the question.

    `statement` and `passage` are the shares, weighted by rarity, of the question's words that they hold,
    `missing_names` the share of its names and numbers that the passage lacks, `phrasing` that of its
    neighbouring words which stand so in the statement. `fits` says whether the statement looks like what was
    asked for (1, -1, or 0 where every answer may), `untyped` is 1 where none near it does though it must.
    `lead` is how far it leads those of other passages; `words` how many words the question has, as a logarithm.
    """
    best = found[0]
    text = best.statement.text
    said = whole(passages[best.number - 1])
    near = [one for one in found[:NEAR] if one.score >= NEAR_SCORE * best.score]
    second = next((one.score for one in found if one.number != best.number), 0.0)
    return {
        "statement": asked.coverage(content_words(text)),
        "passage": asked.coverage(said),
        "missing_names": len(asked.names - said) / len(asked.names) if asked.names else 0.0,
        "fits": 2 * asked.fits(best.statement) - 1 if asked.kind.answer else 0.0,
        "untyped": 1.0 - max(asked.fits(one.statement) for one in near) if asked.is_strict else 0.0,
        "lead": (best.score - second) / best.score,
        "phrasing": asked.phrasing(text),
        "words": math.log1p(len(asked.weights)),
    }


def _probability(coefficients: Mapping[str, float], found: Mapping[str, float]) -> float:
    log_odds = coefficients["even"] + sum(coefficients.get(name, 0.0) * value for name, value in found.items())
    low = _log_odds(LOW)
    if log_odds < low:
        log_odds = low + STEEP * (log_odds - low)
    return 1 / (1 + math.exp(-max(min(log_odds, MOST_LOG_ODDS), -MOST_LOG_ODDS)))


def _log_odds(similarity: float) -> float:
    bounded = min(max(similarity, LEAST_SIMILARITY), 1 - LEAST_SIMILARITY)
    return math.log(bounded / (1 - bounded))
