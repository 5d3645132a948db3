"""One ranking from two: nearest by vector, best by words, and how closely a passage's wording is the question's.

The weights were chosen on half of xquad; `bench/retrieval.py` reports the other half, and sets of other kinds.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from uuid import UUID

from pipelines.ports.passages import Passage
from pipelines.searchable import searchable
from pipelines.turn.wording.words import content_words, words

DENSE_WEIGHT, LEXICAL_WEIGHT = 0.5, 0.5
CLOSE_WEIGHT, PAIRS_WEIGHT = 0.3, 0.4
CARD_DENSE_WEIGHT, CARD_LEXICAL_WEIGHT = 0.1, 0.3

DOUBTED = 0.3
"""Share of the question's words below which the ranking by words is not believed at all."""

WELL_BEHIND = 5
"""Passages, best by their words, in which the question's words are looked for."""

READ = 20
"""Passages whose wording is compared with the question's: reading more took time and changed nothing."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n|(?<=[。！？])")


@dataclass(frozen=True)
class Card:
    """How a document as a whole fits a question: its card's similarity, and the question's lexemes on its card."""

    similarity: float = 0.0
    lexemes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rankings:
    """What the searches found for one question, each ranking best first; `cards` by document, where one has a card."""

    dense: Sequence[Passage] = ()
    lexical: Sequence[Passage] = ()
    cards: Mapping[UUID, Card] = field(default_factory=dict)


def fused(rankings: Rankings, question: str, own: str = "", dense_weight: float = DENSE_WEIGHT) -> list[Passage]:
    """Return the passages of both rankings, best first, with a `score` of 0…1.

    Where the question was made whole, `own` is what was asked: its words are what the best are read for.

    Each ranking's scores are scaled to 0…1; a passage that is missing from one has its 0. The ranking by words
    counts as far as the best of it hold the question's words: where they do not, as for a question in another
    language, the vectors decide alone. The best are then read for how near to each other they have these words.
    """
    union = _union(rankings)
    wanted = content_words(plainly(question))
    trust = trusted(rankings.lexical[:WELL_BEHIND], wanted) if rankings.dense else 1.0
    nearness = scaled({passage.chunk_id: _odds(passage.similarity) for passage in rankings.dense})
    wording = scaled({passage.chunk_id: passage.bm25 for passage in rankings.lexical})
    blend = {
        key: dense_weight * nearness.get(key, 0.0) + (1 - dense_weight) * trust * wording.get(key, 0.0) for key in union
    }
    _lift(blend, union, rankings.cards, trust)
    best = sorted(blend, key=lambda key: (-blend[key], key))
    if trust:
        close = closeness([union[key] for key in best[:READ]], own if content_words(plainly(own)) else question)
        blend |= {key: blend[key] + trust * value for key, value in zip(best, close, strict=False)}
        best.sort(key=lambda key: (-blend[key], key))
    most = DENSE_WEIGHT + LEXICAL_WEIGHT + CLOSE_WEIGHT + PAIRS_WEIGHT
    most += CARD_DENSE_WEIGHT + CARD_LEXICAL_WEIGHT if rankings.cards else 0.0
    return [replace(union[key], score=min(1.0, blend[key] / most)) for key in best]


def coverage(passages: Sequence[Passage], wanted: Collection[str]) -> float:
    """Return the largest share of the wanted stems that one of the passages has; 0.5 where none are wanted."""
    if not wanted:
        return 0.5
    return max((len(set(wanted) & content_words(plainly(standing(one)))) for one in passages), default=0) / len(wanted)


def plainly(text: str) -> str:
    """Return a text so that its words can be told apart, also those of scripts without spaces."""
    return text if text.isascii() else searchable(text)


def standing(passage: Passage) -> str:
    """Return a passage with where it stands: file, title, headings, text."""
    return "\n".join((passage.filename, passage.title, *passage.heading_path, passage.text))


def trusted(best: Sequence[Passage], wanted: Collection[str]) -> float:
    """Return how far the ranking by words is believed, 0…1, by what its best passages hold of the wanted stems.

    One word of two is as often chance: stems of different words fall together.
    """
    share = coverage(best, wanted)
    if len(wanted) == 2 and share < 1:
        return 0.0
    return max(0.0, (share - DOUBTED) / (1 - DOUBTED))


def closeness(passages: Sequence[Passage], question: str) -> list[float]:
    """Return for each passage how near to each other it has the question's words.

    That is the share of them, rare ones counting more, in its best sentence with what stands above it, and the
    share of the question's pairs of neighbouring words that it has too.
    """
    plain = plainly(question)
    asked, wanted = words(plain), content_words(plain)
    pairs = {pair for pair in pairwise(asked) if wanted.intersection(pair)}
    read = [_read(passage) for passage in passages]
    rarity = _rarity(wanted, [frozenset().union(*sentences) for sentences, _ in read])
    total = sum(rarity.values())
    if not total:
        return [0.0] * len(passages)
    return [
        CLOSE_WEIGHT * max(sum(rarity[word] for word in wanted & sentence) for sentence in sentences) / total
        + PAIRS_WEIGHT * len(pairs & there) / max(1, len(pairs))
        for sentences, there in read
    ]


def scaled(scores: Mapping[int, float]) -> dict[int, float]:
    """Return scores moved to 0…1; 1 where all are the same."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    return {key: (score - low) / (high - low) if high > low else 1.0 for key, score in scores.items()}


