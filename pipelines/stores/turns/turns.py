"""Turns: accepting a question, claiming its steps by lease, and keeping what each step found."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, cast, exists, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from pipelines.ports.models import Said
from pipelines.ports.passages import Box, Passage, Spot
from pipelines.turn.checking.citations import by_sentence
from schemas.errors.requests import NotFound, UnknownAssistant
from schemas.errors.tree import AuraError
from schemas.tables.dialogue import Conversation, Message, Sentence, Turn, TurnStage, TurnStatus
from schemas.tables.tenancy import Agent

OPEN = (TurnStatus.QUEUED, TurnStatus.RUNNING)


def agent(session: Session, assistant_key: str) -> Agent:
    """Return the tenant's assistant. Raises UnknownAssistant."""
    found = session.scalar(select(Agent).where(Agent.assistant_key == assistant_key))
    if found is None:
        raise UnknownAssistant(f"There is no assistant {assistant_key!r}.")
    return found


def open_conversation(
    session: Session, tenant_id: UUID, user_id: str, assistant_key: str, conversation_id: UUID | None = None
) -> UUID:
    """Return the id of the user's conversation, a new one unless an id is given. Raises NotFound."""
    if conversation_id is not None:
        found = session.scalar(
            select(Conversation.conversation_id).where(
                Conversation.conversation_id == conversation_id, Conversation.user_id == user_id
            )
        )
        if found is None:
            raise NotFound("There is no conversation with this id.")
        return found
    opened = Conversation(tenant_id=tenant_id, conversation_id=uuid4(), user_id=user_id, assistant_key=assistant_key)
    session.add(opened)
    session.flush()
    return opened.conversation_id


def get(session: Session, turn_id: UUID, user_id: str | None = None) -> Turn:
    """Return the tenant's turn; with a `user_id`, only of that user's conversations. Raises NotFound."""
    question = select(Turn).where(Turn.turn_id == turn_id)
    if user_id is not None:
        theirs = (Conversation.tenant_id == Turn.tenant_id) & (Conversation.conversation_id == Turn.conversation_id)
        question = question.where(exists().where(theirs, Conversation.user_id == user_id))
    found = session.scalar(question)
    if found is None:
        raise NotFound("There is no turn with this id.")
    return found


def of_conversation(
    session: Session, conversation_id: UUID, limit: int, before: tuple[datetime, UUID] | None = None
) -> Sequence[Turn]:
    """Return at most `limit` turns that were surely asked, the newest first: those earlier than the place `before`."""
    order = tuple_(Turn.created_at, Turn.turn_id)
    question = select(Turn).where(Turn.conversation_id == conversation_id, Turn.confirmed_at.is_not(None))
    if before is not None:
        question = question.where(order < before)
    return session.scalars(question.order_by(Turn.created_at.desc(), Turn.turn_id.desc()).limit(limit)).all()


def history(session: Session, turn: Turn, limit: int = 20) -> tuple[Said, ...]:
    """Return what was said before `turn` in its conversation, oldest first, `limit` messages at most."""
    rows = session.execute(
        select(Message.role, Message.content)
        .where(Message.conversation_id == turn.conversation_id, Message.turn_id != turn.turn_id)
        .order_by(Message.created_at.desc(), Message.turn_id.desc(), Message.role)
        .limit(limit)
    ).all()
    return tuple(Said(role, content) for role, content in reversed(rows))


def history_as_asked(session: Session, turn: Turn, limit: int) -> tuple[Said, ...]:
    """Return as `history` does, each question as it reads without those before it."""
    said = history(session, turn, limit)
    before = session.execute(
        select(Turn.question, Turn.standalone)
        .where(Turn.conversation_id == turn.conversation_id, Turn.turn_id != turn.turn_id, Turn.standalone.is_not(None))
        .order_by(Turn.created_at.desc())
        .limit(limit)
    )
    whole = dict(before.tuples().all())
    return tuple(Said(one.role, whole.get(one.text) or one.text) if one.role == "user" else one for one in said)


