"""Which statements of the passages answer a question, the best first."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pipelines.ports.passages import Passage
from pipelines.turn.composing.statements import Statement, statements
from pipelines.turn.wording.asked import Kind, counted, kind_of, manner, names, role, subject
from pipelines.turn.wording.phrases import small_words
from pipelines.turn.wording.words import content_words, stem, words

HEADING, BEFORE, AFTER = 0.7, 0.6, 0.4
"""What a wanted word counts that stands in a heading, in the sentence before, and in the one after."""

PLAIN = 0.2
"""What is added where a statement speaks of nothing else."""

SAME_QUESTION = 0.8
"""Likeness (F1 of weighted words) from which a question in the passage counts as the one asked."""

PHRASING = 0.4
"""What it counts that a statement has the question's words next to one another."""

FITS = 0.3
"""What it counts that a statement looks like an answer to this kind of question."""

BESIDE = 0.3
"""How much of that remains where the figure is not of what is counted, or the role that is asked for not named."""

COUNTED_NEAR = 3
"""Words between a figure and what it counts, at most."""

MANNER = 0.3
"""What a word that says how something is asked, as "long" in "how long", counts of what another would."""

LABEL = 0.3
"""What it counts that the wanted words are the label of a statement; and what a mere heading is worth less."""

DANGLING = 0.15

HEAD_START = 0.25
"""What the best passage's statements are worth more than those of one with no score."""

LONG_WORDS, LONG_SLOPE = 30, 60
"""From how many content words a statement loses, and by how many more it has lost half."""

KEPT_TEXTS = 64
"""Passages whose statements are kept: confidence and answer look at the same ones."""


@dataclass(frozen=True)
class Asked:
    """A question: its kind, its content words with what each tells, the rare ones most, and its pairs
    of neighbouring words, the small ones too: "more than five" is not "two to five". `names` are the
    stems of its names, numbers and codes, `counted` those of what it asks the number of, `role` those of what
    it asks who is."""

    kind: Kind
    weights: dict[str, float]
    pairs: frozenset[tuple[str, str]] = frozenset()
    names: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    role: frozenset[str] = frozenset()

    def coverage(self, said: Iterable[str]) -> float:
        """Return the share of the question's words, by weight, that are among `said`: 0…1."""
        total = sum(self.weights.values())
        return sum(self.weights.get(word, 0.0) for word in set(said)) / total if total else 0.0

    def phrasing(self, text: str) -> float:
        """Return the share of the question's pairs of words that stand in `text`: 0…1."""
        return len(self.pairs & set(pairwise(words(text)))) / len(self.pairs) if self.pairs else 0.0

    def fits(self, one: Statement) -> float:
        """Return how much a statement looks like what is asked for, 0…1."""
        if self.kind.many and one.is_list:
            return 1.0
        if not self.kind.fits(one.text):
            return 0.0
        if self.role and not self.role & content_words(f"{one.before} {one.text}"):
            return BESIDE
        return 1.0 if not self.counted or self._counts(one.text) else BESIDE

    @property
    def is_strict(self) -> bool:
        """Whether only what fits can be the answer."""
        return self.kind.is_strict or bool(self.role)

    def _counts(self, text: str) -> bool:
        said = words(text)
        figures = [at for at, word in enumerate(said) if word[0].isdigit()]
        return any(self.counted & set(said[max(0, at - 1) : at + 1 + COUNTED_NEAR]) for at in figures)

    def likeness(self, question: set[str]) -> float:
        """Return how much another question asks the same, 0…1."""
        coverage = self.coverage(question)
        precision = len(question & self.weights.keys()) / len(question) if question else 0.0
        return 2 * coverage * precision / (coverage + precision) if coverage else 0.0


@dataclass(frozen=True)
class Scored:
    """A statement, the number of its passage (from 1), how well it answers, and how much of the question's
    words it holds with what stands around it, 0…1."""

    statement: Statement
    number: int
    score: float
    covered: float = 0.0
    likeness: float = 0.0


def read(question: str, passages: Sequence[Passage]) -> Asked:
    """Return what is asked. Words that few passages have, or none, tell most."""
    said = Counter(word for passage in passages for word in whole(passage))
    how = {stem(word) for word in manner(question)}
    tells = {
        word: math.log(1 + (len(passages) + 0.5) / (said[word] + 0.5)) * (MANNER if word in how else 1.0)
        for word in content_words(subject(question)) - {stem(word) for word in small_words(question)}
    }
    named = frozenset(word for name in names(question) for word in content_words(name))
    things = frozenset(content_words(counted(question)))
    sought = frozenset(content_words(role(question)))
    return Asked(kind_of(question), tells, frozenset(pairwise(words(question))), named, things, sought)


def whole(passage: Passage) -> frozenset[str]:
    """Return the content words of a passage, its name and its headings."""
    return _content(" ".join((passage.filename, *passage.heading_path, passage.text)))


def ranked(passages: Sequence[Passage], asked: Asked) -> list[Scored]:
    """Return all statements that have to do with the question, the best first."""
    best = max((passage.score for passage in passages), default=0.0) or 1.0
    found = [
        one
        for number, passage in enumerate(passages, 1)
        for one in _scored(passage, number, asked, HEAD_START * passage.score / best)
        if one.score > 0
    ]
    return sorted(found, key=lambda one: -one.score)


@lru_cache(maxsize=KEPT_TEXTS)
def _statements(text: str) -> tuple[Statement, ...]:
    return tuple(statements(text))


@lru_cache(maxsize=KEPT_TEXTS)
def _content(text: str) -> frozenset[str]:
    return frozenset(content_words(text))


def forget() -> None:
    """Drop the texts that are kept."""
    _statements.cache_clear()
    _content.cache_clear()


def _scored(passage: Passage, number: int, asked: Asked, head_start: float) -> Iterator[Scored]:
    title = re.sub(r"^[\d.]+\s+", "", passage.heading_path[-1]) if passage.heading_path else ""
    headings = content_words(" ".join((passage.filename, *passage.heading_path)))
    found = _statements(passage.text)
    spoken = {text: content_words(text) for one in found for text in (one.text, one.before, one.after)}
    answered = None
    for one in found:
        own = spoken[one.text]
        question = one.question or title
        is_first, answered = question != answered, question
        covered, seen = asked.coverage(own), own
        for near, counts in (
            (headings | content_words(question), HEADING),
            (spoken[one.before], BEFORE),
            (spoken[one.after], AFTER),
        ):
            covered += counts * asked.coverage(near - seen)
            seen = seen | near
        if not covered:
            continue
        likeness = asked.likeness(content_words(question))
        score = covered + head_start + FITS * asked.fits(one)
        if likeness >= SAME_QUESTION:
            score += 0.4 + 0.3 * (is_first and question.endswith("?"))
        score += PLAIN * len(own & asked.weights.keys()) / (len(own) or 1)
        labelled = asked.coverage(content_words(one.label))
        # "To clean the oven: …" speaks of the oven, but tells how to clean it.
        score += LABEL * (labelled if one.is_list else labelled > 0) + PHRASING * asked.phrasing(one.text)
        score -= DANGLING * one.dangling + LABEL * one.is_label
        score /= 1 + max(0, len(own) - LONG_WORDS) / LONG_SLOPE
        yield Scored(one, number, score, covered, likeness)
