"""Calls of an evaluation are paid for and bounded as those of turns, and a provider that is away puts it off."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest

from pipelines.evaluation.sets import Question
from pipelines.providers.servers import PRICES
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import evaluations
from pipelines.stores.organisation import quotas
from pipelines.stores.redis import get_redis
from schemas.settings import get_settings
from schemas.tables.evaluation import Evaluation
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd
from tests.integration.whole_stack import vector_of
from workers import evaluation as evaluating
from workers import send, wiring

MODEL = "gpt-5.4-mini"
PRICE = PRICES[MODEL].of_tokens(1000, 100)
CONFIGURATION = {"name": "as set", "assistant_key": "default-assistant"}


@pytest.fixture
def models(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarEnd]:
    """Yield the far end of a chat model that has a price, and of a free embedder."""
    with fakes.far_end() as fake:
        given = {"CHAT_PROVIDER": "custom", "CHAT_BASE_URL": fake.url, "CHAT_MODEL": MODEL, "EMBEDDER": "custom"}
        given |= {"EMBEDDING_BASE_URL": fake.url, "EMBEDDING_MODEL": "words", "CUSTOM_API_KEY": "k"}
        for name, value in given.items():
            monkeypatch.setenv(f"AURA_{name}", value)
        _forget_settings()
        fake.reply = answers
        yield fake
    monkeypatch.undo()
    _forget_settings()
    get_redis().delete(*send.QUEUES)


def _forget_settings() -> None:
    get_settings.cache_clear()
    wiring._shared.cache_clear()


def answers(exchange: Exchange) -> None:
    if exchange.asked.path.endswith("/embeddings"):
        fakes.embeddings(vector_of)(exchange)
    else:
        fakes.answer("I do not know that.", usage=(1000, 100))(exchange)


def away(exchange: Exchange) -> None:
    if exchange.asked.path.endswith("/embeddings"):
        fakes.embeddings(vector_of)(exchange)
    else:
        fakes.failure(503)(exchange)


def asked(tenant_id: UUID, count: int = 3) -> Evaluation:
    """Return an evaluation of so many questions after a slice of it."""
    found = [Question(f"Question {uuid4()}?") for _ in range(count)]
    with tenant_session(tenant_id) as session:
        made = evaluations.add(session, tenant_id, "tester", "Set", [CONFIGURATION], found)
    evaluating.ask.run(str(tenant_id), str(made.evaluation_id))
    with tenant_session(tenant_id) as session:
        return evaluations.get(session, made.evaluation_id)


def test_what_it_costs_is_counted(tenant: UUID, models: FarEnd, admin: psycopg.Connection) -> None:
    done = asked(tenant)
    assert (done.status, done.done) == ("completed", 3)
    [figures] = done.results
    assert figures["cost_usd"] == pytest.approx(3 * PRICE, abs=1e-5)
    assert figures["refused_rightly"] == 1.0
    row = admin.execute(
        "SELECT count(*), sum(cost_usd)::float FROM usage_events WHERE tenant_id = %s AND kind = 'chat'", (tenant,)
    ).fetchone()
    assert row == (3, pytest.approx(3 * PRICE, abs=1e-5))


def test_it_ends_where_the_budget_does(tenant: UUID, models: FarEnd, admin: psycopg.Connection) -> None:
    admin.execute("UPDATE tenants SET max_monthly_cost_usd = %s WHERE tenant_id = %s", (0.000001, tenant))
    quotas.forget(tenant)
    done = asked(tenant)
    assert (done.status, done.error_code, done.done) == ("failed", "budget_exceeded", 0)
    assert [one.path for one in models.asked if one.path.endswith("/chat/completions")] == []


def test_a_provider_that_is_away_puts_it_off_and_is_not_waited_for_for_ever(
    tenant: UUID, models: FarEnd, admin: psycopg.Connection
) -> None:
    models.reply = away
    found = asked(tenant)
    assert (found.status, found.done, found.lease_token) == ("running", 0, None)
    waits = admin.execute(
        "SELECT due_at > now() + interval '3 s' FROM evaluations WHERE evaluation_id = %s", (found.evaluation_id,)
    ).fetchone()
    assert waits == (True,)
    admin.execute(
        "UPDATE evaluations SET due_at = now(), attempts = %s WHERE evaluation_id = %s",
        (evaluations.MAX_ATTEMPTS, found.evaluation_id),
    )
    evaluating.ask.run(str(tenant), str(found.evaluation_id))
    with tenant_session(tenant) as session:
        [first, second, _] = evaluations.questions(session, found.evaluation_id, 3)
    assert first.outcomes is not None
    assert first.outcomes[0]["error"] == "too_many_attempts"
    assert second.outcomes is None


def test_a_provider_that_comes_back_is_asked_again(tenant: UUID, models: FarEnd, admin: psycopg.Connection) -> None:
    models.reply = away
    found = asked(tenant)
    models.reply = answers
    admin.execute("UPDATE evaluations SET due_at = now() WHERE evaluation_id = %s", (found.evaluation_id,))
    evaluating.ask.run(str(tenant), str(found.evaluation_id))
    with tenant_session(tenant) as session:
        done = evaluations.get(session, found.evaluation_id)
    assert (done.status, done.done, done.results[0]["errors"]) == ("completed", 3, 0)
