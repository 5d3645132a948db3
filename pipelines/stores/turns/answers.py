"""Whole answers that are kept, in Postgres: an answer and the knowledge it rests on are read in one statement.

A tenant's answers are dropped by whatever moves its knowledge version, in the same transaction (a trigger). So an
answer that is found here rests on what the tenant knows at that moment. Losing them all costs nothing but time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import CursorResult, delete, text
from sqlalchemy.orm import Session

from pipelines.stores.database import Driver, Rows
from schemas.tables.dialogue import CachedAnswer, Turn

MAX_KEPT = 5_000
"""Answers of a tenant that are kept; the oldest go first."""

# All that an answer depends on and that its tenant may change without moving the knowledge version.
AGENT_VERSION = "md5(a::text || coalesce((t.custom_settings -> 'model_policy')::text, ''))"
_CURRENT = (
    f" FROM tenants t JOIN agents a ON a.tenant_id = t.tenant_id JOIN cached_answers c ON c.tenant_id = t.tenant_id"
    " AND c.assistant_key = a.assistant_key AND c.knowledge_version = t.knowledge_version"
    f" AND c.agent_version = {AGENT_VERSION}"
    " WHERE t.tenant_id = :tenant AND a.assistant_key = :assistant"
    " AND c.created_at > now() - make_interval(secs => :lasts_s)"
)
_FOUND = "c.answer, c.citations, c.passages, c.confidence, c.provider, c.model, c.cost_usd, c.took_ms, c.created_at"
_EXACT = re.sub(r"(?<!:):(\w+)", r"%(\1)s", f"SELECT {_FOUND}{_CURRENT} AND c.key = :key")
_EXACT_OF_TURN = (
    _EXACT.replace("%(key)s", "u.cache ->> 'key'")
    .replace("%(assistant)s", "u.assistant_key")
    .replace(" FROM tenants t", " FROM turns u JOIN tenants t ON t.tenant_id = u.tenant_id AND u.turn_id = %(turn)s")
)
_NEAR = text(
    f"SELECT {_FOUND}, 1 - (c.embedding <=> CAST(:vector AS halfvec)) AS cosine{_CURRENT}"
    " AND c.manner = :manner AND c.telling = :telling AND c.embedding_model = :model"
    " ORDER BY cosine DESC LIMIT 1"
)
# The tenant's row is locked against a change of its knowledge until the answer is committed; where somebody is about
# to change it, the answer is not kept: it would be dropped at once, or worse, stay.
_KEEP = text(
    "INSERT INTO cached_answers (tenant_id, key, manner, telling, assistant_key, agent_version, knowledge_version,"
    " turn_id, embedding, embedding_model, answer, citations, passages, confidence, provider, model, cost_usd, took_ms)"
    " SELECT t.tenant_id, :key, :manner, :telling, a.assistant_key, :agent_version, t.knowledge_version, u.turn_id,"
    " CAST(:vector AS halfvec), :model_of_vector, u.answer, u.citations, u.passages, coalesce(u.confidence, 0),"
    " u.provider, u.model, u.cost_usd, :took_ms"
    " FROM (SELECT tenant_id, knowledge_version, custom_settings FROM tenants WHERE tenant_id = :tenant"
    "       AND knowledge_version = :version FOR SHARE SKIP LOCKED) t"
    " JOIN agents a ON a.tenant_id = t.tenant_id AND a.assistant_key = :assistant"
    f" AND {AGENT_VERSION} = :agent_version"
    " JOIN turns u ON u.tenant_id = t.tenant_id AND u.turn_id = :turn AND u.answer IS NOT NULL"
    " AND u.confirmed_at IS NOT NULL"
    " ON CONFLICT (tenant_id, key) DO UPDATE SET (manner, telling, agent_version, knowledge_version, turn_id,"
    " embedding, embedding_model, answer, citations, passages, confidence, provider, model, cost_usd, took_ms,"
    " created_at) ="
    " (excluded.manner, excluded.telling, excluded.agent_version, excluded.knowledge_version, excluded.turn_id,"
    " excluded.embedding, excluded.embedding_model, excluded.answer, excluded.citations, excluded.passages,"
    " excluded.confidence, excluded.provider, excluded.model, excluded.cost_usd, excluded.took_ms, now())"
)
_TRIM = text(
    "DELETE FROM cached_answers WHERE tenant_id = :tenant AND (created_at < now() - make_interval(secs => :lasts_s)"
    " OR created_at < (SELECT created_at FROM cached_answers WHERE tenant_id = :tenant"
    " ORDER BY created_at DESC OFFSET :most LIMIT 1))"
)
_STATISTICS = text(
    "SELECT count(*) AS turns, count(*) FILTER (WHERE cache ->> 'hit' = 'exact') AS exact,"
    " count(*) FILTER (WHERE cache ->> 'hit' = 'near') AS near,"
    " count(*) FILTER (WHERE cache ? 'key' AND cache ->> 'hit' IS NULL) AS misses,"
    " coalesce(sum((cache ->> 'saved_usd')::numeric), 0) AS saved_usd,"
    " coalesce(sum((cache ->> 'saved_ms')::float), 0) AS saved_ms"
    " FROM turns WHERE created_at >= :since AND created_at < :before AND status = 'completed'"
    " AND (CAST(:assistant AS text) IS NULL OR assistant_key = :assistant)"
)
_KEPT = text(
    "SELECT count(*) AS kept, min(created_at) AS oldest FROM cached_answers WHERE tenant_id = :tenant"
    " AND (CAST(:assistant AS text) IS NULL OR assistant_key = :assistant)"
)


@dataclass(frozen=True)
class Standing:
    """What an answer of an assistant rests on at one moment: the versions of knowledge and assistant, the policies."""

    knowledge_version: int
    agent_version: str
    tenant_policy: Any
    agent_policy: Any


@dataclass(frozen=True)
class Asked:
    """A question as the cache knows it; kept with its turn, so that the answer is kept as what was asked.

    `key` names the question with everything its answer depends on, `manner` the latter alone; `telling` is the
    question in words that tell something, empty where it has no near ones.
    """

    key: str
    manner: str
    telling: str
    knowledge_version: int
    agent_version: str


@dataclass(frozen=True)
class Kept:
    """An answer that was kept: what its turn had, what it cost and how long it took."""

    answer: str
    citations: list[dict[str, Any]]
    passages: list[dict[str, Any]]
    confidence: float
    provider: str
    model: str
    cost_usd: Decimal
    took_ms: float
    created_at: datetime


@dataclass(frozen=True)
class Statistics:
    """What the cache did in a time: answered turns, of which so many from it; and what it holds now."""

    turns: int
    exact: int
    near: int
    misses: int
    saved_usd: Decimal
    saved_ms: float
    kept: int
    oldest: datetime | None


def exact(driver: Driver, tenant_id: UUID, assistant_key: str, key: str | None, lasts_s: float) -> Rows:
    """Ask for the answer kept for this very question, if it rests on what the tenant knows and asks for; see `kept`."""
    given = {"tenant": tenant_id, "assistant": assistant_key, "key": key, "lasts_s": lasts_s}
    return driver.execute(_EXACT, given)


def exact_of_turn(driver: Driver, tenant_id: UUID, turn_id: UUID, lasts_s: float) -> Rows:
    """Ask for the answer kept for the very question of a turn, as `exact`."""
    return driver.execute(_EXACT_OF_TURN, {"tenant": tenant_id, "turn": turn_id, "lasts_s": lasts_s})


def kept(rows: Rows) -> Kept | None:
    """Return the answer that was asked for."""
    row = rows.fetchone()
    return Kept(*row) if row else None


def near(
    session: Session,
    tenant_id: UUID,
    assistant_key: str,
    asked: Asked,
    vector: NDArray[np.float32],
    model: str,
    lasts_s: float,
) -> tuple[Kept, float] | None:
    """Return the answer to the nearest question of the same telling words, and the cosine of the two."""
    given = {"manner": asked.manner, "telling": asked.telling, "model": model, "vector": HalfVector(vector).to_text()}
    row = session.execute(
        _NEAR, {"tenant": tenant_id, "assistant": assistant_key, "lasts_s": lasts_s, **given}
    ).one_or_none()
    return (Kept(*row[:-1]), float(row.cosine)) if row else None


def keep(
    session: Session,
    tenant_id: UUID,
    assistant_key: str,
    turn_id: UUID,
    asked: Asked,
    vector: tuple[str, NDArray[np.float32]] | None,
    took_ms: float,
) -> bool:
    """Keep the answer of a turn for its question; False where what it rests on has changed or is about to."""
    given = {
        **vars(asked),
        "tenant": tenant_id,
        "assistant": assistant_key,
        "turn": turn_id,
        "version": asked.knowledge_version,
        "vector": HalfVector(vector[1]).to_text() if vector else None,
        "model_of_vector": vector[0] if vector else None,
        "took_ms": took_ms,
    }
    done: CursorResult[Any] = session.execute(_KEEP, given)  # type: ignore[assignment]
    return done.rowcount > 0


def trim(session: Session, tenant_id: UUID, lasts_s: float) -> None:
    """Drop the tenant's answers that are too old or too many."""
    session.execute(_TRIM, {"tenant": tenant_id, "lasts_s": lasts_s, "most": MAX_KEPT})


