"""What is nearest to a question, whatever model embedded it: while a tenant changes its model, chunks have either.

A question is put to the model that embeds now and, as long as other chunks are there, to theirs. Which they are
comes with the answer of the search itself, so a tenant with one model pays nothing for it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from pipelines.ports import Embedder, Passage
from pipelines.providers.servers import PRICES
from pipelines.stores import search
from pipelines.stores.database import tenant_session
from pipelines.stores.search import Asked
from pipelines.turn import retrieve
from schemas.dialogue import Turn
from schemas.errors import AuraError
from schemas.settings import get_settings
from workers import budget, wiring
from workers.questions import Remembering

CANDIDATES = 100
"""Passages each search contributes to the fusion."""

ASK_AGAIN_S = 30.0
"""A model that could not be asked is let alone for so long: somebody waits for the answer."""

MAX_KNOWN = 4096

log = structlog.get_logger()

_others: dict[UUID, tuple[str, ...]] = {}
"""Tenants that had chunks of other models at their last question, and which."""

_away: dict[tuple[UUID, str], float] = {}


@dataclass(frozen=True)
class Ground:
    """What an answer can rest on: the passages, best first, and how sure it is that they hold it, 0…1."""

    passages: Sequence[Passage]
    confidence: float


def ground(turn: Turn) -> Ground:
    """Return what the turn's question is answered from. Raises what the embedder of now raises."""
    question = turn.question or ""
    passages = retrieve.fuse(*rankings(turn, question), get_settings().match_count)
    return Ground(passages, retrieve.confidence(passages, question))


def rankings(turn: Turn, question: str) -> tuple[list[Passage], list[Passage]]:
    """Return the passages nearest to the question, and those that share most words with it.

    Where a model of earlier chunks can not be asked, those are found by their words alone. Raises what the
    embedder of now raises.
    """
    embedder = Remembering(turn.tenant_id, wiring.embedder(turn.tenant_id))
    with budget.question(turn.tenant_id, embedder, question, turn.turn_id):
        asked = [_asked(embedder, question)]
    asked += _ask(turn, question, [model for model in _others.get(turn.tenant_id, ()) if model != embedder.model])
    with tenant_session(turn.tenant_id, durable=False) as session:
        lexical = search.best_words(session, turn.tenant_id, question, CANDIDATES, turn.assistant_key)
        found = search.nearest_of(session, turn.tenant_id, asked, CANDIDATES, turn.assistant_key)
    if more := _ask(turn, question, found.unasked([one.model for one in asked])):
        with tenant_session(turn.tenant_id, durable=False) as session:
            found = search.nearest_of(session, turn.tenant_id, [*asked, *more], CANDIDATES, turn.assistant_key)
    _remember(turn.tenant_id, tuple(found.unasked([embedder.model])))
    return found.passages, lexical


def _ask(turn: Turn, question: str, models: Sequence[str]) -> list[Asked]:
    """Return the question as these models read it; those that can not be asked are left out."""
    asked = []
    for model in models:
        if _away.get((turn.tenant_id, model), 0.0) > time.monotonic():
            continue
        try:
            asked.append(_paid(turn, wiring.embedder_of(turn.tenant_id, model), question))
        except AuraError as error:
            log.warning("chunks found by their words alone", model=model, code=error.code, detail=error.detail)
            if len(_away) >= MAX_KNOWN:
                _away.clear()
            _away[turn.tenant_id, model] = time.monotonic() + ASK_AGAIN_S
    return asked


def _paid(turn: Turn, embedder: Embedder, question: str) -> Asked:
    if embedder.model not in PRICES:
        return _asked(embedder, question)
    with budget.question(turn.tenant_id, embedder, question, turn.turn_id):
        return _asked(embedder, question)


def _asked(embedder: Embedder, question: str) -> Asked:
    return Asked(embedder.model, embedder.embed([question])[0], embedder.calibration)


def _remember(tenant_id: UUID, models: tuple[str, ...]) -> None:
    if not models:
        _others.pop(tenant_id, None)
        return
    if len(_others) >= MAX_KNOWN:
        _others.clear()
    _others[tenant_id] = models
