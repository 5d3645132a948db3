"""Chat: a turn that is asked and answered by text."""

from typing import Any
from uuid import UUID

from flask import Response, url_for
from flask_openapi3 import APIBlueprint, Tag

from api.dialogue.turns import ask, ends, finished_turn, last_event
from api.door.auth import Caller, caller
from api.door.permissions import allows
from api.live import sse
from pipelines.ingest import tokens
from pipelines.stores import events
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from schemas.errors.tree import AuraError
from schemas.events import Subject
from schemas.requests.dialogue.chat import ChatAnswer, ChatBody
from schemas.tables.dialogue import Turn, TurnStatus
from schemas.tables.identity import Permission

blueprint = APIBlueprint("chat", __name__, abp_tags=[Tag(name="chat")])


@blueprint.post("/api/chat", responses={200: ChatAnswer})
@allows(Permission.CHAT)
def chat(body: ChatBody) -> Any:
    """Answer a question from the tenant's documents, with citations; `stream` answers with events."""
    return _ask(body, with_stats=False)


@blueprint.post("/rag/chat", responses={200: ChatAnswer})
@allows(Permission.CHAT)
def rag_chat(body: ChatBody) -> Any:
    """The same, with `rag_stats`."""
    return _ask(body, with_stats=True)


def _ask(body: ChatBody, with_stats: bool) -> dict[str, Any] | Response:
    asking = caller(body.tenant_id, body.user_id)
    conversation_id = body.conversation_id or body.session_id
    # Where the stream stands before the turn: what was said earlier need not be read again.
    before = _last_id(asking, conversation_id) if body.stream and conversation_id else events.START
    turn = ask(
        asking,
        conversation_id,
        assistant_key=body.assistant_key,
        question=body.message,
        use_memory=body.use_memory,
        filters=body.filters.model_dump(mode="json", exclude_defaults=True) if body.filters else None,
        use_persona=body.use_persona,
        persona=body.persona.model_dump(exclude_none=True) if body.persona else None,
        search_knowledge=body.search_knowledge,
    )
    turn_id = turn.turn_id
    if body.stream:
        response = sse.stream(
            Subject.conversation(asking.tenant_id, turn.conversation_id),
            keep=lambda event: event.data.get("turn_id") == str(turn_id),
            until=lambda event: ends(event, turn_id),
            settled=lambda: last_event(asking, turn_id),
            after=before,
        )
        response.headers["Location"] = url_for("jobs.events", id=turn_id)
        # Known before the first event: whoever loses the line now finds the question where it was asked.
        conversation = url_for("conversations.show", id=turn.conversation_id)
        response.headers["Link"] = f'<{conversation}>; rel="collection"'
        return response
    if turn.status in turns.OPEN:
        turn = finished_turn(asking, turn.conversation_id, turn_id)
    if turn.status != TurnStatus.COMPLETED:
        raise AuraError.by_code(turn.error_code or "", turn.error_detail)
    answer = turns.as_answer(turn)
    return {**answer, "rag_stats": _stats(turn)} if with_stats else answer


def _last_id(asking: Caller, conversation_id: UUID) -> str:
    return events.last_id(get_redis(), Subject.conversation(asking.tenant_id, conversation_id))


def _stats(turn: Turn) -> dict[str, Any]:
    passages = turns.unpacked(turn.passages)
    return {
        "chunks_retrieved": len(passages),
        "context_tokens": sum(tokens.count(passage.text) for passage in passages),
        "search_time": round(turn.timings.get("retrieve", {}).get("run_ms", 0.0) / 1e3, 4),
        "model_used": turn.model,
    }
