"""A long question in parts, each of which is looked for by itself."""

import re

from pipelines.text import sentences
from pipelines.turn.words import content_words

LONG_WORDS = 14
"""Words from which on a question may ask several things."""

MAX_PARTS = 4
LEAST_CONTENT = 2

_JOINT = re.compile(
    r"(?:;|,?\s+(?:and|as well as|or|und|et|y|e|ou)(?:\s+also)?|,)\s+"
    r"(?=(?:what|who|whom|whose|when|where|which|why|how|is|are|can|could|do|does|did|may|must|should|will|if"
    r"|was|were|wie|wann|wer|was|wo|quel\w*|comment|quand|cuál\w*|cuándo|cómo|quanto|quando|come)\b)",
    re.IGNORECASE,
)


def parts(question: str) -> list[str]:
    """Return the parts of a question that asks several things, in order, MAX_PARTS at most; none where it asks one.

    A part has two words that carry meaning at least, so that it can be looked for without the others.
    """
    if len(question.split()) < LONG_WORDS:
        return []
    found = []
    for start, end in sentences(question):
        found += [part.strip(" ,;") for part in _JOINT.split(question[start:end])]
    telling = [part for part in found if len(content_words(part)) >= LEAST_CONTENT]
    return telling[:MAX_PARTS] if len(telling) > 1 else []


def interleaved(first: list[int], others: list[list[int]]) -> list[int]:
    """Return all keys once: the best for the whole question, then in turn the next of each part and of the whole."""
    queues = [first[:1], *others, first[1:]]
    found: dict[int, None] = {}
    for place in range(max(map(len, queues), default=0)):
        for queue in queues:
            if place < len(queue):
                found.setdefault(queue[place])
    return list(found)
