"""Conversations: whose they are, what was said in them, what a summary holds, and listing, naming and deleting them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipelines.turn.prompting.memory import Exchange
from schemas.errors.requests import NotFound
from schemas.tables.dialogue import Conversation, Message, Turn
from schemas.tables.memory import ConversationSummary

Place = tuple[datetime, UUID]
"""A place in a listing: a time and what tells rows of the same time apart."""

MAX_READ = 200
"""Exchanges that are read at most for a prompt."""

TITLE_CHARS = 80
PREVIEW_CHARS = 200


@dataclass(frozen=True)
class Listed:
    """A conversation as a listing shows it. `title` is its user's, else how its first question begins."""

    conversation: Conversation
    title: str
    last_message: str
    messages: int
    turns: int
    summarised: bool


def owner(session: Session, conversation_id: UUID) -> str | None:
    """Return the id of the user whose conversation it is; None where there is none with this id."""
    return session.scalar(select(Conversation.user_id).where(Conversation.conversation_id == conversation_id))


def get(session: Session, conversation_id: UUID, user_id: str | None) -> Conversation:
    """Return a conversation; with a `user_id`, only that user's. Raises NotFound."""
    question = select(Conversation).where(Conversation.conversation_id == conversation_id)
    if user_id is not None:
        question = question.where(Conversation.user_id == user_id)
    found = session.scalar(question)
    if found is None:
        raise NotFound("There is no conversation with this id.")
    return found


def keep(session: Session, conversation_id: UUID) -> None:
    """See to it that the conversation is there until this transaction ends. Raises NotFound."""
    question = select(Conversation.conversation_id).where(Conversation.conversation_id == conversation_id)
    if session.scalar(question.with_for_update(read=True, key_share=True)) is None:
        raise NotFound("There is no conversation with this id.")


def listing(
    session: Session, user_id: str, limit: int, after: Place | None = None, holding: str | None = None
) -> Sequence[Listed]:
    """Return the user's conversations in which something was said, the last active first, behind the place `after`.

    With `holding`, those whose title or messages hold it, in whatever case.
    """
    question = _described().where(Conversation.user_id == user_id, Conversation.last_message_at.is_not(None))
    if holding is not None:
        said = select(Message.turn_id).where(_of_conversation(), Message.content.icontains(holding, autoescape=True))
        question = question.where(or_(Conversation.title.icontains(holding, autoescape=True), said.exists()))
    if after is not None:
        question = question.where(tuple_(Conversation.last_message_at, Conversation.conversation_id) < after)
    newest = (Conversation.last_message_at.desc(), Conversation.conversation_id.desc())
    return [_listed(*row) for row in session.execute(question.order_by(*newest).limit(limit))]


def described(session: Session, conversation: Conversation) -> Listed:
    """Return the conversation as listings show it."""
    question = _described().where(Conversation.conversation_id == conversation.conversation_id)
    return _listed(*session.execute(question).one())


def exchanges(
    session: Session, *of: ColumnElement[bool], limit: int, after: Place | None = None, before: Place | None = None
) -> list[Exchange]:
    """Return at most `limit` exchanges, the newest first: those later than `after` and earlier than `before`."""
    order = tuple_(Message.created_at, Message.turn_id)
    said = {role: func.max(Message.content).filter(Message.role == role) for role in ("user", "assistant")}
    question = (
        select(Message.turn_id, Message.created_at, said["user"], said["assistant"])
        .where(*of)
        .group_by(Message.turn_id, Message.created_at)
    )
    if after is not None:
        question = question.where(order > after)
    if before is not None:
        question = question.where(order < before)
    rows = session.execute(question.order_by(Message.created_at.desc(), Message.turn_id.desc()).limit(limit))
    return [Exchange(turn_id, at, asked or "", answer or "") for turn_id, at, asked, answer in rows]


def of_user(user_id: str) -> ColumnElement[bool]:
    """Return the condition that a message is of the user's conversations."""
    return Message.conversation_id.in_(select(Conversation.conversation_id).where(Conversation.user_id == user_id))


