"""What the chat knows of a user, under the paths of the reference clients: history, context, feedback."""

from typing import Any

from flask_openapi3 import APIBlueprint, Tag
from sqlalchemy import select

from api.dialogue import whose
from api.dialogue.conversations import messages, page
from api.door import auth
from api.door.paging import cursor, position
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.dialogue import conversations, feedback, preferences
from pipelines.stores.turns import answers, turns
from pipelines.turn.prompting import memory, persona
from schemas.requests.common import Listing
from schemas.requests.dialogue.conversations import ContextListing, ContextView, HistoryListing, HistoryPage
from schemas.requests.dialogue.feedback import FeedbackBody, FeedbackPage, FeedbackView
from schemas.requests.dialogue.memory import UserPath
from schemas.settings import get_settings
from schemas.tables.dialogue import Message, Turn
from schemas.tables.identity import Permission

blueprint = APIBlueprint("recollection", __name__, url_prefix="/api/chat", abp_tags=[Tag(name="chat")])


@blueprint.get("/history/<user_id>", responses={200: HistoryPage})
@allows(Permission.CHAT)
def history(path: UserPath, query: HistoryListing) -> dict[str, Any]:
    """Return the newest of what a user said and was told, oldest first; `next` leads to what was before."""
    asking = whose.read(path.user_id)
    of = [conversations.of_user(asking.user_id)]
    if query.conversation_id is not None:
        of.append(Message.conversation_id == query.conversation_id)
    with tenant_session(asking.tenant_id) as session:
        found = conversations.exchanges(session, *of, limit=query.limit + 1, before=position(query.after))
        said = page(session, found, query.limit, asking.user_id, "messages")
        ids = {message["turn_id"] for message in said["messages"]}
        rows = session.execute(select(Turn.turn_id, Turn.conversation_id).where(Turn.turn_id.in_(ids)))
        of_turn = {str(turn_id): str(conversation_id) for turn_id, conversation_id in rows}
    for message in said["messages"]:
        message["conversation_id"] = of_turn[message["turn_id"]]
    return {"user_id": asking.user_id, **said}


@blueprint.get("/context/<user_id>", responses={200: ContextView})
@allows(Permission.CHAT)
def context(path: UserPath, query: ContextListing) -> dict[str, Any]:
    """Return what the next answer to a user would be given of them."""
    asking = whose.read(path.user_id)
    settings = get_settings()
    with tenant_session(asking.tenant_id) as session:
        conversation_id = query.conversation_id
        if conversation_id is not None:
            conversations.get(session, conversation_id, asking.user_id)
        elif latest := conversations.listing(session, asking.user_id, 1):
            conversation_id = latest[0].conversation.conversation_id
        known = {found.key: found.value for found in preferences.listing(session, asking.user_id)}
        applied = persona.combined(preferences.persona_settings(session, asking.user_id), known)
        learn, _ = preferences.consent(session, asking.user_id)
        summary, said = conversations.unsummarised(session, conversation_id) if conversation_id else ("", [])
    recalled = memory.recall(summary, said, settings.history_tokens, settings.summary_tokens)
    return {
        "user_id": asking.user_id,
        "learn": learn,
        "preferences": known,
        "persona": vars(applied) if applied else None,
        "conversation_id": str(conversation_id) if conversation_id else None,
        "summary": recalled.summary,
        "messages": [message for one in recalled.recent for message in messages(one)],
        "tokens": memory.tokens(recalled.summary) + sum(one.tokens for one in recalled.recent),
    }


@blueprint.post("/feedback", responses={200: FeedbackView})
@allows(Permission.CHAT)
def give(body: FeedbackBody) -> dict[str, Any]:
    """Say what one thinks of an answer, in place of what one said before: thumbs (-1, 1) or stars (1 to 5).

    After a thumb down, or one or two stars, the answer is not given again from the cache.
    """
    asking = auth.caller(body.tenant_id, body.user_id)
    scale = feedback.scale_of(body.rating, body.scale)
    with tenant_session(asking.tenant_id) as session:
        turn = turns.get(session, body.turn_id, None if asking.sees_all else asking.user_id)
        if feedback.is_bad(scale, body.rating):
            answers.reject(session, turn)
        given = feedback.give(
            session, asking.tenant_id, body.turn_id, asking.user_id, scale, body.rating, body.comment or None
        )
        return dict(feedback.view(given))


@blueprint.get("/feedback", responses={200: FeedbackPage})
@allows(Permission.ANALYTICS_READ)
def listing(query: Listing) -> dict[str, Any]:
    """Return what users think of answers, the newest first."""
    with tenant_session(auth.caller().tenant_id) as session:
        found = feedback.listing(session, query.limit + 1, position(query.after))
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {
        "feedback": [feedback.view(one) for one in found[: query.limit]],
        "next": cursor(last.updated_at, last.turn_id) if last else None,
    }
