"""The few passages of a ranking that say the most: no two that say the same, and no document alone where others fit."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from pipelines.ports.passages import Passage
from pipelines.turn.wording.words import content_words, words

SHINGLE = 3
"""Words of a shingle: fewer are shared by chance, more are all lost to one changed word."""

SAME = 0.85
"""Share of shingles from which on two passages are the same text, written again."""

LIKENESS_COST = 0.1
"""What a passage that says the same as a chosen one loses of its score, by how much of it is said already."""

DOCUMENT_COST = 0.02
"""What a passage loses for each that is chosen from its document: less than what tells a good one from the next."""

SOURCE_COST = 0.01

_ODD = re.compile(r"\d|[A-Z]")
_NEGATIONS = frozenset("no not nor never none without neither cannot except unless n't".split())
_TOKEN = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*")


@dataclass(frozen=True)
class _Text:
    plain: str
    shingles: frozenset[tuple[str, ...]]
    tokens: frozenset[str]


def chosen(ranked: Sequence[Passage], question: str, count: int) -> list[Passage]:
    """Return at most `count` passages, the best first, from a ranking with scores.

    What says the same as a better one, or stands in it, is left out. Then each place goes to the passage with the
    highest score after what it loses for repeating those before it, or for being from the same document or source.
    """
    asked = content_words(question)
    distinct = merged(ranked, asked, 2 * count)
    texts = {passage.chunk_id: content_words(passage.text) for passage in distinct}
    left, found = list(distinct), list[Passage]()
    from_document: dict[UUID, int] = {}
    from_source: dict[str, int] = {}
    repeated = dict.fromkeys(texts, 0.0)
    while left and len(found) < count:

        def worth(passage: Passage) -> float:
            crowding = DOCUMENT_COST * from_document.get(passage.doc_id, 0)
            crowding += SOURCE_COST * from_source.get(passage.source, 0)
            return passage.score - crowding - LIKENESS_COST * repeated[passage.chunk_id]

        best = max(left, key=worth)
        left.remove(best)
        found.append(best)
        from_document[best.doc_id] = from_document.get(best.doc_id, 0) + 1
        from_source[best.source] = from_source.get(best.source, 0) + 1
        for passage in left:
            own = texts[passage.chunk_id]
            share = len(own & texts[best.chunk_id]) / len(own) if own else 0.0
            repeated[passage.chunk_id] = max(repeated[passage.chunk_id], share)
    return found


def merged(ranked: Sequence[Passage], asked: Collection[str] = (), count: int | None = None) -> list[Passage]:
    """Return the passages without those that say the same as a better one; at most `count`.

    The same is what is contained, or shares SAME of its shingles and differs in no figure, name, negation or word
    of the question (`asked`, stems): a report of the next quarter has the same words and is another fact.
    """
    kept: list[Passage] = []
    texts: list[_Text] = []
    for passage in ranked:
        text = _read(passage.text)
        if any(_same(text, other, asked) for other in texts):
            continue
        kept.append(passage)
        texts.append(text)
        if len(kept) == count:
            break
    return kept


def _same(text: _Text, better: _Text, asked: Collection[str]) -> bool:
    if text.plain in better.plain:
        return True
    shared = len(text.shingles & better.shingles)
    if not shared or shared < SAME * min(len(text.shingles), len(better.shingles)):
        return False
    if shared < SAME * len(text.shingles):
        return False  # It goes on where the better one ends.
    differ = text.tokens ^ better.tokens if shared < len(text.shingles) else text.tokens - better.tokens
    return not any(_ODD.search(token) or token in _NEGATIONS or set(words(token)) & set(asked) for token in differ)


def _read(text: str) -> _Text:
    tokens = _TOKEN.findall(text)
    said = [token.lower() for token in tokens]
    shingles = frozenset(zip(*(said[start:] for start in range(SHINGLE)), strict=False))
    return _Text(f" {' '.join(said)} ", shingles, frozenset(_named(text, tokens)))


def _named(text: str, tokens: Sequence[str]) -> list[str]:
    """Return the words with the case they have, but for those that are small elsewhere in the text."""
    small = {token for token in tokens if token.islower()}
    return [token.lower() if token.lower() in small else token for token in tokens]