def unsummarised(session: Session, conversation_id: UUID, turn_id: UUID | None = None) -> tuple[str, list[Exchange]]:
    """Return the conversation's summary, empty where there is none, and what it does not cover, oldest first.

    Without what was said in the turn `turn_id`, which is the one to be answered.
    """
    summary = session.scalar(select(ConversationSummary).where(ConversationSummary.conversation_id == conversation_id))
    of = [Message.conversation_id == conversation_id]
    if turn_id is not None:
        of.append(Message.turn_id != turn_id)
    place = (summary.covers_until, summary.covers_turn_id) if summary else None
    found = exchanges(session, *of, limit=MAX_READ, after=place)
    return summary.text if summary else "", found[::-1]


def unsummarised_bytes(session: Session, conversation_id: UUID) -> int:
    """Return how long in bytes that is which the conversation's summary does not cover."""
    covered = select(ConversationSummary.covers_until).where(ConversationSummary.conversation_id == conversation_id)
    question = select(func.coalesce(func.sum(func.octet_length(Message.content)), 0)).where(
        Message.conversation_id == conversation_id,
        Message.created_at > func.coalesce(covered.scalar_subquery(), text("'-infinity'::timestamptz")),
    )
    return session.scalar(question) or 0


def summaries(
    session: Session, user_id: str, limit: int, after: Place | None = None, conversation_id: UUID | None = None
) -> Sequence[ConversationSummary]:
    """Return the summaries of the user's conversations, the newest first, those behind the place `after`."""
    theirs = and_(
        Conversation.tenant_id == ConversationSummary.tenant_id,
        Conversation.conversation_id == ConversationSummary.conversation_id,
        Conversation.user_id == user_id,
    )
    question = select(ConversationSummary).join(Conversation, theirs)
    if conversation_id is not None:
        question = question.where(Conversation.conversation_id == conversation_id)
    if after is not None:
        question = question.where(tuple_(ConversationSummary.updated_at, ConversationSummary.conversation_id) < after)
    newest = (ConversationSummary.updated_at.desc(), ConversationSummary.conversation_id.desc())
    return session.scalars(question.order_by(*newest).limit(limit)).all()


def summarise(
    session: Session, tenant_id: UUID, conversation_id: UUID, summary: str, last: Exchange, **about: Any
) -> bool:
    """Keep the summary of all up to the exchange `last`; False where another already covers as much.

    `about` is `turns`, how many it newly covers, `tokens`, and `made_by`.
    """
    row = {"tenant_id": tenant_id, "conversation_id": conversation_id, "text": summary}
    said = insert(ConversationSummary).values(**row, covers_until=last.at, covers_turn_id=last.turn_id, **about)
    names = ("text", "covers_until", "covers_turn_id", "tokens", "made_by")
    covered = tuple_(ConversationSummary.covers_until, ConversationSummary.covers_turn_id)
    question = said.on_conflict_do_update(
        index_elements=[ConversationSummary.tenant_id, ConversationSummary.conversation_id],
        set_={
            **{name: said.excluded[name] for name in names},
            "turns": ConversationSummary.turns + said.excluded.turns,
            "updated_at": func.now(),
        },
        where=covered < tuple_(said.excluded.covers_until, said.excluded.covers_turn_id),
    ).returning(ConversationSummary.conversation_id)
    return session.scalar(question) is not None


def _described() -> Select[Any]:
    last = select(Message.content).where(_of_conversation()).order_by(Message.created_at.desc(), Message.turn_id.desc())
    first = select(Message.content).where(_of_conversation(), Message.role == "user").order_by(Message.created_at)
    return select(
        Conversation,
        first.limit(1).scalar_subquery(),
        last.order_by(Message.role).limit(1).scalar_subquery(),
        select(func.count()).where(_of_conversation()).select_from(Message).scalar_subquery(),
        select(func.count())
        .where(Turn.tenant_id == Conversation.tenant_id, Turn.conversation_id == Conversation.conversation_id)
        .select_from(Turn)
        .scalar_subquery(),
        select(ConversationSummary.conversation_id)
        .where(ConversationSummary.conversation_id == Conversation.conversation_id)
        .exists(),
    )


def _listed(
    conversation: Conversation, first: str | None, last: str | None, messages: int, turns: int, summarised: bool
) -> Listed:
    title = conversation.title or _cut(first or "", TITLE_CHARS)
    return Listed(conversation, title, _cut(last or "", PREVIEW_CHARS), messages, turns, summarised)


def _of_conversation() -> ColumnElement[bool]:
    return and_(Message.tenant_id == Conversation.tenant_id, Message.conversation_id == Conversation.conversation_id)


def _cut(text: str, most: int) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
