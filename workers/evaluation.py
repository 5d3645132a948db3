"""Asks the questions of evaluations beside live turns: one of a tenant at a time, for a slice of seconds a task."""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog

from pipelines.evaluation import report
from pipelines.evaluation.judging import Outcome
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import evaluations
from schemas.errors.callers import BudgetExceeded
from schemas.errors.files import TooManyAttempts
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import NotFound
from schemas.errors.tree import AuraError, Transient
from schemas.errors.work import LeaseLost
from schemas.events import Event, EventName, Subject
from schemas.tables.evaluation import Evaluation, EvaluationQuestion, EvaluationStatus
from workers import announce, send
from workers.app import app
from workers.dialogue import questioning
from workers.process import leases

log = structlog.get_logger()

LEASE_S = 30.0
SLICE_S = 3.0
"""After so long others of the queue have their turn."""

FIRST_WAIT_S, MAX_WAIT_S = 5.0, 60.0
"""A provider that is away is asked again after so long, twice as long each time."""

LIVE_FIGURES = 500
"""Questions up to which figures are made anew after each slice; of larger sets they come at the end."""


@app.task(name="workers.evaluation.ask")
def ask(tenant_id: str, evaluation_id: str) -> None:
    """Ask questions of the evaluation for a slice of seconds; the rest is another message."""
    tenant = UUID(tenant_id)
    with tenant_session(tenant) as session:
        evaluation = evaluations.claim(session, tenant, UUID(evaluation_id), LEASE_S)
    if evaluation is None:
        return
    try:
        with leases.kept(lambda: _renew(evaluation), LEASE_S / 3):
            _ask(evaluation)
    except (LeaseLost, NotFound, StoreUnavailable):
        return  # Cancelled, deleted, or another's; or its lease runs out, and the sweep finds it.


def results(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return the figures of each configuration over what was asked so far."""
    found = []
    with tenant_session(evaluation.tenant_id, durable=False) as session:
        for number, configuration in enumerate(evaluation.configurations):
            outcomes = [outcome for _, outcome in evaluations.outcomes(session, evaluation.evaluation_id, number)]
            found.append({"name": configuration["name"], **report.figures(outcomes)})
    return found


def told(name: EventName, evaluation: Evaluation, **data: object) -> Event:
    """Return an event of an evaluation."""
    subject = Subject.evaluation(evaluation.tenant_id, evaluation.evaluation_id)
    about = {"evaluation_id": str(evaluation.evaluation_id), "name": evaluation.name, "total": evaluation.total}
    return Event(name, subject, {**about, **data})


def last_event(tenant_id: UUID, evaluation_id: UUID) -> Event | None:
    """Return the event that an evaluation ended with, as its row knows it; None while it goes on. Raises NotFound."""
    with tenant_session(tenant_id) as session:
        found = evaluations.get(session, evaluation_id)
    if found.status in evaluations.OPEN:
        return None
    names = {
        EvaluationStatus.COMPLETED: EventName.EVALUATION_COMPLETED,
        EvaluationStatus.CANCELLED: EventName.EVALUATION_CANCELLED,
    }
    name = names.get(EvaluationStatus(found.status), EventName.EVALUATION_FAILED)
    return told(name, found, done=found.done, code=found.error_code, detail=found.error_detail)


def _ask(evaluation: Evaluation) -> None:
    until = time.monotonic() + SLICE_S
    while True:
        with tenant_session(evaluation.tenant_id, durable=False) as session:
            question = evaluations.next_question(session, evaluation)
        if question is None:
            _finish(evaluation, EvaluationStatus.COMPLETED)
            return
        try:
            found = _outcomes(evaluation, question)
        except Transient as error:
            wait_s = FIRST_WAIT_S * 2**evaluation.attempts
            _put_off(evaluation, min(max(error.retry_after_s, wait_s), MAX_WAIT_S))
            return
        except AuraError as error:
            _finish(evaluation, EvaluationStatus.FAILED, error)
            return
        with tenant_session(evaluation.tenant_id, durable=False) as session:
            evaluations.keep(session, evaluation, question.number, [one.as_json() for one in found])
        evaluation.attempts, evaluation.done = 1, evaluation.done + 1
        if time.monotonic() > until:
            _put_off(evaluation)
            return


def _outcomes(evaluation: Evaluation, question: EvaluationQuestion) -> Sequence[Outcome]:
    """Return what came of a question in each configuration. Raises Transient, BudgetExceeded, UnknownAssistant."""
    if evaluation.attempts > evaluations.MAX_ATTEMPTS:
        # It stopped its worker, or its provider stayed away: the others are not to wait for it.
        lost = Outcome(error=TooManyAttempts.code, should_refuse=not question.answers)
        return [lost] * len(evaluation.configurations)
    return [questioning.ask(evaluation, question, configuration) for configuration in evaluation.configurations]


def _put_off(evaluation: Evaluation, in_s: float = 0) -> None:
    """Let others have their turn, tell how far it is, and go on with what has waited longest."""
    figures = results(evaluation) if evaluation.total <= LIVE_FIGURES else []
    with tenant_session(evaluation.tenant_id, durable=False) as session:
        if not evaluations.release(session, evaluation, figures, in_s):
            return
        following = evaluations.waiting(session)
    announce.many([told(EventName.EVALUATION_PROGRESS, evaluation, done=evaluation.done)])
    if following is not None:
        send.evaluation(evaluation.tenant_id, following)


def _finish(evaluation: Evaluation, status: EvaluationStatus, error: AuraError | None = None) -> None:
    figures = results(evaluation)
    name = EventName.EVALUATION_FAILED if error else EventName.EVALUATION_COMPLETED
    why = {"code": error.code, "detail": error.detail} if error else {}
    with tenant_session(evaluation.tenant_id) as session:
        if not evaluations.finish(session, evaluation, status, figures, error):
            return
        tell = announce.owe(session, evaluation.tenant_id, [told(name, evaluation, done=evaluation.done, **why)])
        following = evaluations.waiting(session)
    tell()
    if isinstance(error, BudgetExceeded):
        log.info("evaluation ended by the budget", done=evaluation.done)
    if following is not None:
        send.evaluation(evaluation.tenant_id, following)


def _renew(evaluation: Evaluation) -> bool:
    with tenant_session(evaluation.tenant_id, durable=False) as session:
        return evaluations.renew(session, evaluation, LEASE_S)