def end(session: Session, turn_id: UUID, status: TurnStatus, error: AuraError) -> Turn | None:
    """End the turn as failed or cancelled, its sentences too; None where it had ended already."""
    ended = session.scalar(
        update(Turn)
        .where(Turn.turn_id == turn_id, Turn.status.in_(OPEN))
        .values(
            status=status,
            error_code=error.code,
            error_detail=error.detail,
            lease_token=None,
            completed_at=func.clock_timestamp(),
        )
        .returning(Turn)
    )
    if ended is not None:
        session.execute(
            update(Sentence)
            .where(Sentence.turn_id == turn_id, Sentence.status.in_(OPEN))
            .values(status=TurnStatus.CANCELLED, lease_token=None)
        )
    return ended


def language(session: Session, turn_id: UUID) -> str | None:
    """Return the language of a turn, as far as it is known."""
    return session.scalar(select(Turn.language).where(Turn.turn_id == turn_id))


def take_due(session: Session, idle: Sequence[str], at_most: int = 100) -> list[tuple[UUID, UUID, TurnStage]]:
    """Return turns that are due and that nobody holds, over all tenants, marked as enqueued now."""
    rows = session.execute(
        text("SELECT * FROM take_due_turns(:idle, :at_most)"), {"idle": list(idle), "at_most": at_most}
    )
    return [(tenant_id, turn_id, TurnStage(stage)) for tenant_id, turn_id, stage in rows]


def as_answer(turn: Turn) -> dict[str, Any]:
    """Return a completed turn as clients see it: answer, sources, confidence, costs, waterfall."""
    passages = unpacked(turn.passages)
    ended_at = turn.completed_at or datetime.now(UTC)
    seconds = round((ended_at - turn.created_at).total_seconds(), 3)
    return {
        "response": turn.answer,
        "session_id": str(turn.conversation_id),
        "turn_id": str(turn.turn_id),
        "sources_used": sorted({passage.source for passage in passages}),
        "sources": sources(passages),
        "citations": [_with_page(turn, one) for one in turn.citations],
        "sentences": by_sentence(turn.answer or "", turn.citations),
        "context_confidence": round(turn.confidence or 0.0, 3),
        "knowledge_used": bool(turn.citations),
        "persona_applied": turn.persona_applied,
        "memory": {
            "learned": [_without(wish, "learned") for wish in turn.noticed if wish["learned"]],
            "noticed": [_without(wish, "learned") for wish in turn.noticed if not wish["learned"]],
        },
        "processing_time": seconds,
        "response_time": seconds,
        "cost": float(turn.cost_usd),
        "model_used": turn.model,
        "provider": turn.provider,
        "assistant_key": turn.assistant_key,
        "cache": {name: turn.cache.get(name) for name in ("hit", "kept_at", "cosine", "saved_ms", "saved_usd")},
        "route": turn.route,
        "timings": turn.timings,
        "timestamp": ended_at.isoformat(),
    }


def _with_page(turn: Turn, citation: Mapping[str, Any]) -> dict[str, Any]:
    """Return a citation with the address of the page on which it is marked, where it is on one."""
    if not citation.get("page"):
        return dict(citation)
    place = f"/api/documents/{citation['document_id']}/pages/{citation['page']}"
    return {**citation, "page_image": f"{place}?citation={turn.turn_id}:{citation['number']}"}


def sources(passages: Sequence[Passage]) -> list[str]:
    """Return the file names of the passages, best first, each once."""
    return list(dict.fromkeys(passage.filename for passage in passages))


def packed(passages: Sequence[Passage]) -> list[dict[str, Any]]:
    """Return passages as the JSON that a turn keeps."""
    return [{**asdict(passage), "doc_id": str(passage.doc_id)} for passage in passages]


def unpacked(found: Sequence[Mapping[str, Any]]) -> tuple[Passage, ...]:
    """Return the passages that `packed` wrote."""
    return tuple(
        Passage(
            **{
                **passage,
                "doc_id": UUID(passage["doc_id"]),
                "heading_path": tuple(passage["heading_path"]),
                "boxes": tuple(Box(**box) for box in passage["boxes"]),
                "spots": tuple(Spot(one["start"], Box(**one["box"])) for one in passage.get("spots", ())),
            }
        )
        for passage in found
    )


def _without(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != name}


def merged(timings: Mapping[str, Any]) -> ColumnElement[Any]:
    """Return the turn's waterfall with these added; of a name that was there the new value counts."""
    return Turn.timings.op("||")(cast(dict(timings), JSONB))
