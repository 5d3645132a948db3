"""Answers that were given before: what a question depends on, finding a kept answer, giving it, keeping a new one.

Only an answer that stands by itself is kept or given: nothing was said before it in its conversation, it is grounded
in what it cites, and it is whole. The web process asks for exact ones, so that they pass no queue.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog

from pipelines.ports.models import Prompt
from pipelines.providers import embedding_model
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import remembered
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import answers, turns
from pipelines.stores.turns.answers import Asked, Kept, Standing
from pipelines.turn.composing import cache
from pipelines.turn.composing.compose import is_refusal
from pipelines.turn.generating.routing import Policy
from pipelines.turn.generating.sentences import SentenceSplitter
from schemas.errors.providers import StoreUnavailable
from schemas.events import Event, EventName
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn, TurnStage, TurnStatus
from workers import announce
from workers.dialogue.asking import Asking
from workers.dialogue.waterfall import Clock

TRIM_EVERY = 64
"""Of so many answers that are kept, one sees to it that there are not too many."""

NOT_CACHED: Mapping[str, object] = {"hit": None}
"""What a turn says of the cache that is not to be answered by it."""

REQUESTED = ("spoken", "language", "persona", "use_persona", "search_knowledge", "filters")
"""What a request may ask for beside its question, where the turn knows it."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Hit:
    """A kept answer that answers a turn, and how: `exact` or `near`."""

    kept: Kept
    how: str
    cosine: float | None = None

    def noted(self, turn: Turn) -> dict[str, Any]:
        """Return what the turn says of it: what was saved is measured against when the answer was made."""
        took_ms = (datetime.now(UTC) - turn.created_at).total_seconds() * 1e3
        return {
            **turn.cache,
            "hit": self.how,
            "kept_at": self.kept.created_at.isoformat(),
            "cosine": self.cosine,
            "saved_ms": round(max(0.0, self.kept.took_ms - took_ms), 1),
            "saved_usd": float(self.kept.cost_usd),
        }


def asked(turn: Turn, asking: Asking, standing: Standing) -> Asked | None:
    """Return the turn's question as the cache knows it, as things stand now; None where the cache is not to answer it.

    `asking` is without passages: what the prompt says of them is what they are, not what was asked. To be read before
    anything is searched, so that an answer is never kept for knowledge newer than its ground.
    """
    if not get_settings().answer_cache or not turn.question or not policy_of(standing).cache or asking.prompt.history:
        return None
    return _asked(turn, asking.prompt, standing)


def policy_of(standing: Standing) -> Policy:
    """Return what the tenant and its assistant ask for."""
    return Policy.of(standing.tenant_policy, standing.agent_policy)


def found(turn: Turn, exact: Kept | None) -> Hit | None:
    """Return the answer that was kept for this question or one that asks the same; None for a turn not to be cached.

    `exact` is what is kept for this very question. A near one must rest on nothing but passages that were found for
    this question too.
    """
    asked = answers.asked_of(turn.cache)
    if asked is None:
        return None
    if exact is not None:
        return Hit(exact, "exact")
    vector = _vector(turn) if asked.telling else None
    if vector is None:
        return None
    with tenant_session(turn.tenant_id, durable=False) as session:
        lasts_s = get_settings().answer_cache_s
        near = answers.near(session, turn.tenant_id, turn.assistant_key, asked, vector[1], vector[0], lasts_s)
    if near is None or near[1] < cache.NEAR_COSINE:
        return None
    here = {(passage["source"], passage["chunk_id"]) for passage in turn.passages}
    if not answers.cited_chunks(near[0].citations) <= here:
        return None
    return Hit(near[0], "near", round(near[1], 4))


