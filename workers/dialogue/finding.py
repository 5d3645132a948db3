"""What is nearest to a question, whatever model embedded it: while a tenant changes its model, chunks have either.

A question is put to the model that embeds now and, as long as other chunks are there, to theirs. Which they are
comes with the answer of the search itself, so a tenant with one model pays nothing for it.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID

import structlog
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from pipelines.ports.models import Embedder
from pipelines.ports.passages import KnowledgeFilter, Passage
from pipelines.providers.servers import PRICES
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import beside, cards, documents, search
from pipelines.stores.knowledge.search import NO_FILTER, Asked, Found
from pipelines.stores.turns import circumstances
from pipelines.stores.turns.circumstances import Circumstances
from pipelines.turn.composing.confidence import confidence
from pipelines.turn.finding import limits, neighbours, retrieve
from pipelines.turn.finding.distinct import chosen
from pipelines.turn.finding.fusion import DENSE_WEIGHT, Card, Rankings, fused
from pipelines.turn.finding.parts import parts, together
from pipelines.turn.prompting.preferences import question_of
from schemas.errors.callers import BudgetExceeded
from schemas.errors.providers import ProviderUnavailable, StoreUnavailable
from schemas.errors.tree import AuraError
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn
from workers import wiring
from workers.dialogue import reranking, rewriting
from workers.spending import budget
from workers.spending.questions import Remembering

CANDIDATES = 100
"""Passages each search contributes to the fusion."""

ASK_AGAIN_S = 30.0
"""A model that could not be asked is let alone for so long: somebody waits for the answer."""

ASK_NOW_AGAIN_S = 5.0
"""The same of the model that embeds now: all questions depend on it, and that it works again is to be noticed."""

MAX_KNOWN = 4096
AT_ONCE = 8
"""Parts of long questions that a process looks for side by side."""

log = structlog.get_logger()

_others: dict[UUID, tuple[str, ...]] = {}
"""Tenants that had chunks of other models at their last question, and which."""

_away: dict[tuple[UUID, str], float] = {}


@dataclass(frozen=True)
class Ground:
    """What an answer can rest on: the passages, best first, and how sure it is that they hold it, 0…1.

    `standalone` is the question as it was looked for, where it leant on the conversation.
    """

    passages: Sequence[Passage]
    confidence: float
    standalone: str | None = None


def ground(
    turn: Turn, count: int | None = None, dense_weight: float | None = None, about: Circumstances | None = None
) -> Ground:
    """Return what the turn's question is answered from. Raises StoreUnavailable, BudgetExceeded, UnknownAssistant.

    `count` and `dense_weight` take the place of what is set, to compare (`workers/dialogue/questioning.py`).
    `about` is what the turn's worker has read already.
    """
    standalone = rewriting.standalone(turn)
    question = standalone or question_of(turn.question or "")
    about = about or circumstances.read(turn.tenant_id, turn.assistant_key)
    if not about.knows:
        # Neither a model nor a search is asked for what cannot be found.
        return Ground((), 0.0, standalone)
    allowed = _limits(turn, about)
    weight = DENSE_WEIGHT if dense_weight is None else dense_weight
    asked = [question, *parts(question)]
    if len(asked) == 1:
        found = [rankings(turn, question, allowed)]
    else:
        found = list(_pool().map(lambda part: rankings(turn, part, allowed), asked))
    own = (turn.question or "") if standalone else ""
    whole, *others = found
    ranked = together(
        [
            fused(whole, question, own, weight),
            *(fused(one, part, dense_weight=weight) for one, part in zip(others, asked[1:], strict=True)),
        ]
    )
    best = chosen(reranking.reranked(turn, question, ranked), question, count or get_settings().match_count)
    sure = confidence if any(one.dense for one in found) else retrieve.confidence_by_words
    return Ground(_expanded(turn, best), sure(best, question), standalone)


def rankings(turn: Turn, question: str, allowed: KnowledgeFilter = NO_FILTER) -> Rankings:
    """Return the passages nearest to the question, those that share most words with it, and their documents' cards.

    What a model embedded that can not be asked is found by its words alone. Raises StoreUnavailable, BudgetExceeded.
    """
    # While a model reads the question its words are looked for: both take about as long.
    by_words = _words_pool().submit(_by_words, turn, question, allowed)
    try:
        asked = _ask_current(turn, question)
        now = [one.model for one in asked]
        asked += _ask(turn, question, [model for model in _others.get(turn.tenant_id, ()) if model not in now])
    finally:
        # Waited for in any case: nothing of a question runs on once it is over.
        wait([by_words])
    lexical = by_words.result()
    try:
        found, compared = _compared(turn, question, asked, allowed, lexical)
    except DataError:
        # A server that was given another model under the same name: its vectors are as wide as no chunk's.
        for one in asked:
            _set_aside(turn.tenant_id, one.model, ProviderUnavailable("Its vectors have another width than before."))
        asked = []
        found, compared = _compared(turn, question, asked, allowed, lexical)
    if more := _ask(turn, question, found.unasked([one.model for one in asked])):
        with tenant_session(turn.tenant_id, durable=False) as session:
            found = _nearest(session, turn, [*asked, *more], allowed)
    if asked:
        _remember(turn.tenant_id, tuple(found.unasked(now)))
    return Rankings(found.passages, lexical, compared)


def _compared(
    turn: Turn, question: str, asked: Sequence[Asked], allowed: KnowledgeFilter, lexical: Sequence[Passage]
) -> tuple[Found, dict[UUID, Card]]:
    """Return the nearest passages, and how the cards of all documents that were found fit the question."""
    with tenant_session(turn.tenant_id, durable=False) as session:
        found = _nearest(session, turn, asked, allowed)
        near = {passage.doc_id for passage in (*found.passages, *lexical)}
        return found, cards.compared(session, turn.tenant_id, near, asked, question)


def _by_words(turn: Turn, question: str, allowed: KnowledgeFilter) -> list[Passage]:
    with tenant_session(turn.tenant_id, durable=False) as session:
        return search.best_words(session, turn.tenant_id, question, CANDIDATES, turn.assistant_key, allowed)


def _nearest(session: Session, turn: Turn, asked: Sequence[Asked], allowed: KnowledgeFilter) -> Found:
    if not asked:
        return Found([], [])
    return search.nearest_of(session, turn.tenant_id, asked, CANDIDATES, turn.assistant_key, allowed)


def _ask_current(turn: Turn, question: str) -> list[Asked]:
    """Return the question as the model of now reads it; nothing where that can not be asked, which is logged.

    One that is not set up, or whose key can not be opened, is nothing that passes: raises NotOffered.
    """
    embedder = Remembering(turn.tenant_id, wiring.embedder(turn.tenant_id))
    if _is_away(turn.tenant_id, embedder.model):
        return []
    try:
        with budget.question(turn.tenant_id, embedder, question, turn.turn_id):
            return [_asked(embedder, question)]
    except (StoreUnavailable, BudgetExceeded):
        raise
    except AuraError as error:
        _set_aside(turn.tenant_id, embedder.model, error, ASK_NOW_AGAIN_S)
        return []


def _ask(turn: Turn, question: str, models: Sequence[str]) -> list[Asked]:
    """Return the question as these models read it; those that can not be asked are left out."""
    asked = []
    for model in models:
        if _is_away(turn.tenant_id, model):
            continue
        try:
            asked.append(_paid(turn, wiring.embedder_of(turn.tenant_id, model), question))
        except AuraError as error:
            _set_aside(turn.tenant_id, model, error)
    return asked


def _is_away(tenant_id: UUID, model: str) -> bool:
    return _away.get((tenant_id, model), 0.0) > time.monotonic()


def _set_aside(tenant_id: UUID, model: str, error: AuraError, for_s: float = ASK_AGAIN_S) -> None:
    log.warning("chunks found by their words alone", model=model, code=error.code, detail=error.detail)
    if len(_away) >= MAX_KNOWN:
        _away.clear()
    _away[tenant_id, model] = time.monotonic() + for_s


def _paid(turn: Turn, embedder: Embedder, question: str) -> Asked:
    if embedder.model not in PRICES:
        return _asked(embedder, question)
    with budget.question(turn.tenant_id, embedder, question, turn.turn_id):
        return _asked(embedder, question)


def _asked(embedder: Embedder, question: str) -> Asked:
    return Asked(embedder.model, embedder.embed([question])[0], embedder.calibration)


def _limits(turn: Turn, about: Circumstances) -> KnowledgeFilter:
    """Return what the turn may search: what is asked for, within what its assistant may know."""
    asked, allowed = limits.read(turn.filters or {}), limits.read(about.knowledge_filter)
    if asked.tags and allowed.tags:
        # A document may have a tag of each: those that have one of the asker's are looked up first.
        with tenant_session(turn.tenant_id, durable=False) as session:
            tagged = documents.tagged(session, turn.tenant_id, asked.tags)
        if asked.doc_ids:
            tagged = [doc_id for doc_id in tagged if doc_id in asked.doc_ids]
        asked = replace(asked, tags=(), doc_ids=tuple(tagged) or limits.NOTHING.doc_ids)
    return limits.within(asked, allowed)


def _expanded(turn: Turn, best: Sequence[Passage]) -> list[Passage]:
    """Return the passages, the first of them with the text next to them."""
    if not best:
        return []
    with tenant_session(turn.tenant_id, durable=False) as session:
        near = beside.of(session, turn.tenant_id, [one.chunk_id for one in best[: neighbours.EXPANDED]])
    return neighbours.expanded(best, near)


def _remember(tenant_id: UUID, models: tuple[str, ...]) -> None:
    if not models:
        _others.pop(tenant_id, None)
        return
    if len(_others) >= MAX_KNOWN:
        _others.clear()
    _others[tenant_id] = models


@lru_cache
def _words_pool() -> ThreadPoolExecutor:
    # Not the pool of parts: each of them waits for its words.
    return ThreadPoolExecutor(AT_ONCE, "words")


@lru_cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, "parts")