def clear(session: Session, assistant_key: str | None = None) -> int:
    """Drop the tenant's answers, those of one assistant where it is named, and return how many there were."""
    statement = delete(CachedAnswer)
    if assistant_key is not None:
        statement = statement.where(CachedAnswer.assistant_key == assistant_key)
    done: CursorResult[Any] = session.execute(statement)  # type: ignore[assignment]
    return done.rowcount


def reject(session: Session, turn: Turn) -> int:
    """Drop an answer wherever it is kept, whichever turn it was made by, and return for how many questions it was."""
    statement = delete(CachedAnswer).where(
        CachedAnswer.assistant_key == turn.assistant_key, CachedAnswer.answer == turn.answer
    )
    done: CursorResult[Any] = session.execute(statement)  # type: ignore[assignment]
    return done.rowcount


def statistics(
    session: Session, tenant_id: UUID, since: datetime, before: datetime, assistant_key: str | None = None
) -> Statistics:
    """Return what the cache did for turns that began between two moments."""
    of = {"tenant": tenant_id, "assistant": assistant_key}
    did = session.execute(_STATISTICS, {**of, "since": since, "before": before}).one()
    return Statistics(*did, *session.execute(_KEPT, of).one())


def asked_of(cache: Mapping[str, Any]) -> Asked | None:
    """Return the question as `Turn.cache` keeps it; None where it is not to be answered from the cache."""
    names = Asked.__dataclass_fields__
    return Asked(**{name: cache[name] for name in names}) if all(name in cache for name in names) else None


def cited_chunks(citations: Sequence[Mapping[str, Any]]) -> set[tuple[str, int]]:
    """Return what citations point at: source and number of each chunk."""
    return {(str(one["source"]), int(one["chunk_id"])) for one in citations}
