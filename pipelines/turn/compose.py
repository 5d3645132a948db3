"""The answer that needs no model: the best sentences of the passages, word for word, with their markers.

Nothing is said that no source says. Where the passages do not speak of what was asked, it says so.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.ports import Passage, Prompt
from pipelines.turn.asked import Kind, kind_of, small_talk
from pipelines.turn.statements import Statement, statements
from pipelines.turn.words import content_words

DONT_KNOW = "I don't know from these documents."

COVERAGE_CONFIDENT, COVERAGE_UNSURE = 0.34, 0.8
"""Share of the question's wording, weighted by rarity, that a passage must hold to be quoted: little where
retrieval is confident (it knows synonyms), nearly all where it is not."""

WRITTEN_STATEMENTS, SPOKEN_STATEMENTS, LIST_STATEMENTS = 2, 2, 6
CLOSE = 0.8
"""A further statement is added where its score comes this close to the best one's."""

SAME = 0.7
"""Share of words by which two statements count as saying the same."""


@dataclass(frozen=True)
class Scored:
    """A statement, the number of its passage (from 1), and how well it answers."""

    statement: Statement
    number: int
    score: float


def compose(prompt: Prompt) -> str:
    """Return the answer: one to three statements of the passages, each with its marker, or a refusal."""
    if (reply := small_talk(prompt.question)) is not None:
        return reply
    wanted = content_words(prompt.question)
    weights = _weights(wanted, prompt.passages)
    if not prompt.passages or not _is_spoken_of(prompt, wanted, weights):
        return refusal(prompt.passages)
    kind = kind_of(prompt.question)
    ranked = _ranked(prompt.passages, wanted, weights, kind)
    if not ranked or ranked[0].score <= 0:
        return refusal(prompt.passages)
    return " ".join(
        f"{_closed(found.statement.text)} [{found.number}]" for found in _chosen(ranked, kind, prompt.spoken)
    )


def refusal(passages: Sequence[Passage]) -> str:
    """Return that the answer is not known, and which documents come nearest."""
    names = list(dict.fromkeys(passage.filename for passage in passages))[:2]
    return f"{DONT_KNOW} The nearest I found is in {' and '.join(names)}." if names else DONT_KNOW


def is_refusal(text: str) -> bool:
    """Return whether the text is a refusal of this composer."""
    return text.startswith(DONT_KNOW)


def _weights(wanted: Iterable[str], passages: Sequence[Passage]) -> dict[str, float]:
    """Return how much each wanted word tells: rare ones, and those no passage has, tell most."""
    said = Counter(word for passage in passages for word in content_words(_whole(passage)))
    return {word: math.log(1 + (len(passages) + 0.5) / (said[word] + 0.5)) for word in wanted}


def _is_spoken_of(prompt: Prompt, wanted: set[str], weights: dict[str, float]) -> bool:
    needed = COVERAGE_CONFIDENT if prompt.confident else COVERAGE_UNSURE
    return any(_coverage(content_words(_whole(passage)), wanted, weights) >= needed for passage in prompt.passages)


def _coverage(said: set[str], wanted: set[str], weights: dict[str, float]) -> float:
    total = sum(weights[word] for word in wanted)
    return sum(weights[word] for word in wanted & said) / total if total else 0.0


def _ranked(passages: Sequence[Passage], wanted: set[str], weights: dict[str, float], kind: Kind) -> list[Scored]:
    best = max((passage.score for passage in passages), default=0.0) or 1.0
    found = []
    for number, passage in enumerate(passages, 1):
        around = content_words(" ".join((passage.filename, *passage.heading_path)))
        for statement in statements(passage.text):
            own = content_words(statement.text)
            near = around | content_words(statement.context)
            score = _coverage(own, wanted, weights) + 0.6 * _coverage(near - own, wanted, weights)
            if score > 0:
                score += 0.25 * passage.score / best + 0.3 * kind.fits(statement.text)
                score -= 0.15 * statement.dangling + 0.3 * (len(own - wanted) == 0)
                found.append(Scored(statement, number, score / (1 + max(0, len(own) - 30) / 60)))
    return sorted(found, key=lambda one: -one.score)


def _chosen(ranked: Sequence[Scored], kind: Kind, spoken: bool) -> list[Scored]:
    """Return what is said, in the order of the sources."""
    most = SPOKEN_STATEMENTS if spoken else LIST_STATEMENTS if kind.many else WRITTEN_STATEMENTS
    chosen = [ranked[0]]
    for one in ranked[1:]:
        if len(chosen) == most or one.score < CLOSE * ranked[0].score:
            break
        if not any(_same(one.statement.text, other.statement.text) for other in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda one: (one.number, one.statement.start))


def _same(one: str, other: str) -> bool:
    first, second = content_words(one), content_words(other)
    return len(first & second) >= SAME * min(len(first), len(second), 1_000)


def _closed(text: str) -> str:
    said = re.sub(r"\s+", " ", text).strip()
    return said if said[-1] in '.!?…。！？"”' else f"{said.rstrip(',;:')}."


def _whole(passage: Passage) -> str:
    return " ".join((passage.filename, *passage.heading_path, passage.text))
