"""Evaluations: accepted as rows, claimed by lease, one question of a tenant at a time, kept question by question."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, exists, func, insert, or_, select, text, tuple_, update
from sqlalchemy.orm import Session, aliased

from pipelines.evaluation.sets import Question
from schemas.errors.requests import NotFound, NotReady
from schemas.errors.tree import AuraError
from schemas.errors.work import LeaseLost
from schemas.tables.evaluation import Evaluation, EvaluationQuestion, EvaluationStatus

OPEN = (EvaluationStatus.QUEUED, EvaluationStatus.RUNNING)
MAX_ATTEMPTS = 4
"""Claims without a question done after which the question is left as one that could not be asked."""


def add(
    session: Session,
    tenant_id: UUID,
    user_id: str,
    name: str,
    configurations: Sequence[Mapping[str, Any]],
    questions: Sequence[Question],
) -> Evaluation:
    """Commit a set of questions as queued work."""
    made = Evaluation(
        tenant_id=tenant_id,
        evaluation_id=uuid4(),
        user_id=user_id,
        name=name,
        configurations=[dict(one) for one in configurations],
        total=len(questions),
    )
    session.add(made)
    session.flush()
    of = {"tenant_id": tenant_id, "evaluation_id": made.evaluation_id}
    rows = [{**of, "number": number, **asdict(one)} for number, one in enumerate(questions)]
    session.execute(insert(EvaluationQuestion), [{**row, "answers": list(row["answers"])} for row in rows])
    session.refresh(made)
    return made


def get(session: Session, evaluation_id: UUID) -> Evaluation:
    """Return the tenant's evaluation. Raises NotFound."""
    found = session.scalar(
        select(Evaluation).where(Evaluation.evaluation_id == evaluation_id),
        execution_options={"populate_existing": True},
    )
    if found is None:
        raise NotFound("There is no evaluation with this id.")
    return found


def listing(session: Session, limit: int, after: tuple[datetime, UUID] | None) -> list[Evaluation]:
    """Return the tenant's evaluations, newest first, `limit` at most, those behind `after`."""
    wanted = select(Evaluation).order_by(Evaluation.created_at.desc(), Evaluation.evaluation_id.desc()).limit(limit)
    if after is not None:
        wanted = wanted.where(tuple_(Evaluation.created_at, Evaluation.evaluation_id) < after)
    return list(session.scalars(wanted))


def questions(session: Session, evaluation_id: UUID, limit: int, after: int = -1) -> list[EvaluationQuestion]:
    """Return questions in order, `limit` at most, those behind number `after`."""
    wanted = select(EvaluationQuestion).where(
        EvaluationQuestion.evaluation_id == evaluation_id, EvaluationQuestion.number > after
    )
    return list(session.scalars(wanted.order_by(EvaluationQuestion.number).limit(limit)))


def outcomes(session: Session, evaluation_id: UUID, configuration: int) -> list[tuple[str, dict[str, Any]]]:
    """Return the questions that were asked, each with its outcome in one of the configurations."""
    rows = session.execute(
        select(EvaluationQuestion.question, EvaluationQuestion.outcomes[configuration])
        .where(EvaluationQuestion.evaluation_id == evaluation_id, EvaluationQuestion.outcomes.is_not(None))
        .order_by(EvaluationQuestion.number)
    )
    return [(question, outcome) for question, outcome in rows if outcome is not None]


