"""What is known of the models that may answer: whether they work, how quickly, at what price. Shared in Redis.

Where Redis is away nothing is known, and everybody may be called.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import structlog

from pipelines.stores.operations import breaker
from pipelines.stores.operations.breaker import Look
from pipelines.stores.operations.provider_health import Circuit, State
from pipelines.stores.redis import get_redis
from pipelines.turn.generating.routing import HEDGE_FROM_SAMPLES, Candidate
from schemas.errors.providers import RateLimited, StoreUnavailable
from schemas.errors.requests import NotOffered
from schemas.errors.tree import AuraError
from workers import wiring
from workers.spending import budget, health

KIND = "chat"

REFUSED_REST_S = 30.0
"""A provider that refuses the key or the model is not asked again at once: somebody must mend that."""

AWAY_S = 5.0

T = TypeVar("T")

log = structlog.get_logger()

_away_until = 0.0


@dataclass(frozen=True)
class Known:
    """A candidate and its circuit; None for a model that runs here, which has none."""

    candidate: Candidate
    circuit: Circuit | None


def known(tenant_id: UUID, input_tokens: int) -> list[Known]:
    """Return what may answer a prompt of so many tokens, with what is known of it. Raises NotOffered."""
    found = wiring.answerers(tenant_id)
    circuits = {
        one.provider: health.circuit(tenant_id, KIND, one.provider, own_key=one.own_key)
        for one in found
        if not one.local
    }
    looks = _reaching(lambda: breaker.looks(get_redis(), tuple(circuits.values()))) if circuits else None
    seen = dict(zip(circuits, looks or (), strict=False))
    return [Known(_candidate(one, seen.get(one.provider), input_tokens), circuits.get(one.provider)) for one in found]


def may_call(one: Known) -> bool:
    """Return whether the model may be called at once; of a half-open circuit only one caller at a time."""
    circuit = one.circuit
    if circuit is None or one.candidate.state == "closed":
        return True
    state = _reaching(lambda: breaker.may_call(get_redis(), circuit))
    if state is State.HALF_OPEN:
        health.doubt(circuit)
    return state is not State.OPEN


def spoke(one: Known, first_token_ms: float) -> None:
    """Note that a model has begun to answer, and after how long."""
    circuit = one.circuit
    if circuit is not None:
        _reaching(lambda: breaker.timed(get_redis(), circuit, first_token_ms))
        ended(one, worked=True)


def failed(one: Known, error: AuraError) -> None:
    """Note that a model did not answer. Whether its circuit opens is found where calls are watched (`health`)."""
    circuit = one.circuit
    if circuit is None:
        return
    if isinstance(error, RateLimited):
        _reaching(lambda: breaker.rest(get_redis(), circuit, error.retry_after_s))
    elif isinstance(error, NotOffered):
        _reaching(lambda: breaker.rest(get_redis(), circuit, REFUSED_REST_S))
    ended(one)


def ended(one: Known, *, worked: bool = False) -> None:
    """Let others try a half-open circuit: this try is over."""
    circuit = one.circuit
    if circuit is not None and one.candidate.state == "half_open":
        _reaching(lambda: breaker.tried(get_redis(), circuit, worked=worked))


def lost(one: Known) -> None:
    """Note that a model's answer was waited for no longer: a half-open circuit is let alone as after a failure."""
    circuit = one.circuit
    if circuit is not None and one.candidate.state == "half_open":
        _reaching(lambda: breaker.lost(get_redis(), circuit))


def looks(circuits: list[Circuit]) -> list[Look]:
    """Return what is known of these circuits; nothing where Redis is away."""
    return _reaching(lambda: breaker.looks(get_redis(), circuits)) or [Look(State.CLOSED) for _ in circuits]


def _candidate(one: wiring.Answerer, look: Look | None, input_tokens: int) -> Candidate:
    cost = budget.expected_of(one.model, input_tokens).cost_usd
    if look is None:
        return Candidate(one.provider, one.model, one.local, cost_usd=cost)
    slow = look.slow_first_token_ms if look.samples >= HEDGE_FROM_SAMPLES else None
    return Candidate(one.provider, one.model, one.local, look.state.value, look.first_token_ms, slow, cost)


def _reaching(ask: Callable[[], T]) -> T | None:
    """Return what Redis says; None where it does not answer, and for a while after, as somebody waits."""
    global _away_until  # noqa: PLW0603 (one Redis a process)
    if time.monotonic() < _away_until:
        return None
    try:
        return ask()
    except StoreUnavailable:
        _away_until = time.monotonic() + AWAY_S
        log.warning("nothing is known of the providers: Redis does not answer")
        return None
