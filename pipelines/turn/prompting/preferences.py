"""What people say of how they want to be answered: found by rules, without a model.

Only what somebody asks of the assistant counts. "Answer in German" is such a wish; "is the manual there in
German?" is a question, and what stands in quotation marks is somebody else's.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.turn.prompting.wishes import ONE_OFF, RULES, STANDING

MAX_READ_CHARS = 2_000
"""What is longer is a text to be talked about, not talk."""

LASTING, PASSING, CERTAIN = 0.8, 0.5, 0.95
"""How sure it is that a wish is meant for later answers too: as said, where it is for one answer, and where
it says so itself ("always", "from now on")."""

PASSES = ("detail", "language", "formality", "energy")
"""What may be wished for one answer only."""

_QUOTED = re.compile(r"\"[^\"\n]{1,400}\"|[“„«][^”“»\n]{1,400}[”“»]|(?<![\w])['‘][^'’\n]{1,400}['’](?!\w)")
_NEGATED = re.compile(r"\b(?:don['’]?t|do not|never|not|nicht|kein\w*|ne|no)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_JOINT = (
    r"[\s,;:.!?–—-]|\b(?:and|und|et|y|but|also|please|bitte|thanks|thank you|danke|s'il vous plaît|por favor"
    r"|just this once|this time|(?:just )?for this (?:answer|question|one)|from now on|in (?:the )?future|ab jetzt"
    r"|diesmal)\b"
)
_LEADING, _TRAILING = (re.compile(text, re.IGNORECASE) for text in (rf"(?:{_JOINT})+", rf"(?:{_JOINT})+$"))
_GOES_ON = re.compile(
    r"\s+(?!(?:and|but|please|from|always|in|und|bitte|ok|okay|thanks|thank|when|whenever|to)\b)\w", re.IGNORECASE
)
_FILLER = re.compile(
    rf"(?:{_JOINT}|\b(?:can|could|would|will|you|i|hi|hello|hey|ok|okay|always|just|for me)\b)*", re.IGNORECASE
)


@dataclass(frozen=True)
class Wish:
    """A preference that was said: its key and value, and how sure it is, 0…1, that it holds for later answers too.

    `lasting` is False where it is meant for this one answer.
    """

    key: str
    value: Any
    confidence: float
    lasting: bool = True


@dataclass(frozen=True)
class Heard:
    """A message: the wishes in it, one for each key, and the question that is left; empty where nothing is asked."""

    wishes: tuple[Wish, ...]
    question: str


def hear(message: str) -> Heard:
    """Return the wishes in a message, and the message without them."""
    if len(message) > MAX_READ_CHARS:
        return Heard((), message)
    quoted = [found.span() for found in _QUOTED.finditer(message)]
    wishes: dict[str, Wish] = {}
    spans: list[tuple[int, int]] = []
    for rule, found in _matches(message):
        start, end = found.span()
        if any(start < stop and begin < end for begin, stop in (*quoted, *spans)):
            continue
        value = rule.read(found)
        if value is None or _NEGATED.search(message[max(0, start - 60) : start]):
            continue
        spans.append((start, end))
        # "Tell me briefly what it costs" is about this answer, "answer briefly" about all.
        lasting = rule.lasting and not (rule.key in PASSES and _GOES_ON.match(message, end))
        wishes.setdefault(rule.key, _wish(rule.key, value, lasting, message))
    return Heard(tuple(wishes.values()), _rest(message, spans) if wishes else message)


def question_of(message: str) -> str:
    """Return what a message asks, without the wishes in it; the whole message where nothing is left."""
    return hear(message).question or message


def acknowledgement(wishes: Sequence[Wish], kept: bool) -> str:
    """Return the answer to a message that only states wishes; `kept` says whether they are remembered."""
    said = [_PROMISES[wish.key](wish.value) for wish in wishes if wish.key in _PROMISES]
    if not said:
        return ""
    listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    if kept:
        return f"All right: I'll {listed}."
    return f"I'd gladly {listed}, but I may not remember it: allow that, or set it in your preferences."


_PROMISES: dict[str, Callable[[Any], str]] = {
    "name": lambda value: f"call you {value}",
    "detail": lambda value: "keep my answers short" if value < 0.5 else "answer in detail",
    "formality": lambda value: "be more casual" if value < 0.5 else "be more formal",
    "energy": lambda value: "keep calm" if value < 0.5 else "be more lively",
    "language": lambda value: f"answer in the language you chose ({value}) where I can",
    "units": lambda value: f"use {value} units where I can",
}


def _matches(message: str) -> Iterator[Any]:
    for rule in RULES:
        for found in rule.pattern.finditer(message):
            yield rule, found


def _wish(key: str, value: Any, lasting: bool, message: str) -> Wish:
    if ONE_OFF.search(message):
        return Wish(key, value, PASSING, lasting=False)
    if STANDING.search(message):
        return Wish(key, value, CERTAIN)
    return Wish(key, value, LASTING if lasting else PASSING, lasting)


def _rest(message: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the message without the spans and what only joined them to the rest."""
    kept, at = [], 0
    for start, end in sorted(spans):
        kept.append(message[at:start])
        at = end
    kept.append(message[at:])
    left = []
    for part in kept:
        begun = _LEADING.match(part)
        text = part[begun.end() :] if begun else part
        if not text.rstrip().endswith(("?", "!", ".")):
            text = _TRAILING.sub("", text)
        if not _FILLER.fullmatch(text):
            left.append(text.strip())
    rest = " ".join(left)
    asks = message.rstrip().endswith("?") and rest[-1:].isalnum()
    return f"{rest}?" if asks else rest
