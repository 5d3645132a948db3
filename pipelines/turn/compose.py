"""The answer that needs no model: the best sentences of the passages, word for word, with their markers.

Nothing is said that no source says. Where the passages do not speak of what was asked, it says so.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelines.ports import Passage, Prompt
from pipelines.turn.asked import Kind, kind_of, small_talk, subject
from pipelines.turn.statements import Statement, statements
from pipelines.turn.words import content_words, words

DONT_KNOW = "I don't know from these documents."
UNSEARCHED = (
    "I answer from documents only, in their own words, and was asked not to search them."
    " Ask me again with the search on, or set up a chat model, which can answer without."
)

COVERAGE_CONFIDENT, COVERAGE_UNSURE = 0.3, 0.7
"""Share of the question's wording, weighted by rarity, that a passage must hold to be quoted: little where
retrieval is confident (it knows synonyms), nearly all where it is not."""

WRITTEN_STATEMENTS, LIST_STATEMENTS = 2, 6
SPOKEN_STATEMENTS, SPOKEN_LIST_STATEMENTS = 1, 2
CLOSE = 0.8
"""A further statement is added where its score comes this close to the best one's."""

SAME = 0.7
"""Share of words by which two statements count as saying the same."""

HEADING, BEFORE, AFTER = 0.7, 0.6, 0.4
"""What a wanted word counts that stands in a heading, in the sentence before, and in the one after."""

PLAIN = 0.2
"""What is added where a statement speaks of nothing else."""

SAME_QUESTION = 0.8
"""Likeness (F1 of weighted words) from which a question in the passage counts as the one asked."""

PHRASING = 0.4
"""What it counts that a statement has the question's words next to one another."""


@dataclass(frozen=True)
class Asked:
    """A question: its kind, its content words with what each tells, the rare ones most, and its pairs
    of neighbouring words, the small ones too: "more than five" is not "two to five"."""

    kind: Kind
    weights: dict[str, float]
    pairs: frozenset[tuple[str, str]] = frozenset()

    def coverage(self, said: Iterable[str]) -> float:
        """Return the share of the question's words, by weight, that are among `said`: 0…1."""
        total = sum(self.weights.values())
        return sum(self.weights.get(word, 0.0) for word in set(said)) / total if total else 0.0

    def phrasing(self, text: str) -> float:
        """Return the share of the question's pairs of words that stand in `text`: 0…1."""
        return len(self.pairs & set(pairwise(words(text)))) / len(self.pairs) if self.pairs else 0.0

    def likeness(self, question: set[str]) -> float:
        """Return how much another question asks the same, 0…1."""
        coverage = self.coverage(question)
        precision = len(question & self.weights.keys()) / len(question) if question else 0.0
        return 2 * coverage * precision / (coverage + precision) if coverage else 0.0


@dataclass(frozen=True)
class Scored:
    """A statement, the number of its passage (from 1), and how well it answers."""

    statement: Statement
    number: int
    score: float


def compose(prompt: Prompt) -> str:
    """Return the answer: the statements of the passages that fit best, each with its marker, or a refusal."""
    if prompt.reply is not None:
        return prompt.reply
    if (reply := small_talk(prompt.question)) is not None:
        return reply
    if not prompt.grounded:
        return UNSEARCHED
    whole = [content_words(" ".join((p.filename, *p.heading_path, p.text))) for p in prompt.passages]
    said = Counter(word for found in whole for word in found)
    # Rare words, and those no passage has, tell most.
    tells = {
        word: math.log(1 + (len(whole) + 0.5) / (said[word] + 0.5)) for word in content_words(subject(prompt.question))
    }
    asked = Asked(kind_of(prompt.question), tells, frozenset(pairwise(words(prompt.question))))
    needed = COVERAGE_CONFIDENT if prompt.confident else COVERAGE_UNSURE
    if not any(asked.coverage(found) >= needed for found in whole):
        return refusal(prompt.passages)
    ranked = _about_the_same(_ranked(prompt.passages, asked), asked)
    if not ranked:
        return refusal(prompt.passages)
    return " ".join(_said(ranked, asked.kind, prompt.spoken))


