"""Deleting what is known of a user, or what was said in one conversation: rows, events, sound, and what is owed."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

import redis
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from pipelines.stores import events
from pipelines.stores.database import tenant_session
from pipelines.stores.dialogue import feedback, preferences
from pipelines.stores.events import reaching_redis
from pipelines.stores.knowledge import unanswered
from pipelines.stores.objects import ObjectStore
from pipelines.stores.turns import cancellations, recordings, utterances
from schemas.events import Subject
from schemas.settings import get_settings
from schemas.tables.dialogue import Conversation, Message, Sentence, Turn, TurnStatus
from schemas.tables.hooks import WebhookDelivery
from schemas.tables.identity import TenantUser
from schemas.tables.memory import ConversationSummary, Feedback, MemoryConsent, UserPreference
from schemas.tables.records import IdempotencyKey

AT_ONCE = 200
"""Conversations that are deleted in one transaction."""

PASSES = 3
"""How often it is looked again, where somebody goes on talking while they are forgotten."""

EVENTS_A_READ = 500


def conversation(client: "redis.Redis", tenant_id: UUID, conversation_id: UUID) -> dict[str, int]:
    """Delete a conversation and return how much went with it. Raises StoreUnavailable."""
    return dict(_delete(client, tenant_id, [conversation_id]))


def user(client: "redis.Redis", tenant_id: UUID, user_id: str) -> tuple[dict[str, int], dict[str, int]]:
    """Delete what is known of the user, and return how much that was, and what a second count finds left.

    Conversations with all that was said, what hangs on them in Redis and in the queue of webhooks, preferences
    and consent, feedback, and answers that are kept for repeated requests. What it has cost stays, without a
    word of it. Raises StoreUnavailable.
    """
    gone: Counter[str] = Counter()
    for _ in range(PASSES):
        while ids := _some_conversations(tenant_id, user_id):
            gone += _delete(client, tenant_id, ids)
        gone += _delete_rows(tenant_id, user_id)
        left = counted(tenant_id, user_id)
        if not any(left.values()):
            break
    return dict(gone), left


def counted(tenant_id: UUID, user_id: str) -> dict[str, int]:
    """Return how many rows there are of the user."""
    theirs = Conversation.user_id == user_id
    with tenant_session(tenant_id) as session:
        ids = select(Conversation.conversation_id).where(theirs)
        of_turns = {table: table.conversation_id.in_(ids) for table in (Turn, Message, ConversationSummary)}
        return {
            "conversations": _count(session, Conversation, theirs),
            **{table.__tablename__: _count(session, table, condition) for table, condition in of_turns.items()},
            "user_preferences": _count(session, UserPreference, UserPreference.user_id == user_id),
            "memory_consents": _count(session, MemoryConsent, MemoryConsent.user_id == user_id),
            "feedback": _count(session, Feedback, Feedback.user_id == user_id),
        }


def _some_conversations(tenant_id: UUID, user_id: str) -> Sequence[UUID]:
    with tenant_session(tenant_id) as session:
        question = select(Conversation.conversation_id).where(Conversation.user_id == user_id).limit(AT_ONCE)
        return session.scalars(question).all()


def _delete(client: "redis.Redis", tenant_id: UUID, ids: Sequence[UUID]) -> Counter[str]:
    """Delete conversations of the tenant: work on them is told to stop first, and its traces go last."""
    gone: Counter[str] = Counter()
    with tenant_session(tenant_id) as session:
        recorded = recordings.of_conversations(session, ids)
    # Before the rows, so that no sound is left without one; and after them, as some may have been kept meanwhile.
    _drop_sound(tenant_id, recorded)
    with tenant_session(tenant_id) as session:
        turns = session.execute(select(Turn.turn_id, Turn.status).where(Turn.conversation_id.in_(ids))).all()
        for turn_id, status in turns:
            if status in (TurnStatus.QUEUED, TurnStatus.RUNNING):
                cancellations.request(client, tenant_id, turn_id)
        gone.update(dict(_hanging_on(session, ids, [turn_id for turn_id, _ in turns])))
        asked = unanswered.of_conversations(session, ids)
        gone["webhook_deliveries"] += _deleted(
            session, WebhookDelivery, WebhookDelivery.payload["data"]["conversation_id"].astext.in_(map(str, ids))
        )
        gone["conversations"] += _deleted(session, Conversation, Conversation.conversation_id.in_(ids))
        gone["unanswered_questions"] += unanswered.settle(session, asked)
    _drop_sound(tenant_id, recorded)
    gone["recordings"] += sum(recorded.values())
    for turn_id, _ in turns:
        utterances.delete(client, tenant_id, turn_id)
    gone["events"] += _forget_events(client, tenant_id, ids)
    return gone


def _drop_sound(tenant_id: UUID, conversation_ids: Iterable[UUID]) -> None:
    for conversation_id in conversation_ids:
        recordings.drop_sound(ObjectStore(get_settings()), tenant_id, conversation_id)


def _hanging_on(session: Session, ids: Sequence[UUID], turn_ids: Sequence[UUID]) -> Iterator[tuple[str, int]]:
    """Yield how many rows go with the conversations by themselves."""
    for table in (Message, ConversationSummary, Turn):
        yield table.__tablename__, _count(session, table, table.conversation_id.in_(ids))
    for of_turn in (Sentence, Feedback):
        yield of_turn.__tablename__, _count(session, of_turn, of_turn.turn_id.in_(turn_ids))


def _delete_rows(tenant_id: UUID, user_id: str) -> Counter[str]:
    gone: Counter[str] = Counter()
    with tenant_session(tenant_id) as session:
        gone["user_preferences"] = preferences.remove_all(session, user_id)
        gone["feedback"] = feedback.remove_all(session, user_id)
        gone["memory_consents"] = _deleted(session, MemoryConsent, MemoryConsent.user_id == user_id)
        actors = [f"{kind}:{user_id}" for kind in ("user", "local")]
        gone["idempotency_keys"] = _deleted(session, IdempotencyKey, IdempotencyKey.actor.in_(actors))
        if (account := _account(user_id)) is not None:
            session.execute(update(TenantUser).where(TenantUser.user_id == account).values(persona_settings={}))
    return gone


def _forget_events(client: "redis.Redis", tenant_id: UUID, ids: Sequence[UUID]) -> int:
    """Delete what was told of the conversations, also in the tenant's own stream, and return how many events."""
    gone = 0
    for conversation_id in ids:
        subject = Subject.conversation(tenant_id, conversation_id)
        with reaching_redis():
            gone += int(client.xlen(subject.key))  # type: ignore[arg-type]
        events.forget(client, subject)
    whole, wanted, after = Subject.tenant(tenant_id), {str(one) for one in ids}, events.START
    while found := events.replay(client, whole, after, EVENTS_A_READ):
        theirs = [event for event in found if json.loads(event.body).get("conversation_id") in wanted]
        events.drop(client, whole, theirs)
        gone += len(theirs)
        after = found[-1].id
    return gone


def _count(session: Session, table: type, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(condition)) or 0


def _deleted(session: Session, table: type, condition: ColumnElement[bool]) -> int:
    question = delete(table).where(condition).execution_options(synchronize_session=False)
    return int(session.execute(question).rowcount)  # type: ignore[attr-defined]


def _account(user_id: str) -> UUID | None:
    try:
        return UUID(user_id)
    except ValueError:
        return None