def _union(rankings: Rankings) -> dict[int, Passage]:
    union: dict[int, Passage] = {passage.chunk_id: passage for passage in rankings.dense}
    for passage in rankings.lexical:
        known = union.get(passage.chunk_id)
        union[passage.chunk_id] = replace(known, bm25=passage.bm25) if known else passage
    return union


def _lift(blend: dict[int, float], union: Mapping[int, Passage], cards: Mapping[UUID, Card], trust: float) -> None:
    """Add to passages what their documents' cards say; for one without a card the passage speaks itself.

    Words count by how few of the candidates' cards have them: of reports that differ in the quarter alone, the
    quarter tells them apart. Their vectors hardly do, so these are compared on the scale of the passages'.
    """
    if not cards:
        return
    odds = [_odds(passage.similarity) for passage in union.values() if passage.similarity]
    low, high = min(odds, default=0.0), max(odds, default=0.0)
    rarity = _rarity(frozenset().union(*(card.lexemes for card in cards.values())), [c.lexemes for c in cards.values()])
    told = {doc_id: sum(rarity[word] for word in card.lexemes) for doc_id, card in cards.items()}
    least, most = min(told.values()), max(told.values())
    for key, passage in union.items():
        card = cards.get(passage.doc_id)
        if card is None:
            nearness = wording = min(1.0, blend[key] / (DENSE_WEIGHT + LEXICAL_WEIGHT * trust))
        else:
            nearness = min(1.0, max(0.0, (_odds(card.similarity) - low) / (high - low))) if high > low else 1.0
            wording = (told[passage.doc_id] - least) / (most - least) if most > least else 1.0
        blend[key] += CARD_DENSE_WEIGHT * nearness + CARD_LEXICAL_WEIGHT * trust * wording


def _rarity(wanted: Collection[str], held: Sequence[Collection[str]]) -> dict[str, float]:
    """Return the inverse document frequency of each wanted word among what the candidates hold."""
    count = len(held)
    among = {word: sum(word in one for one in held) for word in wanted}
    return {word: math.log(1 + (count - n + 0.5) / (n + 0.5)) for word, n in among.items()}


def _read(passage: Passage) -> tuple[list[frozenset[str]], set[tuple[str, str]]]:
    """Return the words of each sentence, with those that stand above it, and the pairs of neighbours."""
    above = [words(plainly(part)) for part in (passage.title or passage.filename, *passage.heading_path)]
    place = frozenset(word for part in above for word in part)
    said = [words(plainly(sentence)) for sentence in _SENTENCE_END.split(passage.text)]
    pairs = {pair for part in (*above, *said) for pair in pairwise(part)}
    return [place.union(sentence) for sentence in said], pairs


def _odds(similarity: float) -> float:
    """Return the logarithm of the similarity's odds: as even as the model's cosines are, which calibration bends."""
    bounded = min(max(similarity, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))