def refusal(passages: Sequence[Passage]) -> str:
    """Return that the answer is not known, and which documents come nearest."""
    names = list(dict.fromkeys(passage.filename for passage in passages))[:2]
    return f"{DONT_KNOW} The nearest I found is in {' and '.join(names)}." if names else DONT_KNOW


def is_refusal(text: str) -> bool:
    """Return whether the text is a refusal of this composer."""
    return text.startswith(DONT_KNOW)


def _ranked(passages: Sequence[Passage], asked: Asked) -> list[Scored]:
    """Return all statements that have to do with the question, the best first."""
    best = max((passage.score for passage in passages), default=0.0) or 1.0
    found = [
        Scored(statement, number, score)
        for number, passage in enumerate(passages, 1)
        for statement, score in _scores(passage, asked, 0.25 * passage.score / best)
        if score > 0
    ]
    return sorted(found, key=lambda one: -one.score)


def _about_the_same(ranked: Sequence[Scored], asked: Asked) -> list[Scored]:
    """Return the statements that hold the question's numbers and codes as the best one does.

    Rows of a table differ in little else: the row of another part number is no part of the answer.
    """
    if not ranked:
        return []
    codes = {word for word in asked.weights if any(char.isdigit() for char in word)}
    named = codes & content_words(ranked[0].statement.text)
    return [one for one in ranked if named <= content_words(one.statement.text)]


def _scores(passage: Passage, asked: Asked, head_start: float) -> Iterable[tuple[Statement, float]]:
    title = re.sub(r"^[\d.]+\s+", "", passage.heading_path[-1]) if passage.heading_path else ""
    headings = content_words(" ".join((passage.filename, *passage.heading_path)))
    found = statements(passage.text)
    spoken = {text: content_words(text) for one in found for text in (one.text, one.before, one.after)}
    answered = None
    for one in found:
        own = spoken[one.text]
        question = one.question or title
        is_first, answered = question != answered, question
        score, seen = asked.coverage(own), own
        for near, counts in (
            (headings | content_words(question), HEADING),
            (spoken[one.before], BEFORE),
            (spoken[one.after], AFTER),
        ):
            score += counts * asked.coverage(near - seen)
            seen = seen | near
        if not score:
            continue
        if asked.likeness(content_words(question)) >= SAME_QUESTION:
            score += 0.4 + 0.3 * (is_first and question.endswith("?"))
        score += (
            head_start + 0.3 * asked.kind.fits(one.text) + PLAIN * len(own & asked.weights.keys()) / (len(own) or 1)
        )
        score += 0.3 * (asked.coverage(content_words(one.label)) > 0) + PHRASING * asked.phrasing(one.text)
        score -= 0.15 * one.dangling + 0.3 * one.is_label
        yield one, score / (1 + max(0, len(own) - 30) / 60)


def _said(ranked: Sequence[Scored], kind: Kind, spoken: bool) -> list[str]:
    """Return what is said: the best statement's passage first, each passage in its own order."""
    most = SPOKEN_LIST_STATEMENTS if spoken and kind.many else SPOKEN_STATEMENTS if spoken else WRITTEN_STATEMENTS
    most = LIST_STATEMENTS if kind.many and not spoken else most
    chosen: list[Scored] = []
    for one in ranked:
        if len(chosen) >= most or one.score < CLOSE * ranked[0].score:
            break
        if any(_same(one.statement.text, other.statement.text) for other in chosen):
            continue
        # "It closes at six" needs the sentence that says what closes.
        antecedent = one.statement.antecedent
        if antecedent and not any(_same(antecedent.text, other.statement.text) for other in chosen):
            chosen.append(Scored(antecedent, one.number, one.score))
        chosen.append(one)
    numbers = list(dict.fromkeys(one.number for one in chosen))
    chosen.sort(key=lambda one: (numbers.index(one.number), one.statement.start))
    return [f"{_closed(one.statement.text)} [{one.number}]" for one in chosen]


def _same(one: str, other: str) -> bool:
    first, second = content_words(one), content_words(other)
    return len(first & second) >= SAME * min(len(first), len(second), 1_000)


def _closed(text: str) -> str:
    said = re.sub(r"\s+", " ", text).strip()
    return said if said[-1] in '.!?…。！？"”' else f"{said.rstrip(',;:')}."