def answer(turn: Turn, hit: Hit, asking: Asking) -> list[str]:
    """Answer a turn that has no row yet, and return the sentences that are to be spoken.

    Without any it is complete, else it is by who speaks the last one.
    """
    kept = hit.kept
    turn.stage, turn.status = TurnStage.GENERATE, TurnStatus.RUNNING
    turn.answer, turn.citations, turn.passages = kept.answer, kept.citations, kept.passages
    turn.confidence, turn.provider, turn.model = kept.confidence, kept.provider, kept.model
    turn.cache = hit.noted(turn)
    turn.noticed, turn.persona_applied = list(asking.noticed), asking.persona_applied
    turn.timings = {**turn.timings, "first_token_ms": Clock(turn).since_start_ms()}
    if turn.spoken:
        return list(_sentences(kept.answer))
    turn.status, turn.completed_at = TurnStatus.COMPLETED, datetime.now(UTC)
    return []


def told(turn: Turn, hit: Hit) -> list[Event]:
    """Return the events of a turn that was answered at once: those of any turn, in their order, but its last."""
    kept = hit.kept
    names = turns.sources(turns.unpacked(kept.passages))
    return [
        announce.of_turn(EventName.TURN_RETRIEVED, turn, confidence=round(kept.confidence, 3), sources=names),
        announce.of_turn(EventName.TURN_STARTED, turn, attempt=1),
        announce.of_turn(EventName.TURN_TOKEN, turn, text=kept.answer),
        *(
            announce.of_turn(EventName.TURN_SENTENCE, turn, seq=seq, text=text)
            for seq, text in enumerate(_sentences(kept.answer))
        ),
    ]


def keep(turn: Turn, prompt: Prompt, found: Mapping[str, Any], took_ms: float) -> None:
    """Keep a turn's whole answer where it stands by itself. Never fails: the turn has its answer."""
    asked = answers.asked_of(turn.cache)
    grounded = found["citations"] and prompt.confident and not is_refusal(found["answer"])
    if asked is None or prompt.history or not grounded or turn.confirmed_at is None:
        return
    vector = _vector(turn)
    try:
        with tenant_session(turn.tenant_id, durable=False) as session:
            kept = answers.keep(session, turn.tenant_id, turn.assistant_key, turn.turn_id, asked, vector, took_ms)
            if kept and turn.turn_id.int % TRIM_EVERY == 0:
                answers.trim(session, turn.tenant_id, get_settings().answer_cache_s)
    except StoreUnavailable:
        log.warning("answer not kept")


def ground_key(turn: Turn) -> str | None:
    """Return what names the ground of the turn's question in the cache; None where it is to be searched for."""
    asked = answers.asked_of(turn.cache)
    if asked is None:
        return None
    return cache.digest(asked.key, asked.knowledge_version, asked.agent_version)


def clear(tenant_id: UUID, assistant_key: str | None = None) -> int:
    """Drop what is kept and remembered for a tenant and return how many answers that were.

    Of one assistant only its answers. Raises StoreUnavailable.
    """
    with tenant_session(tenant_id) as session:
        gone = answers.clear(session, assistant_key)
    if assistant_key is None:
        remembered.forget(get_redis(), tenant_id)
    return gone


def _asked(turn: Turn, prompt: Prompt, standing: Standing) -> Asked:
    settings = get_settings()
    question = cache.normalised(turn.question or "")
    others = {
        "assistant": turn.assistant_key,
        "request": {name: getattr(turn, name, None) for name in REQUESTED},
        "models": [settings.chat_provider, settings.chat_model, settings.embedder, embedding_model(settings)],
        "limits": [settings.match_threshold, settings.match_count, settings.answer_tokens],
    }
    manner = cache.manner(replace(prompt, passages=()), others)
    return Asked(
        key=cache.digest(manner, question),
        manner=manner,
        telling=cache.telling(question),
        knowledge_version=standing.knowledge_version,
        agent_version=standing.agent_version,
    )


def _vector(turn: Turn) -> tuple[str, Any] | None:
    """Return the question's vector and its model, where retrieval has just made it."""
    model = embedding_model(get_settings())
    vector = remembered.vector(get_redis(), turn.tenant_id, model, turn.question or "") if model else None
    return None if vector is None else (model, vector)


def _sentences(text: str) -> Iterator[str]:
    splitter = SentenceSplitter()
    yield from splitter.feed(text)
    yield from splitter.flush()
