"""Starting, cancelling and waiting for turns: what chat and voice share."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from api.door.auth import Caller
from api.live.process import relay
from pipelines.stores.database import tenant_pipeline, tenant_session
from pipelines.stores.events import Published
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import cancellations, turn_steps, turns
from schemas.errors.providers import ProviderUnavailable
from schemas.errors.requests import InactiveAssistant, InvalidRequest, MessageTooLong
from schemas.errors.work import Cancelled
from schemas.events import TERMINAL, Event, EventName, Subject
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn, TurnStage, TurnStatus
from workers import announce
from workers.dialogue import opening, speculation, turning
from workers.process import metrics

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
    speculative: bool = False,
    speculative_generation: bool = False,
    timings: Mapping[str, Any] | None = None,
    recorded: bool = False,
) -> UUID:
    """Commit a turn as queued work, wake its first step, and return its id.

    Asked by text (`question`) or by voice (`utterance`: PCM16 mono 16 kHz). Without `search_knowledge` it goes
    straight to the model. One that is `speculative` is transcribed and its ground found; then it waits for
    `confirm_turn` or `drop_turn`, 15 s at most, unless with `speculative_generation` it is answered meanwhile. Its
    events say `speculative` until it is confirmed. `timings` are what is known of its waterfall, in ms since now.
    `recorded`: who speaks was told that their organisation keeps it. Raises
    MessageTooLong, and NotFound where the conversation was deleted meanwhile.
    """
    turn = _new(
        caller,
        conversation_id,
        question,
        utterance,
        assistant_key=assistant_key,
        spoken=spoken,
        language=language,
        use_memory=use_memory,
        filters=filters or {},
        use_persona=use_persona,
        persona=persona,
        search_knowledge=search_knowledge,
        timings={**(timings or {}), **({"speculated": True} if speculative else {})},
        confirmed_at=None if speculative else datetime.now(UTC),
        generates_early=speculative and speculative_generation,
    )
    return opening.begin(turn, utterance, recorded=recorded).turn_id


def ask(
    caller: Caller,
    conversation_id: UUID | None,
    *,
    assistant_key: str,
    question: str,
    use_memory: bool = True,
    filters: dict[str, Any] | None = None,
    use_persona: bool = True,
    persona: dict[str, Any] | None = None,
    search_knowledge: bool = True,
) -> Turn:
    """Begin a turn that is asked by text, in a new conversation unless an id is given, and return it.

    It is complete where its answer was kept. Raises UnknownAssistant, InactiveAssistant, NotFound, MessageTooLong.
    """
    if conversation_id is not None:
        open_conversation(caller, assistant_key, conversation_id)
    turn = _new(
        caller,
        conversation_id or uuid4(),
        question,
        assistant_key=assistant_key,
        spoken=False,
        use_memory=use_memory,
        filters=filters or {},
        use_persona=use_persona,
        persona=persona,
        search_knowledge=search_knowledge,
    )
    return opening.begin(turn, opens_for=caller.user_id if conversation_id is None else None)


def _new(
    caller: Caller, conversation_id: UUID, question: str | None, utterance: bytes | None = None, **about: Any
) -> Turn:
    limit = get_settings().max_message_chars
    if question is not None and len(question) > limit:
        raise MessageTooLong(f"The message has {len(question):,} characters; at most {limit:,} are read.")
    asked = question.replace("\x00", "") if question is not None else None
    if asked is not None and not asked.strip():
        raise InvalidRequest("The message is empty.")
    stage = TurnStage.RETRIEVE if about["search_knowledge"] else TurnStage.GENERATE
    return Turn(
        tenant_id=caller.tenant_id,
        turn_id=uuid4(),
        conversation_id=conversation_id,
        question=asked,
        stage=stage if utterance is None else TurnStage.TRANSCRIBE,
        **{"timings": {}, "confirmed_at": datetime.now(UTC), **about},
    )


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


def confirm_turn(caller: Caller, turn_id: UUID, timings: Mapping[str, Any] | None = None) -> bool:
    """Say that a speculative turn is asked after all; one that has waited for it goes on at once.

    False where it has failed meanwhile, was dropped or abandoned: it is gone, and to be asked anew. True where it was
    confirmed before. `timings` are added to its waterfall.
    """
    return speculation.confirm(caller.tenant_id, turn_id, timings or {})


def drop_turn(caller: Caller, turn_id: UUID) -> bool:
    """Forget a speculative turn: it was never asked. False where it was confirmed, or is gone.

    Its row, what was said and its events end; what its providers cost stays written down.
    """
    return speculation.drop(caller.tenant_id, turn_id)


def cut_off(caller: Caller, turn_id: UUID, heard_text: str, played_ms: float, reason: str = "barge_in") -> bool:
    """Stop an answer that was cut while it was heard, and keep in the history no more than was heard of it.

    To be called once for each answer that is cut, in `cancel_turn`'s place or after it, and also where its turn was
    completed: it was made faster than it is heard. The turn keeps the whole answer, and the next one is told that it
    was interrupted. False where the turn is gone.
    """
    return speculation.cut_off(caller.tenant_id, turn_id, heard_text, played_ms, reason)


def timed(caller: Caller, turn_id: UUID, timings: Mapping[str, Any]) -> None:
    """Add what the session has measured to the turn's waterfall; a name that is there keeps its first value."""
    if timings:
        with tenant_pipeline(caller.tenant_id, durable=False) as driver:
            turn_steps.add_timings(driver, caller.tenant_id, turn_id, timings)
        metrics.heard(timings)


def finished_turn(caller: Caller, conversation_id: UUID, turn_id: UUID, timeout_s: float = ANSWER_TIMEOUT_S) -> Turn:
    """Wait until the turn has ended and return it. Raises ProviderUnavailable after `timeout_s`."""
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
    return None if turn.status in turns.OPEN else turning.last_event(turn)
