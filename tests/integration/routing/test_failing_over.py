"""A provider that fails before its first word is followed by the next; after it nothing is repeated."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
import redis

from pipelines.providers.servers import PRICES
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import provider_health
from pipelines.stores.operations.provider_health import Circuit, State
from pipelines.stores.organisation import quotas, usage
from schemas.tables.dialogue import TurnStatus
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd, Reply
from tests.integration.routing.conftest import Ask, forget_settings

PRICE = Decimal(str(PRICES["grok-4.3"].of_tokens(1000, 100)))

FAULTS: dict[str, Callable[[], Reply]] = {
    "silence before the head": lambda: lambda exchange: exchange.far_end.closing.wait(60) and None,
    "silence after the head": lambda: fakes.then_silence(fakes.chunk("")),
    "429": lambda: fakes.failure(429, Retry_After="20"),
    "500": lambda: fakes.failure(500),
    "a refused key": lambda: fakes.failure(401),
    "a refused request": lambda: fakes.failure(400),
    "cut before the first word": lambda: fakes.events(fakes.chunk(""), cut=True),
    "an empty answer": lambda: fakes.answer(""),
    "a page": lambda: fakes.page("<html>Sign in</html>"),
    "wrong JSON": lambda: fakes.events(b"data: {nonsense\n\n"),
    "another shape": lambda: fakes.events(b'data: {"choices": 7}\n\n'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_next_provider_answers(
    far_ends: dict[str, FarEnd], ask: Ask, admin: psycopg.Connection, tenant: UUID, fault: str
) -> None:
    far_ends["openai"].reply = FAULTS[fault]()
    answered = ask()
    assert answered.route["attempts"][0]["ms"] < 20_000, "the client is loaded with the first call"
    assert (answered.status, answered.provider) == (TurnStatus.COMPLETED, "groq")
    assert [attempt["outcome"] == "answered" for attempt in answered.route["attempts"]] == [False, True]
    assert [attempt["provider"] for attempt in answered.route["attempts"]] == ["openai", "groq"]
    held = admin.execute("SELECT FROM usage_events WHERE tenant_id = %s AND held_until IS NOT NULL", (tenant,))
    assert held.rowcount == 0
    assert len(far_ends["openai"].asked) == len(far_ends["groq"].asked) == 1


def test_the_rules_of_the_reference_text_choose(far_ends: dict[str, FarEnd], ask: Ask) -> None:
    quick, reasoned, spoken = ask(), ask("Compare the two bicycles."), ask("Compare them.", spoken=True)
    assert [each.provider for each in (quick, reasoned, spoken)] == ["openai", "grok", "groq"]
    assert (quick.route["rule"], reasoned.route["rule"]) == ("default", "complex reasoning")


def test_when_none_answers_the_composer_does(far_ends: dict[str, FarEnd], ask: Ask) -> None:
    for end in far_ends.values():
        end.reply = fakes.failure(503)
    answered = ask()
    assert (answered.status, answered.provider) == (TurnStatus.COMPLETED, "local")
    assert answered.route["fallback"]
    assert "900 euros" in (answered.answer or "")


def test_a_policy_may_forbid_the_composer(far_ends: dict[str, FarEnd], ask: Ask, policy: Callable[..., None]) -> None:
    policy(avoid=["local"])
    for end in far_ends.values():
        end.reply = fakes.failure(503)
    answered = ask()
    assert (answered.status, answered.error_code) == (TurnStatus.FAILED, "provider_unavailable")
    assert len(answered.route["attempts"]) == 3


def test_a_policy_prefers_avoids_and_limits(far_ends: dict[str, FarEnd], ask: Ask, policy: Callable[..., None]) -> None:
    policy(prefer=["grok-4.3"])
    assert ask().route["reason"] == "preferred by the policy"
    policy(avoid=["openai", "groq"])
    assert ask().provider == "grok"
    policy(max_cost_usd_per_answer=0.001)
    assert ask().provider == "groq"
    policy(max_cost_usd_per_answer=0)
    assert ask().provider == "local"


def test_a_written_answer_that_breaks_off_fails_with_what_was_said(far_ends: dict[str, FarEnd], ask: Ask) -> None:
    far_ends["openai"].reply = fakes.events(fakes.chunk("A bicycle costs"), cut=True)
    answered = ask()
    assert (answered.status, answered.error_code) == (TurnStatus.FAILED, "answer_cut_short")
    assert answered.answer == "A bicycle costs"
    assert far_ends["groq"].asked == far_ends["grok"].asked == []


def test_a_spoken_answer_that_breaks_off_says_so(far_ends: dict[str, FarEnd], ask: Ask, client: "redis.Redis") -> None:
    far_ends["groq"].reply = fakes.then_silence(fakes.chunk("A bicycle costs"))
    answered = ask(spoken=True)
    assert answered.error_code is None
    assert (answered.answer or "").startswith("A bicycle costs I am sorry, my answer broke off here.")
    assert answered.route["cut_short"]
    for _ in range(2):
        ask(spoken=True)
    assert provider_health.state(client, Circuit("chat", "groq")) is State.OPEN


def test_an_answer_at_its_limit_says_that_it_is_cut(far_ends: dict[str, FarEnd], ask: Ask) -> None:
    far_ends["openai"].reply = fakes.events(fakes.chunk("A bicycle"), fakes.chunk(finish="length"), fakes.DONE)
    answered = ask()
    assert (answered.status, answered.answer) == (TurnStatus.COMPLETED, "A bicycle […]")
    assert answered.route["cut_short"]
    assert far_ends["openai"].asked[0].json["max_completion_tokens"] == 1000


def test_every_call_that_answered_is_paid_once(far_ends: dict[str, FarEnd], ask: Ask, tenant: UUID) -> None:
    far_ends["grok"].reply = fakes.failure(500)
    ask("Explain it.")
    far_ends["grok"].reply = fakes.answer("Because.", usage=(1000, 100))
    ask("Explain it again.")
    with tenant_session(tenant) as session:
        month = usage.of_month(session, quotas.this_month())
    openai = Decimal(str(PRICES["gpt-5.4-mini"].of_tokens(1000, 100)))
    assert {use.provider: (use.calls, use.cost_usd) for use in month.models} == {
        "grok": (1, PRICE),
        "openai": (1, openai),
    }


def test_a_named_provider_is_followed_by_the_composer_alone(
    far_ends: dict[str, FarEnd], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURA_CHAT_PROVIDER", "grok")
    forget_settings()
    assert ask().provider == "grok"
    far_ends["grok"].reply = fakes.failure(500)
    assert ask().provider == "local"
    assert far_ends["openai"].asked == far_ends["groq"].asked == []
