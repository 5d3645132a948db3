"""The best passages read again by a reranker, where one is set up; the order stands where it fails or is slow."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import replace
from functools import lru_cache

import structlog

from pipelines.ports.models import Reranker
from pipelines.ports.passages import Passage
from pipelines.providers import reranking
from pipelines.turn.finding.fusion import standing
from schemas.errors.providers import ProviderUnavailable
from schemas.errors.tree import AuraError
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn
from workers import wiring
from workers.spending import budget

WAITING = 8
"""Calls at a time of this process that may outlive the patience of who asked."""

log = structlog.get_logger()


def reranked(turn: Turn, question: str, ranked: Sequence[Passage]) -> list[Passage]:
    """Return the passages with those that were read first, best first by what the reranker says of them.

    Their `score` is then its own, 0…1 over those that were read. Without a reranker, or when it fails or takes longer
    than its time, the order given.
    """
    settings = get_settings()
    reranker = _reranker(turn)
    read, rest = ranked[: settings.rerank_count], ranked[settings.rerank_count :]
    if reranker is None or len(read) < 2:
        return list(ranked)
    texts = [standing(passage) for passage in read]
    try:
        scores = _within(_pool().submit(_ask, turn, reranker, question, texts), settings.rerank_timeout_s)
    except AuraError as error:
        log.warning("not reranked", reranker=reranker.name, code=error.code, detail=error.detail)
        return list(ranked)
    low, high = min(scores), max(scores)
    spread = (high - low) or 1.0
    judged = [replace(one, score=(score - low) / spread) for one, score in zip(read, scores, strict=True)]
    judged.sort(key=lambda passage: -passage.score)
    # What was not read stays behind what was, as it stood.
    return [*judged, *(replace(passage, score=0.0) for passage in rest)]


def _ask(turn: Turn, reranker: Reranker, question: str, texts: Sequence[str]) -> Sequence[float]:
    timeout_s = get_settings().rerank_timeout_s
    if isinstance(reranker, reranking.Judge):
        model = wiring.chat_model(turn.tenant_id)
        with budget.chat(turn.tenant_id, model, reranker.prompt(question, texts), turn.turn_id) as call:
            scores = reranker.rerank(question, texts, timeout_s)
            call.spent = call.expected
        return scores
    return reranker.rerank(question, texts, timeout_s)


def _within(future: "Future[Sequence[float]]", timeout_s: float) -> Sequence[float]:
    try:
        return future.result(timeout=timeout_s)
    except TooLate as error:
        future.cancel()
        raise ProviderUnavailable(f"It took longer than {timeout_s:g} s.") from error


def _reranker(turn: Turn) -> Reranker | None:
    settings = get_settings()
    if settings.reranker == "chat":
        model = wiring.chat_model(turn.tenant_id)
        return None if model.name == "local" else reranking.Judge(model)
    return _remote() if settings.reranker == "auto" and settings.rerank_base_url else None


@lru_cache
def _remote() -> Reranker:
    return reranking.make(get_settings())


@lru_cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WAITING, "rerank")
