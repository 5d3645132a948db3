"""The answer that needs no model: the best statements of the passages, word for word, with their markers.

Nothing is said that no source says. Where the passages do not speak of what was asked, it says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.ports.models import Prompt
from pipelines.ports.passages import Passage
from pipelines.turn.composing.confidence import LOW
from pipelines.turn.composing.ranking import Asked, Scored, ranked, read, whole
from pipelines.turn.wording.asked import Kind, manner, small_talk, subject
from pipelines.turn.wording.phrases import Phrases, is_refusal, language_of, phrases
from pipelines.turn.wording.words import content_words, plain_words, stem

__all__ = ["compose", "is_refusal", "refusal"]

UNSEARCHED = (
    "I answer from documents only, in their own words, and was asked not to search them."
    " Ask me again with the search on, or set up a chat model, which can answer without."
)

MOST, SPOKEN_MOST = 3, 1
"""Statements an answer has at most."""

MOST_ITEMS, SPOKEN_MOST_ITEMS = 6, 2
"""Items and rows that the answer to a question for several has at most."""

CLOSE, CLOSE_SPAN = 0.65, 0.3
"""A further statement is added where its score comes this close to the best one's, for an even persona; and by
how much less where all details are wanted than where none are."""

SURE = 0.85
"""A statement that comes closer than this is added even where the best one looks like what was asked for."""

SAME = 0.7
"""Share of words by which two statements count as saying the same."""

MISSING_WORDS = 2
"""Words of the question that no passage has, named in a refusal at most."""

WORDED, WORDED_UNSURE = 0.3, 0.7
"""Share of the question's wording, weighted by rarity, that a passage must hold where there is no confidence."""

NEAR_CONFIDENCE = 0.15
"""Confidence from which a refusal quotes what comes nearest."""

QUOTED_CHARS = 240

EVEN = 0.5
CASUAL, FORMAL = 0.34, 0.66
"""Where the bands of formality and energy meet."""


@dataclass(frozen=True)
class Length:
    """How much an answer says: statements at most, and how close to the best one they must come."""

    most: int
    most_items: int
    close: float


def compose(prompt: Prompt) -> str:
    """Return the answer: the statements of the passages that fit best, each with its marker, or a refusal.

    Below both LOW and the threshold of the deployment, or where nothing fits, it is a refusal; between
    LOW and a higher threshold a hedge stands before the answer. The persona decides on length, frame and language.
    """
    if prompt.reply is not None:
        return prompt.reply
    persona = prompt.persona
    said = phrases((persona.language if persona else None) or language_of(prompt.question))
    if (reply := small_talk(prompt.question, said)) is not None:
        return reply
    if not prompt.grounded:
        return UNSEARCHED
    asked = read(prompt.question, prompt.passages)
    statements = _about_the_same(ranked(prompt.passages, asked), asked)
    if not statements or not _is_ground(prompt, asked):
        return refusal(prompt, said, statements[0] if statements else None)
    length = _length(persona, asked.kind, prompt.spoken)
    answer = " ".join(_said(statements, asked.kind, length))
    if prompt.confidence is not None and not prompt.confident:
        return f"{said.unsure} {answer}"
    return framed(answer, said, persona)


def _is_ground(prompt: Prompt, asked: Asked) -> bool:
    """Return whether the passages may be answered from: by their confidence, by wording where nobody judged it."""
    if prompt.confidence is not None:
        return prompt.confident or prompt.confidence >= LOW
    needed = WORDED if prompt.confident else WORDED_UNSURE
    return any(asked.coverage(whole(passage)) >= needed for passage in prompt.passages)


def refusal(prompt: Prompt, said: Phrases, nearest: Scored | None = None) -> str:
    """Return that the answer is not known, and what was found nevertheless.

    What comes near is quoted, without a marker: it is no answer. Where it is far, only its place is named. How to add
    the answer is for pages to say: who asks may be a visitor of a site, who cannot.
    """
    parts = [said.dont_know]
    places = list(dict.fromkeys(_place(passage, said) for passage in prompt.passages))
    if nearest and (prompt.confidence or 0.0) >= NEAR_CONFIDENCE:
        quoted = cut(nearest.statement.text)
        parts.append(said.says.format(places=_place(prompt.passages[nearest.number - 1], said), quote=quoted))
    else:
        if missing := _missing(prompt):
            parts.append(said.missing.format(words=_listed([f"“{word}”" for word in missing], said)))
        if places:
            parts.append(said.nearest.format(places=_listed(places[:2], said)))
    return " ".join(parts)