def claim(session: Session, tenant_id: UUID, evaluation_id: UUID, lease_s: float) -> Evaluation | None:
    """Take the evaluation for `lease_s` seconds; None where it is not due, or a question of the tenant is asked now."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"aura.evaluation.{tenant_id}", 0))))
    other = aliased(Evaluation)
    busy = exists().where(other.tenant_id == tenant_id, other.status.in_(OPEN), other.lease_until > func.now())
    return session.scalar(
        update(Evaluation)
        .where(Evaluation.evaluation_id == evaluation_id, Evaluation.status.in_(OPEN))
        .where(or_(Evaluation.lease_until.is_(None), Evaluation.lease_until < func.now()), ~busy)
        .where(Evaluation.due_at <= func.now())
        .values(
            status=EvaluationStatus.RUNNING,
            attempts=Evaluation.attempts + 1,
            lease_token=uuid4(),
            lease_until=func.now() + timedelta(seconds=lease_s),
        )
        .returning(Evaluation)
        .execution_options(populate_existing=True, synchronize_session=False)
    )


def renew(session: Session, evaluation: Evaluation, lease_s: float) -> bool:
    """Prolong the lease; False where it is ours no more."""
    return _change(session, evaluation, lease_until=func.now() + timedelta(seconds=lease_s))


def next_question(session: Session, evaluation: Evaluation) -> EvaluationQuestion | None:
    """Return the first question that was not asked yet."""
    return session.scalar(
        select(EvaluationQuestion)
        .where(EvaluationQuestion.evaluation_id == evaluation.evaluation_id, EvaluationQuestion.outcomes.is_(None))
        .order_by(EvaluationQuestion.number)
        .limit(1)
    )


def keep(session: Session, evaluation: Evaluation, number: int, found: Sequence[Mapping[str, Any]]) -> None:
    """Keep what came of a question. Raises LeaseLost where the evaluation was cancelled or is another's now."""
    if not _change(session, evaluation, done=Evaluation.done + 1, attempts=1):
        raise LeaseLost
    session.execute(
        update(EvaluationQuestion)
        .where(EvaluationQuestion.evaluation_id == evaluation.evaluation_id, EvaluationQuestion.number == number)
        .values(outcomes=[dict(one) for one in found])
    )


def release(session: Session, evaluation: Evaluation, results: Sequence[Mapping[str, Any]], in_s: float = 0) -> bool:
    """Let the evaluation go, to go on `in_s` seconds from now, with its figures so far; False where it is not ours."""
    values: dict[str, Any] = {"results": list(results)} if results else {}
    due = func.now() + timedelta(seconds=in_s)
    return _change(
        session, evaluation, lease_token=None, lease_until=None, due_at=due, enqueued_at=func.now(), **values
    )


def finish(
    session: Session,
    evaluation: Evaluation,
    status: EvaluationStatus,
    results: Sequence[Mapping[str, Any]],
    error: AuraError | None = None,
) -> bool:
    """End the evaluation with its figures; False where it is ours no more."""
    return _change(
        session,
        evaluation,
        status=status,
        results=list(results),
        lease_token=None,
        lease_until=None,
        completed_at=func.now(),
        error_code=error.code if error else None,
        error_detail=error.detail if error else None,
    )


def cancel(session: Session, evaluation_id: UUID) -> Evaluation:
    """End an evaluation that goes on; what was asked is kept. Raises NotFound, NotReady where it has ended."""
    ended = session.scalar(
        update(Evaluation)
        .where(Evaluation.evaluation_id == evaluation_id, Evaluation.status.in_(OPEN))
        .values(
            status=EvaluationStatus.CANCELLED, lease_token=None, lease_until=None, completed_at=func.clock_timestamp()
        )
        .returning(Evaluation)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    if ended is None:
        get(session, evaluation_id)
        raise NotReady("The evaluation has ended already.")
    return ended


def remove(session: Session, evaluation_id: UUID) -> None:
    """Delete an evaluation with its questions, also one that goes on. Raises NotFound."""
    gone = session.execute(
        delete(Evaluation).where(Evaluation.evaluation_id == evaluation_id).returning(Evaluation.evaluation_id)
    )
    if gone.one_or_none() is None:
        raise NotFound("There is no evaluation with this id.")


def waiting(session: Session) -> UUID | None:
    """Return the tenant's evaluation that has waited longest for its next question."""
    return session.scalar(
        select(Evaluation.evaluation_id)
        .where(Evaluation.status.in_(OPEN), Evaluation.due_at <= func.now(), Evaluation.lease_token.is_(None))
        .order_by(Evaluation.enqueued_at)
        .limit(1)
    )


def take_due(session: Session, at_most: int = 100) -> list[tuple[UUID, UUID]]:
    """Return evaluations that are due and that nobody holds, over all tenants, marked as enqueued now."""
    rows = session.execute(text("SELECT * FROM take_due_evaluations(:at_most)"), {"at_most": at_most})
    return [(tenant_id, evaluation_id) for tenant_id, evaluation_id in rows]


def _change(session: Session, evaluation: Evaluation, **values: object) -> bool:
    done = session.execute(
        update(Evaluation)
        .where(
            Evaluation.evaluation_id == evaluation.evaluation_id,
            Evaluation.lease_token == evaluation.lease_token,
            Evaluation.status == EvaluationStatus.RUNNING,
        )
        .values(**values)
        .returning(Evaluation.evaluation_id)
        .execution_options(synchronize_session=False)
    )
    return done.one_or_none() is not None
