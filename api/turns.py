"""Starting, cancelling and waiting for turns: what chat and voice share."""

import time
from typing import Any
from uuid import UUID, uuid4

from api.auth import Caller
from api.live import relay
from pipelines.stores import cancellations, conversations, recordings, turns, utterances
from pipelines.stores.database import tenant_session
from pipelines.stores.events import Published
from pipelines.stores.redis import get_redis
from schemas.dialogue import Turn, TurnStage, TurnStatus
from schemas.errors import Cancelled, InactiveAssistant, InvalidRequest, MessageTooLong, ProviderUnavailable
from schemas.events import TERMINAL, Event, EventName, Subject
from schemas.settings import get_settings
from workers import announce, caching, metrics, send

ANSWER_TIMEOUT_S = 120.0


def open_conversation(caller: Caller, assistant_key: str, conversation_id: UUID | None = None) -> UUID:
    """Return the conversation, a new one unless an id is given.

    Raises UnknownAssistant, InactiveAssistant, NotFound.
    """
    # It need not wait for the disk: the turn that follows does, and what is written before it is then there too.
    with tenant_session(caller.tenant_id, durable=False) as session:
        if not turns.agent(session, assistant_key).is_active:
            raise InactiveAssistant
        return turns.open_conversation(session, caller.tenant_id, caller.user_id, assistant_key, conversation_id)


def start_turn(
    caller: Caller,
    conversation_id: UUID,
    *,
    assistant_key: str,
    question: str | None = None,
    utterance: bytes | None = None,
    spoken: bool = False,
    language: str | None = None,
    use_memory: bool = True,
    filters: dict[str, Any] | None = None,
    use_persona: bool = True,
    persona: dict[str, Any] | None = None,
    search_knowledge: bool = True,
    recorded: bool = False,
) -> UUID:
    """Commit a turn as queued work, wake its first step, and return its id.

    Asked by text (`question`) or by voice (`utterance`: PCM16 mono 16 kHz). Without `search_knowledge` it goes
    straight to the model. `recorded`: who speaks was told that their organisation keeps it. Raises
    MessageTooLong, and NotFound where the conversation was deleted meanwhile.
    """
    limit = get_settings().max_message_chars
    if question is not None and len(question) > limit:
        raise MessageTooLong(f"The message has {len(question):,} characters; at most {limit:,} are read.")
    if question is not None and not question.replace("\x00", "").strip():
        raise InvalidRequest("The message is empty.")
    turn_id = uuid4()
    stage = TurnStage.RETRIEVE if search_knowledge else TurnStage.GENERATE
    stage = stage if utterance is None else TurnStage.TRANSCRIBE
    with tenant_session(caller.tenant_id) as session:
        conversations.keep(session, conversation_id)
        if utterance is not None:
            # Before the commit: whoever finds the turn finds what was said.
            utterances.put(get_redis(), caller.tenant_id, turn_id, utterance)
        turn = Turn(
            tenant_id=caller.tenant_id,
            turn_id=turn_id,
            conversation_id=conversation_id,
            assistant_key=assistant_key,
            spoken=spoken,
            use_memory=use_memory,
            filters=filters or {},
            use_persona=use_persona,
            persona=persona,
            search_knowledge=search_knowledge,
            language=language,
            question=question.replace("\x00", "") if question else None,
            stage=stage,
        )
        session.add(turn)
        if recorded:
            session.flush()
            recordings.accept(session, caller.tenant_id, turn_id, conversation_id)
        tell = caching.answered(session, turn)
    if tell is not None:
        tell()
    else:
        send.turn(caller.tenant_id, turn_id, stage)
    return turn_id


def cancel_turn(caller: Caller, turn_id: UUID, reason: str = "cancelled by the client") -> bool:
    """Stop the turn's steps between two tokens; False where it had ended already. Raises NotFound."""
    cancellations.request(get_redis(), caller.tenant_id, turn_id)
    with tenant_session(caller.tenant_id) as session:
        turns.get(session, turn_id)
        ended = turns.end(session, turn_id, TurnStatus.CANCELLED, Cancelled(reason))
        if ended is None:
            return False
        told = announce.of_turn(EventName.TURN_CANCELLED, ended, reason=reason)
        tell = announce.owe(session, caller.tenant_id, [told])
    tell()
    metrics.turn(ended)
    return True


def finished_turn(caller: Caller, conversation_id: UUID, turn_id: UUID, timeout_s: float = ANSWER_TIMEOUT_S) -> Turn:
    """Wait until the turn has ended and return it. Raises ProviderUnavailable after `timeout_s`."""
    with tenant_session(caller.tenant_id) as session:
        turn = turns.get(session, turn_id)
    if turn.status not in turns.OPEN:
        return turn  # From the cache: there is nothing to follow.
    deadline = time.monotonic() + timeout_s
    with relay().follow(Subject.conversation(caller.tenant_id, conversation_id)) as following:
        while True:
            with tenant_session(caller.tenant_id) as session:
                turn = turns.get(session, turn_id)
            if turn.status not in turns.OPEN:
                return turn
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise ProviderUnavailable("The answer is taking too long; its job goes on.", turn_id=str(turn_id))
            # The row decides; the event only says when to look, and may be lost with Redis.
            following.wait_for(lambda event: ends(event, turn_id), min(left_s, 5.0))


def ends(event: Published, turn_id: UUID) -> bool:
    """Return whether this is the turn's last event."""
    return event.name in TERMINAL and event.data.get("turn_id") == str(turn_id)


def last_event(caller: Caller, turn_id: UUID) -> Event | None:
    """Return the event that a turn ended with, as its row knows it; None while it goes on."""
    with tenant_session(caller.tenant_id) as session:
        turn = turns.get(session, turn_id)
    if turn.status in turns.OPEN:
        return None
    subject = Subject.conversation(caller.tenant_id, turn.conversation_id)
    about: dict[str, object] = {"turn_id": str(turn_id), "conversation_id": str(turn.conversation_id)}
    if turn.status == TurnStatus.COMPLETED:
        return Event(EventName.TURN_COMPLETED, subject, {**about, **turns.as_answer(turn)})
    name = EventName.TURN_CANCELLED if turn.status == TurnStatus.CANCELLED else EventName.TURN_FAILED
    return Event(name, subject, {**about, "code": turn.error_code, "detail": turn.error_detail})
