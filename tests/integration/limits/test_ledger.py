"""Money: what is spent and held never passes the budget, and a month is the sum of its calls."""

import random
from datetime import date
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from pipelines.stores.database import tenant_session
from pipelines.stores.organisation import quotas, usage
from pipelines.stores.organisation.usage import Spent
from schemas.errors.callers import BudgetExceeded
from tests.integration.limits.acting import SetLimits, at_once

MONTH = quotas.this_month()


def hold(tenant: UUID, estimate_usd: float = 0.1) -> UUID:
    with tenant_session(tenant) as session:
        return usage.hold(session, "chat", "openai", "gpt-5.4-mini", estimate_usd, 300)


def settle(tenant: UUID, usage_id: UUID, cost_usd: float) -> Decimal | None:
    with tenant_session(tenant) as session:
        return usage.settle(session, usage_id, Spent(100, 10, cost_usd=cost_usd))


def of_month(tenant: UUID, month: date = MONTH) -> usage.Month:
    with tenant_session(tenant) as session:
        return usage.of_month(session, month)


def passes(tenant: UUID, estimate_usd: float = 0.1) -> bool:
    try:
        hold(tenant, estimate_usd)
    except BudgetExceeded:
        return False
    return True


def test_of_calls_at_once_exactly_those_pass_that_the_budget_covers(limited: SetLimits) -> None:
    tenant = limited(max_monthly_cost_usd="0.70")
    assert sum(at_once(20, lambda _: passes(tenant))) == 7


def test_spent_and_held_together_never_pass_the_budget(limited: SetLimits, admin: psycopg.Connection) -> None:
    tenant = limited(max_monthly_cost_usd="1.00")
    chance = random.Random(7)
    prices = [chance.choice([0.0, 0.02, 0.05, 0.1]) for _ in range(60)]

    def call(i: int) -> None:
        for price in prices[i::20]:
            try:
                usage_id = hold(tenant)
            except BudgetExceeded:
                continue
            settle(tenant, usage_id, price)

    at_once(20, call)
    month = of_month(tenant)
    assert 0 < month.cost_usd <= 1
    total = admin.execute("SELECT sum(cost_usd), sum(input_tokens) FROM usage_events WHERE tenant_id = %s", (tenant,))
    assert total.fetchone() == (month.cost_usd, month.input_tokens)


def test_the_real_price_takes_the_place_of_what_was_held(limited: SetLimits) -> None:
    tenant = limited(max_monthly_cost_usd="0.20")
    first, second = hold(tenant), hold(tenant)
    assert not passes(tenant)
    assert settle(tenant, first, 0.03) == Decimal("0.03")
    assert not passes(tenant)
    assert settle(tenant, second, 0.05) == Decimal("0.08")
    assert passes(tenant)
    assert not passes(tenant, 0.03)


def test_a_call_is_settled_once(tenant: UUID) -> None:
    usage_id = hold(tenant)
    assert settle(tenant, usage_id, 0.03) == Decimal("0.03")
    assert settle(tenant, usage_id, 0.03) is None
    assert of_month(tenant).cost_usd == Decimal("0.03")


def test_what_a_dead_worker_held_is_free_again(limited: SetLimits, admin: psycopg.Connection) -> None:
    tenant = limited(max_monthly_cost_usd="0.10")
    usage_id = hold(tenant)
    assert not passes(tenant)
    admin.execute("UPDATE usage_events SET held_until = now() - interval '1 s' WHERE usage_id = %s", (usage_id,))
    assert passes(tenant)
    # It was only slow: what it paid counts all the same.
    assert settle(tenant, usage_id, 0.1) == Decimal("0.1")


def test_a_call_that_cost_nothing_leaves_nothing(limited: SetLimits) -> None:
    tenant = limited(max_monthly_cost_usd="0.10")
    usage_id = hold(tenant)
    with tenant_session(tenant) as session:
        usage.release(session, usage_id)
    assert of_month(tenant).models == ()
    assert passes(tenant)


def test_a_budget_of_nothing_lets_nothing_paid_through(limited: SetLimits) -> None:
    assert not passes(limited(max_monthly_cost_usd="0"), 0.000001)


def test_without_a_budget_no_call_waits_for_another(tenant: UUID, admin: psycopg.Connection) -> None:
    with tenant_session(tenant) as session:
        usage.hold(session, "chat", "openai", "gpt-5.4-mini", 1.0, 300)
        assert passes(tenant)
    assert admin.execute("SELECT FROM usage_months WHERE tenant_id = %s", (tenant,)).rowcount == 0


def test_fractions_of_a_microdollar_add_up(tenant: UUID) -> None:
    with tenant_session(tenant) as session:
        for _ in range(3):
            usage.record(session, "embedding", "openai", "text-embedding-3-small", Spent(5, cost_usd=1e-7))
    assert of_month(tenant).cost_usd == Decimal("0.000003")


def test_a_free_call_is_seen_and_costs_nothing(tenant: UUID, admin: psycopg.Connection) -> None:
    with tenant_session(tenant) as session:
        assert usage.record(session, "speech", "local", "piper-joe", Spent(seconds=2.5)) is None
    assert of_month(tenant).models == (
        usage.ModelUse("speech", "local", "piper-joe", 1, 0, 0, 2.5, Decimal("0.000000")),
    )
    assert admin.execute("SELECT FROM usage_months WHERE tenant_id = %s", (tenant,)).rowcount == 0


def test_a_call_counts_in_the_month_in_which_it_began(tenant: UUID, admin: psycopg.Connection) -> None:
    usage_id = hold(tenant)
    admin.execute("UPDATE usage_events SET created_at = %s WHERE usage_id = %s", ("2026-01-31T23:59:59Z", usage_id))
    settle(tenant, usage_id, 0.04)
    january, february = of_month(tenant, date(2026, 1, 1)), of_month(tenant, date(2026, 2, 1))
    assert (january.cost_usd, february.cost_usd) == (Decimal("0.04"), 0)
    assert [len(month.models) for month in (january, february)] == [1, 0]


def test_tenants_spend_apart(limited: SetLimits) -> None:
    one, other = (limited(max_monthly_cost_usd="0.10") for _ in range(2))
    settle(one, hold(one), 0.1)
    assert not passes(one)
    assert passes(other)
    with pytest.raises(BudgetExceeded), tenant_session(one) as session:
        usage.hold(session, "chat", "openai", "gpt-5.4-mini", 0.1, 300)
