"""A long question in parts, each of which is looked for by itself."""

import re
from collections.abc import Sequence
from dataclasses import replace

from pipelines.ports.passages import Passage
from pipelines.text import sentences
from pipelines.turn.wording.words import content_words

LONG_WORDS = 14
"""Words from which on a question may ask several things."""

MAX_PARTS = 4
LEAST_CONTENT = 2

STEP = 0.95
"""What a place in the joint ranking of parts has of the score of the place before."""

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


def together(rankings: Sequence[Sequence[Passage]]) -> list[Passage]:
    """Return the passages of all rankings, each once: the first ranking is the whole question's, the others its parts'.

    They take turns: the best for the whole, the best of each part, the next of the whole. Scores fall from the best
    one's in this order; a passage has the similarity of the part that it is nearest to.
    """
    if len(rankings) == 1:
        return list(rankings[0])
    nearest: dict[int, Passage] = {}
    for passage in (passage for ranking in rankings for passage in ranking):
        known = nearest.get(passage.chunk_id)
        if known is None or passage.similarity > known.similarity:
            nearest[passage.chunk_id] = passage
    order: dict[int, None] = {}
    for place in range(max(map(len, rankings), default=0)):
        order |= dict.fromkeys(ranking[place].chunk_id for ranking in rankings if place < len(ranking))
    top = max((passage.score for ranking in rankings for passage in ranking[:1]), default=0.0)
    return [replace(nearest[key], score=top * STEP**place) for place, key in enumerate(order)]