def cut(text: str) -> str:
    """Return a text on one line, ended after a word and with "…" where it is long."""
    said = _spaced(text)
    return said if len(said) <= QUOTED_CHARS else f"{said[:QUOTED_CHARS].rsplit(' ', 1)[0]}…"


def framed(answer: str, said: Phrases, persona: Any) -> str:
    """Return the answer between the phrases with which the persona begins and ends; as it is without one."""
    if persona is None:
        return answer
    formality, energy = (_band(value) for value in (persona.formality, persona.energy))
    parts = (said.openings[formality][energy], answer, said.closings[formality][energy])
    return " ".join(part for part in parts if part)


def _band(value: float) -> int:
    return 0 if value < CASUAL else 1 if value <= FORMAL else 2


def _listed(names: Sequence[str], said: Phrases) -> str:
    return f" {said.conjunction} ".join(names)


def _place(passage: Passage, said: Phrases) -> str:
    heading = passage.heading_path[-1] if passage.heading_path else ""
    return said.place.format(name=passage.filename, heading=heading) if heading else passage.filename


def _missing(prompt: Prompt) -> list[str]:
    """Return words of the question as they were asked which no passage has, the longest first."""
    known = {word for passage in prompt.passages for word in whole(passage)}
    wanted = content_words(subject(prompt.question)) - known - {stem(word) for word in manner(prompt.question)}
    spelt = [word for word in dict.fromkeys(plain_words(prompt.question)) if stem(word) in wanted]
    return sorted(spelt, key=len, reverse=True)[:MISSING_WORDS] if prompt.passages else []


def _length(persona: Any, kind: Kind, spoken: bool) -> Length:
    detail = EVEN if persona is None else min(max(float(persona.detail), 0.0), 1.0)
    close = CLOSE + CLOSE_SPAN * (EVEN - detail)
    if spoken:
        return Length(SPOKEN_MOST, SPOKEN_MOST_ITEMS if kind.many else SPOKEN_MOST, close)
    most = 1 + round(detail * MOST + 0.01)  # 1, 3 and 4 for no, even and all details.
    return Length(most, max(most, MOST_ITEMS) if kind.many and detail else most, close)


def _about_the_same(found: Sequence[Scored], asked: Asked) -> list[Scored]:
    """Return the statements that hold the question's numbers and codes as the best one does.

    Rows of a table differ in little else: the row of another part number is no part of the answer.
    """
    if not found:
        return []
    codes = {word for word in asked.weights if any(char.isdigit() for char in word)}
    named = codes & content_words(found[0].statement.text)
    return [one for one in found if named <= content_words(one.statement.text)]


def _said(found: Sequence[Scored], kind: Kind, length: Length) -> list[str]:
    """Return what is said: the best statement's passage first, each passage in its own order."""
    chosen = _chosen(found, kind, length)
    numbers = list(dict.fromkeys(one.number for one in chosen))
    chosen.sort(key=lambda one: (numbers.index(one.number), one.statement.start))
    return [f"{_closed(one.statement.text)} [{one.number}]" for one in chosen]


def _chosen(found: Sequence[Scored], kind: Kind, length: Length) -> list[Scored]:
    """Return the statements that belong to the answer, the best first, never more than `length` allows."""
    best = found[0]
    # Where the best one looks like what was asked for, little needs to stand beside it.
    close = max(length.close, SURE) if kind.fits(best.statement.text) else length.close
    if kind.many and best.statement.is_item:
        return _siblings(found, best)[: length.most_items]
    chosen: list[Scored] = []
    for one in found:
        most = length.most_items if one.statement.is_item or one.statement.is_row else length.most
        if len(chosen) >= most or one.score < close * best.score:
            break
        if any(_same(one.statement.text, other.statement.text) for other in chosen):
            continue
        # "It closes at six" needs the sentence that says what closes.
        antecedent = one.statement.antecedent
        if (
            antecedent
            and (not chosen or len(chosen) + 2 <= most)
            and not any(_same(antecedent.text, other.statement.text) for other in chosen)
        ):
            chosen.append(Scored(antecedent, one.number, one.score))
        chosen.append(one)
    return chosen


def _siblings(found: Sequence[Scored], best: Scored) -> list[Scored]:
    """Return the items of the list in which the best one stands: steps are followed from the first to the last."""
    items = [one for one in found if one.number == best.number and one.statement.is_item]
    items.sort(key=lambda one: one.statement.start)
    return items


def _same(one: str, other: str) -> bool:
    first, second = content_words(one), content_words(other)
    return len(first & second) >= SAME * min(len(first), len(second), 1_000)


def _closed(text: str) -> str:
    said = _spaced(text)
    return said if said[-1] in '.!?…。！？"”' else f"{said.rstrip(',;:')}."


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
