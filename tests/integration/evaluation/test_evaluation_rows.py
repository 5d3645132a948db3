"""Rows of evaluations: one question of a tenant at a time, resumed where a worker died, ended by who cancels."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from pipelines.evaluation.sets import Question
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.knowledge import evaluations
from schemas.errors.requests import NotFound
from schemas.errors.work import LeaseLost
from schemas.tables.evaluation import Evaluation


def made(tenant_id: UUID, count: int = 3) -> Evaluation:
    asked = [Question(f"Question {n}?", ("yes",)) for n in range(count)]
    with tenant_session(tenant_id) as session:
        return evaluations.add(session, tenant_id, "tester", "Set", [{"name": "as set"}], asked)


def claimed(tenant_id: UUID, evaluation: Evaluation) -> Evaluation | None:
    with tenant_session(tenant_id) as session:
        return evaluations.claim(session, tenant_id, evaluation.evaluation_id, 30)


def test_one_evaluation_of_a_tenant_is_asked_at_a_time(new_tenant: Callable[[], UUID]) -> None:
    tenant_id, other = new_tenant(), new_tenant()
    first, second, theirs = made(tenant_id), made(tenant_id), made(other)
    held = claimed(tenant_id, first)
    assert held is not None
    assert claimed(tenant_id, second) is None
    assert claimed(tenant_id, first) is None
    assert claimed(other, theirs) is not None
    with tenant_session(tenant_id) as session:
        assert evaluations.release(session, held, [])
        assert evaluations.waiting(session) == second.evaluation_id  # It has waited longer.
    assert claimed(tenant_id, second) is not None


def test_another_worker_goes_on_where_one_died(tenant: UUID, admin: psycopg.Connection) -> None:
    evaluation = made(tenant)
    held = claimed(tenant, evaluation)
    assert held is not None
    with tenant_session(tenant) as session:
        first = evaluations.next_question(session, held)
        assert first is not None
        evaluations.keep(session, held, first.number, [{"answer": "yes"}])
    admin.execute("UPDATE evaluations SET lease_until = now() - interval '1 s', enqueued_at = '2020-01-01'")
    with operator_session() as session:
        assert (tenant, evaluation.evaluation_id) in evaluations.take_due(session)
        assert (tenant, evaluation.evaluation_id) not in evaluations.take_due(session)
    again = claimed(tenant, evaluation)
    assert again is not None
    assert (again.done, again.attempts) == (1, 2)
    with tenant_session(tenant) as session:
        following = evaluations.next_question(session, again)
        assert following is not None
        assert following.number == 1
        with pytest.raises(LeaseLost):
            evaluations.keep(session, held, 1, [{"answer": "late"}])


def test_what_was_cancelled_takes_no_more_outcomes(tenant: UUID) -> None:
    evaluation = made(tenant)
    held = claimed(tenant, evaluation)
    assert held is not None
    with tenant_session(tenant) as session:
        evaluations.cancel(session, evaluation.evaluation_id)
    with tenant_session(tenant) as session, pytest.raises(LeaseLost):
        evaluations.keep(session, held, 0, [{"answer": "late"}])
    assert claimed(tenant, evaluation) is None


def test_a_foreign_evaluation_is_not_there(new_tenant: Callable[[], UUID]) -> None:
    mine, theirs = new_tenant(), new_tenant()
    evaluation = made(theirs)
    with tenant_session(mine) as session:
        for act in (evaluations.get, evaluations.cancel, evaluations.remove):
            with pytest.raises(NotFound):
                act(session, evaluation.evaluation_id)
        assert evaluations.questions(session, evaluation.evaluation_id, 10) == []
        assert evaluations.listing(session, 10, None) == []
