"""Conversations of a user: listing and searching them, reading, naming and deleting one."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_openapi3 import APIBlueprint, Tag
from sqlalchemy.orm import Session

from api.dialogue import memory, whose
from api.door import auth
from api.door.auth import Caller
from api.door.paging import cursor, position
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.dialogue import conversations, feedback, forgetting
from pipelines.stores.dialogue.conversations import Listed
from pipelines.stores.knowledge import documents, unanswered
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from pipelines.turn.prompting.memory import Exchange
from schemas.requests.common import IdPath, Listing
from schemas.requests.dialogue.conversations import (
    ConversationChange,
    ConversationListing,
    ConversationPage,
    ConversationView,
    ConversationWhole,
)
from schemas.requests.dialogue.memory import ForgetReceipt, TurnPage
from schemas.tables.dialogue import Message, Turn
from schemas.tables.identity import Permission
from schemas.tables.knowledge import Document
from schemas.tables.memory import Feedback

blueprint = APIBlueprint(
    "conversations", __name__, url_prefix="/api/memory/conversations", abp_tags=[Tag(name="memory")]
)


@blueprint.get("", responses={200: ConversationPage})
@allows(Permission.CHAT)
def listing(query: ConversationListing) -> dict[str, Any]:
    """Return a user's conversations, the last active first; with `q` those that hold a text."""
    asking = whose.read(query.user_id)
    with tenant_session(asking.tenant_id) as session:
        found = conversations.listing(session, asking.user_id, query.limit + 1, position(query.after), query.q or None)
    last = found[query.limit - 1].conversation if len(found) > query.limit else None
    return {
        "conversations": [view(one) for one in found[: query.limit]],
        "next": cursor(last.last_message_at, last.conversation_id) if last and last.last_message_at else None,
    }


@blueprint.get("/<uuid:id>", responses={200: ConversationWhole})
@allows(Permission.CHAT)
def show(path: IdPath, query: Listing) -> dict[str, Any]:
    """Return a conversation with its newest messages, oldest first; `next` leads to those before them."""
    asking = auth.caller()
    before = position(query.after)
    with tenant_session(asking.tenant_id) as session:
        whole = conversations.get(session, path.id, _owner(asking))
        about = view(conversations.described(session, whole))
        of = Message.conversation_id == path.id
        found = conversations.exchanges(session, of, limit=query.limit + 1, before=before)
        return {**about, **page(session, found, query.limit, whole.user_id, "history")}


@blueprint.get("/<uuid:id>/turns", responses={200: TurnPage})
@allows(Permission.CHAT)
def asked(path: IdPath, query: Listing) -> dict[str, Any]:
    """Return a conversation's newest questions, oldest first, each with its answer, or with what became of it.

    Other than in the history there are those too that were stopped, have failed, or are answered right now.
    """
    asking, before = auth.caller(), position(query.after)
    with tenant_session(asking.tenant_id) as session:
        user_id = conversations.get(session, path.id, _owner(asking)).user_id
        found = turns.of_conversation(session, path.id, query.limit + 1, before)
        shown = found[: query.limit]
        rated = feedback.of_turns(session, [turn.turn_id for turn in shown], user_id)
        files = documents.many(session, {doc_id for turn in shown for doc_id in _asked_of(turn)})
        views = [_turn(turn, rated.get(turn.turn_id), files) for turn in reversed(shown)]
    last = shown[-1] if len(found) > query.limit else None
    return {"turns": views, "next": cursor(last.created_at, last.turn_id) if last else None}


@blueprint.patch("/<uuid:id>", responses={200: ConversationView})
@allows(Permission.CHAT)
def change(path: IdPath, body: ConversationChange) -> dict[str, Any]:
    """Give a conversation a title."""
    asking = auth.caller()
    with tenant_session(asking.tenant_id) as session:
        found = conversations.get(session, path.id, None if asking.sees_all else asking.user_id)
        found.title = body.title
        session.flush()
        return view(conversations.described(session, found))


@blueprint.delete("/<uuid:id>", responses={200: ForgetReceipt})
@allows(Permission.CHAT)
def remove(path: IdPath) -> dict[str, Any]:
    """Delete a conversation with all that was said in it, and answer with the receipt."""
    asking = auth.caller()
    with tenant_session(asking.tenant_id) as session:
        user_id = conversations.get(session, path.id, None if asking.sees_all else asking.user_id).user_id
    deleted = forgetting.conversation(get_redis(), asking.tenant_id, path.id)
    with tenant_session(asking.tenant_id) as session:
        left = {"conversations": int(conversations.owner(session, path.id) is not None)}
        of = dataclasses.replace(asking, user_id=user_id)
        whose.audit_for_others(session, of, "memory.conversation_deleted", conversation_id=str(path.id))
    return {"user_id": user_id, "conversation_id": str(path.id), **memory.receipt(deleted, left)}


def view(found: Listed) -> dict[str, Any]:
    """Return a conversation as clients see it."""
    conversation = found.conversation
    last = conversation.last_message_at
    return {
        "id": str(conversation.conversation_id),
        "user_id": conversation.user_id,
        "assistant_key": conversation.assistant_key,
        "title": found.title,
        "last_message": found.last_message,
        "messages": found.messages,
        "turns": found.turns,
        "summarised": found.summarised,
        "created_at": conversation.created_at.isoformat(),
        "last_message_at": last.isoformat() if last else None,
    }


def _asked_of(turn: Turn) -> list[UUID]:
    return [UUID(doc_id) for doc_id in turn.filters.get("doc_ids", [])]


def _turn(turn: Turn, rated: Feedback | None, files: Mapping[UUID, Document]) -> dict[str, Any]:
    asked_of = [files[doc_id] for doc_id in _asked_of(turn) if doc_id in files]
    return {
        "turn_id": str(turn.turn_id),
        "question": turn.question,
        "spoken": turn.spoken,
        "files": [{"document_id": str(one.doc_id), "filename": one.filename} for one in asked_of],
        "status": turn.status,
        "at": turn.created_at.isoformat(),
        "answer": turns.as_answer(turn) if turn.answer is not None else None,
        "code": turn.error_code,
        "detail": turn.error_detail,
        "rating": rated.rating if rated else None,
        "comment": rated.comment if rated else None,
        "unanswered_id": str(turn.unanswered_id) if turn.unanswered_id else None,
        "found": [] if turn.citations else unanswered.nearest(turns.unpacked(turn.passages)),
    }


def page(session: Session, found: Sequence[Exchange], limit: int, user_id: str, name: str) -> dict[str, Any]:
    """Return the messages of exchanges, which come newest first, under `name`, and where those before them begin."""
    shown = found[:limit]
    rated = feedback.of_turns(session, [one.turn_id for one in shown], user_id)
    ratings = {turn_id: one.rating for turn_id, one in rated.items()}
    last = shown[-1] if len(found) > limit else None
    return {
        name: [message for one in reversed(shown) for message in messages(one, ratings.get(one.turn_id))],
        "next": cursor(last.at, last.turn_id) if last else None,
    }


def messages(one: Exchange, rating: int | None = None) -> list[dict[str, Any]]:
    """Return the two messages of an exchange as clients see them."""
    return [
        {
            "turn_id": str(one.turn_id),
            "role": said.role,
            "content": said.text,
            "at": one.at.isoformat(),
            "rating": rating if said.role == "assistant" else None,
        }
        for said in one.said()
    ]


def _owner(asking: Caller) -> str | None:
    """Return whose conversations who asks may see; None where all."""
    return None if whose.reads_all(asking) else asking.user_id
