"""The rankings that are compared, and how good each is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from bench.retrieving.kinds import Set, Wanted
from pipelines.ingest.embed import embed
from pipelines.ports.models import Embedder
from pipelines.ports.passages import Passage
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import cards, search
from pipelines.stores.knowledge.search import Asked
from pipelines.turn.finding.distinct import chosen
from pipelines.turn.finding.fusion import Rankings, fused

CANDIDATES = 100
CHOSEN = 10
RECIPROCAL = 60
"""The constant of reciprocal rank fusion (Cormack et al. 2009)."""

Ranking = Callable[[Rankings, Wanted], Sequence[Passage]]


@dataclass(frozen=True)
class Answered:
    """A question and what the searches found for it."""

    wanted: Wanted
    rankings: Rankings


@dataclass(frozen=True)
class Scores:
    """Of one ranking over some questions: shares of 0…1."""

    place_first: float
    reciprocal: float
    recall_10: float
    document_first: float
    place_in_five: float


def asked(tenant_id: UUID, of: Set, embedder: Embedder) -> list[Answered]:
    """Return what the searches find for each question of a set that was put into the tenant."""
    vectors = embed([wanted.question for wanted in of.questions], embedder)
    found = []
    with tenant_session(tenant_id, durable=False) as session:
        for wanted, vector in zip(of.questions, vectors, strict=True):
            one = Asked(embedder.model, vector, embedder.calibration)
            dense = search.nearest_of(session, tenant_id, [one], CANDIDATES).passages
            lexical = search.best_words(session, tenant_id, wanted.question, CANDIDATES)
            documents = {passage.doc_id for passage in (*dense, *lexical)}
            compared = cards.compared(session, tenant_id, documents, [one], wanted.question)
            found.append(Answered(wanted, Rankings(dense, lexical, compared)))
    return found


def reciprocal_rank(rankings: Rankings, _: Wanted) -> list[Passage]:
    """Return the union by reciprocal rank fusion."""
    scores: dict[int, float] = {}
    passages: dict[int, Passage] = {}
    for ranking in (rankings.dense, rankings.lexical):
        for place, passage in enumerate(ranking, start=1):
            scores[passage.chunk_id] = scores.get(passage.chunk_id, 0.0) + 1 / (RECIPROCAL + place)
            passages.setdefault(passage.chunk_id, passage)
    return [passages[key] for key in sorted(scores, key=lambda key: (-scores[key], key))]


def ours(rankings: Rankings, wanted: Wanted) -> list[Passage]:
    """Return what an answer would be grounded in, were it grounded in CHOSEN passages."""
    return chosen(fused(rankings, wanted.question, wanted.own), wanted.question, CHOSEN)


RANKINGS: Mapping[str, Ranking] = {
    "vector": lambda rankings, _: rankings.dense,
    "BM25": lambda rankings, _: rankings.lexical,
    "reciprocal rank": reciprocal_rank,
    "ours": ours,
}


def scored(found: Sequence[Answered], ranking: Ranking) -> Scores:
    """Return how good a ranking is over these questions."""
    places, documents = [], []
    for one in found:
        order = ranking(one.rankings, one.wanted)[:CANDIDATES]
        places.append(next((n for n, passage in enumerate(order, 1) if one.wanted.is_place(passage)), None))
        documents.append(bool(order) and one.wanted.is_document(order[0]))
    count = len(found)
    return Scores(
        place_first=sum(place == 1 for place in places) / count,
        reciprocal=sum(1 / place for place in places if place) / count,
        recall_10=sum(place is not None and place <= 10 for place in places) / count,
        document_first=sum(documents) / count,
        place_in_five=sum(place is not None and place <= 5 for place in places) / count,
    )
