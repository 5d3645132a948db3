"""Questions that could not be answered, each once for all its spellings, until somebody answers or dismisses it."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipelines.ports.passages import Passage
from pipelines.turn.prompting.preferences import hear
from pipelines.turn.wording.asked import small_talk, subject
from pipelines.turn.wording.phrases import is_refusal, language_of, phrases
from pipelines.turn.wording.words import words
from schemas.errors.requests import NotFound
from schemas.tables.dialogue import Turn
from schemas.tables.memory import QuestionState, UnansweredQuestion

LOW = 0.6
"""Confidence below which an answer counts as none, whatever it says."""

MAX_QUESTION_CHARS = 2_000
NEAREST = 3
MAX_EXCERPT_CHARS = 300


def note(
    session: Session,
    turn: Turn,
    answer: str,
    cited: Sequence[Mapping[str, Any]],
    passages: Sequence[Passage],
) -> UUID | None:
    """Write down the turn's question where its answer is none, and return the entry's id; else None.

    An answer is none where the ground was thin, or where it refuses: in words of ours, or as a model does,
    by naming no source. For the transaction that keeps the answer.
    """
    question = hear(turn.question or "").question
    normalised = normal(question)
    if not turn.search_knowledge or not normalised or small_talk(question, phrases(language_of(question))) is not None:
        return None
    confidence = turn.confidence or 0.0
    refused = is_refusal(answer) or not cited
    if confidence >= LOW and not refused:
        return None
    row = {
        "tenant_id": turn.tenant_id,
        "assistant_key": turn.assistant_key,
        "question": question[:MAX_QUESTION_CHARS],
        "normalised": normalised,
        "normalised_sha256": hashlib.sha256(normalised.encode(errors="replace")).hexdigest(),
        "turn_id": turn.turn_id,
        "reason": "refused" if refused else "low_confidence",
        "confidence": confidence,
        "nearest": nearest(passages),
    }
    question_id: UUID | None = session.scalar(_upsert(row, turn))
    session.execute(update(Turn).where(Turn.turn_id == turn.turn_id).values(unanswered_id=question_id))
    return question_id


def normal(question: str) -> str:
    """Return what spellings of one question have in common: its words without their endings, in order."""
    return " ".join(words(subject(question)))[:MAX_QUESTION_CHARS]


def get(session: Session, question_id: UUID, lock: bool = False) -> UnansweredQuestion:
    """Return an unanswered question. Raises NotFound."""
    question = select(UnansweredQuestion).where(UnansweredQuestion.question_id == question_id)
    found = session.scalar(question.with_for_update() if lock else question)
    if found is None:
        raise NotFound("There is no unanswered question with this id.")
    return found


def listing(
    session: Session,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    *,
    state: str | None = None,
    assistant_key: str | None = None,
    text: str | None = None,
) -> Sequence[UnansweredQuestion]:
    """Return questions, the last asked first, those behind the place `after`."""
    order = tuple_(UnansweredQuestion.last_asked_at, UnansweredQuestion.question_id)
    question = select(UnansweredQuestion)
    if state is not None:
        question = question.where(UnansweredQuestion.state == state)
    if assistant_key is not None:
        question = question.where(UnansweredQuestion.assistant_key == assistant_key)
    if text is not None:
        question = question.where(UnansweredQuestion.question.icontains(text, autoescape=True))
    if after is not None:
        question = question.where(order < after)
    newest = (UnansweredQuestion.last_asked_at.desc(), UnansweredQuestion.question_id.desc())
    return session.scalars(question.order_by(*newest).limit(limit)).all()


def decide(
    session: Session, found: UnansweredQuestion, state: QuestionState, who: str, answered_by: UUID | None = None
) -> None:
    """Set where a question stands, and who said so."""
    found.state, found.decided_by, found.answered_by = state, who, answered_by
    found.decided_at = None if state is QuestionState.OPEN else func.clock_timestamp()
    session.flush()
    session.refresh(found)


def of_conversations(session: Session, conversation_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Return the questions that were asked in these conversations."""
    question = select(Turn.unanswered_id).where(Turn.conversation_id.in_(conversation_ids))
    return [found for found in session.scalars(question.distinct()) if found is not None]


def settle(session: Session, question_ids: Sequence[UUID]) -> int:
    """Bring questions in line with the turns that are left, after others were deleted; return how many went.

    A question that nobody else has asked goes; of another, the words of another who asked it stay, and the count.
    """
    gone = 0
    for question_id in question_ids:
        turns = session.execute(
            select(Turn.turn_id, Turn.question)
            .where(Turn.unanswered_id == question_id)
            .order_by(Turn.created_at.desc())
        ).all()
        if turns:
            turn_id, asked = turns[0]
            left = {"turn_id": turn_id, "question": hear(asked or "").question[:MAX_QUESTION_CHARS]}
            change = update(UnansweredQuestion).where(UnansweredQuestion.question_id == question_id)
            session.execute(change.values(count=len(turns), **left))
        else:
            session.execute(delete(UnansweredQuestion).where(UnansweredQuestion.question_id == question_id))
            gone += 1
    return gone


def view(found: UnansweredQuestion) -> dict[str, Any]:
    """Return an unanswered question as clients see it."""
    return {
        "id": str(found.question_id),
        "assistant_key": found.assistant_key,
        "question": found.question,
        "count": found.count,
        "first_asked_at": found.first_asked_at.isoformat(),
        "last_asked_at": found.last_asked_at.isoformat(),
        "turn_id": str(found.turn_id) if found.turn_id else None,
        "reason": found.reason,
        "confidence": round(found.confidence, 3),
        "nearest": found.nearest,
        "state": found.state,
        "answered_by": str(found.answered_by) if found.answered_by else None,
        "decided_at": found.decided_at.isoformat() if found.decided_at else None,
        "decided_by": found.decided_by,
    }


def _upsert(row: Mapping[str, Any], turn: Turn) -> Any:
    said = insert(UnansweredQuestion).values(**row)
    latest = ("question", "turn_id", "reason", "confidence", "nearest")
    # What was answered and is asked in vain again was not answered well.
    in_vain = and_(UnansweredQuestion.state == QuestionState.ANSWERED, UnansweredQuestion.decided_at < turn.created_at)
    return said.on_conflict_do_update(
        constraint="uq_unanswered_questions_wording",
        set_={
            **{name: said.excluded[name] for name in latest},
            "count": UnansweredQuestion.count + 1,
            "last_asked_at": func.now(),
            "state": case((in_vain, QuestionState.OPEN), else_=UnansweredQuestion.state),
        },
    ).returning(UnansweredQuestion.question_id)


def nearest(passages: Sequence[Passage]) -> list[dict[str, Any]]:
    """Return what came nearest to a question, best first, as clients see it."""
    return [
        {
            "document_id": str(passage.doc_id),
            "chunk_id": passage.chunk_id,
            "filename": passage.filename,
            "page": passage.page_from,
            "heading_path": list(passage.heading_path),
            "similarity": round(passage.similarity, 3),
            "text": passage.text[:MAX_EXCERPT_CHARS],
        }
        for passage in passages[:NEAREST]
    ]
