"""A provider that is away for a minute: nobody waits for it twice, few calls are wasted, and it is soon back.

Time passes by moving what Redis knows of it into the past, not by waiting.
"""

from collections.abc import Callable
from uuid import UUID

import pytest
import redis

from pipelines.stores.database import tenant_session
from pipelines.stores.operations import breaker, provider_health
from pipelines.stores.operations.breaker import MAX_OPEN_S
from pipelines.stores.operations.provider_health import MIN_FAILURES, RECOVERS_AFTER, Circuit, State
from pipelines.stores.organisation import quotas, usage
from pipelines.stores.redis import open_redis
from schemas.tables.dialogue import TurnStatus
from tests.integration.limits.acting import at_once
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from tests.integration.routing.conftest import Ask
from workers.spending import circuits

pytestmark = pytest.mark.timeout(700)
"""What is started here takes a while: more than others have where the machine is busy, and a place in front."""

OPENAI = Circuit("chat", "openai")


def passes(client: "redis.Redis", seconds: float) -> None:
    """Have so much time pass for what is known of OpenAI."""
    for name in ("failed_at", "probe_until"):
        if client.hexists(OPENAI.key, name):
            client.hincrbyfloat(OPENAI.key, name, -seconds)


@pytest.mark.parametrize("fault", ["refused", "silent"])
def test_a_minute_without_a_provider(far_ends: dict[str, FarEnd], ask: Ask, client: "redis.Redis", fault: str) -> None:
    """Two questions a second: a hundred and twenty while it is away."""
    away, other = far_ends["openai"], far_ends["groq"]
    works = away.reply
    away.reply = (
        fakes.failure(503) if fault == "refused" else lambda exchange: exchange.far_end.closing.wait(1) and None
    )
    asked = 120
    for _ in range(asked):
        assert ask().status == TurnStatus.COMPLETED
        passes(client, 0.5)
    assert len(away.asked) + len(other.asked) <= 1.1 * asked
    assert len(other.asked) == asked
    away.reply = works
    away.asked.clear()
    recovered_after_s = 0.0
    while provider_health.state(client, OPENAI) is not State.CLOSED:
        assert ask().status == TurnStatus.COMPLETED
        passes(client, 0.5)
        recovered_after_s += 0.5
        assert recovered_after_s <= 30
    assert ask().provider == "openai"


def test_of_many_callers_one_tries(far_ends: dict[str, FarEnd], ask: Ask, client: "redis.Redis") -> None:
    far_ends["openai"].reply = fakes.failure(500)
    for _ in range(MIN_FAILURES):
        ask()
    assert provider_health.state(client, OPENAI) is State.OPEN
    passes(client, 11)
    far_ends["openai"].asked.clear()
    answered = at_once(8, lambda _: ask())
    assert {each.provider for each in answered} == {"groq"}
    assert len(far_ends["openai"].asked) == 1


def test_each_try_in_vain_doubles_the_wait(client: "redis.Redis", tenant: UUID) -> None:
    for _ in range(MIN_FAILURES):
        provider_health.failed(client, OPENAI, tenant, 0)
    for open_for_s in (10, 20, MAX_OPEN_S, MAX_OPEN_S):
        passes(client, open_for_s - 1)
        assert breaker.may_call(client, OPENAI) is State.OPEN
        passes(client, 1.1)
        assert breaker.may_call(client, OPENAI) is State.HALF_OPEN
        assert breaker.may_call(client, OPENAI) is State.OPEN
        provider_health.failed(client, OPENAI, tenant, 0)
        breaker.tried(client, OPENAI, worked=False)
    passes(client, MAX_OPEN_S + 1)
    for _ in range(RECOVERS_AFTER):
        assert breaker.may_call(client, OPENAI) is State.HALF_OPEN
        provider_health.worked(client, OPENAI)
        breaker.tried(client, OPENAI, worked=True)
    assert breaker.may_call(client, OPENAI) is State.CLOSED


def test_a_provider_is_let_alone_for_as_long_as_it_asks(
    far_ends: dict[str, FarEnd], ask: Ask, client: "redis.Redis"
) -> None:
    far_ends["openai"].reply = fakes.failure(429, Retry_After="60")
    for _ in range(5):
        assert ask().provider == "groq"
    assert len(far_ends["openai"].asked) == 1
    assert 55_000 < client.pttl(f"{OPENAI.key}:rest") <= 60_000


def test_times_to_the_first_token_are_shared(client: "redis.Redis", far_ends: dict[str, FarEnd], ask: Ask) -> None:
    for value in (*[100.0] * 10, 200.0):
        breaker.timed(client, OPENAI, value)
    (look,) = breaker.looks(client, [OPENAI])
    assert (look.first_token_ms, look.slow_first_token_ms, look.samples) == (pytest.approx(120), 100, 11)
    for _ in range(40):
        breaker.timed(client, OPENAI, 9_000.0)
        breaker.timed(client, Circuit("chat", "groq"), 50.0)
    slow = ask()
    assert slow.provider == "groq"
    assert slow.route["reason"] == "default; quicker than openai"


def test_who_speaks_first_is_heard_and_both_are_paid(
    far_ends: dict[str, FarEnd], ask: Ask, client: "redis.Redis", policy: Callable[..., None], tenant: UUID
) -> None:
    policy(hedge=True)
    for _ in range(30):
        breaker.timed(client, OPENAI, 40.0)
    far_ends["openai"].reply = lambda exchange: exchange.far_end.closing.wait(1) and None
    answered = ask()
    assert answered.provider == "groq"
    outcomes = {each["provider"]: each["outcome"] for each in answered.route["attempts"]}
    assert outcomes == {"openai": "lost", "groq": "answered"}
    costs = spent(tenant)
    assert set(costs) == {"openai", "groq"}
    assert all(cost > 0 for cost in costs.values())
    assert provider_health.state(client, OPENAI) is State.CLOSED


def spent(tenant: UUID) -> dict[str, float]:
    with tenant_session(tenant) as session:
        return {use.provider: float(use.cost_usd) for use in usage.of_month(session, quotas.this_month()).models}


def test_without_redis_answers_come_all_the_same(
    far_ends: dict[str, FarEnd], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuits, "get_redis", lambda: open_redis("redis://127.0.0.1:1/0"))
    assert ask().provider == "openai"
