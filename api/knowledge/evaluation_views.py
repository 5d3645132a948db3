"""Evaluations as clients see them."""

from uuid import UUID

from sqlalchemy.orm import Session

from pipelines.evaluation import report
from pipelines.stores.knowledge import evaluations
from schemas.requests.knowledge.evaluations import Compared, EvaluationView, QuestionView
from schemas.tables.evaluation import Evaluation, EvaluationQuestion

MAX_NAMED = 500
"""Questions that a comparison names at most of each kind."""


def evaluation_view(found: Evaluation, against: Compared | None = None) -> EvaluationView:
    """Return an evaluation with its figures so far."""
    return EvaluationView(
        id=found.evaluation_id,
        name=found.name,
        status=found.status,  # type: ignore[arg-type]
        total=found.total,
        done=found.done,
        configurations=found.configurations,
        results=found.results,
        cost_usd=round(sum(one.get("cost_usd") or 0.0 for one in found.results if isinstance(one, dict)), 6),
        code=found.error_code,
        detail=found.error_detail,
        created_at=found.created_at,
        completed_at=found.completed_at,
        against=against,
    )


def question_view(found: EvaluationQuestion) -> QuestionView:
    """Return a question with what came of it."""
    return QuestionView(
        number=found.number,
        question=found.question,
        answers=found.answers,
        source=found.source,
        outcomes=found.outcomes,
    )


def compared(session: Session, after: Evaluation, before_id: UUID, configuration: int) -> Compared:
    """Return which questions got better and which worse since an earlier evaluation. Raises NotFound."""
    before = evaluations.get(session, before_id)
    earlier = dict(evaluations.outcomes(session, before.evaluation_id, configuration))
    later = dict(evaluations.outcomes(session, after.evaluation_id, configuration))
    both = {question: (earlier[question], outcome) for question, outcome in later.items() if question in earlier}
    found = report.compared(both)
    return Compared(
        better=found["better"][:MAX_NAMED],
        worse=found["worse"][:MAX_NAMED],
        same=len(found["same"]),
        missing=len(earlier.keys() ^ later.keys()),
    )
