"""Turns that began before their speech had surely ended: confirmed, or forgotten; and answers that were cut."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from pipelines.stores import cancellations, conversations, interruptions, speculation, turns, unanswered, utterances
from pipelines.stores.database import TenantSession, driver_of, operator_session, tenant_session
from pipelines.stores.redis import get_redis
from pipelines.turn.preferences import hear
from schemas.dialogue import Turn, TurnStage, TurnStatus
from schemas.errors import Cancelled, StoreUnavailable
from schemas.events import Event, EventName
from workers import announce, asking, metrics, send, turning

BARGE_IN = "barge_in"
"""Why an answer is cut that somebody speaks over."""


def confirm(tenant_id: UUID, turn_id: UUID, timings: Mapping[str, Any]) -> bool:
    """Say that a speculative turn is asked, and wake it where it has waited for that; False where it is gone.

    What it told speculatively is told again. One that was answered meanwhile is kept as any other, and ended where
    it is spoken.
    """
    with tenant_session(tenant_id, durable=False) as session:
        found = speculation.confirm(session, turn_id, timings)
        if found is None:
            stays = speculation.goes_on(session, turn_id)
        else:
            tell, complete = _confirmed(session, found.turn)
    if found is None:
        if not stays:
            drop(tenant_id, turn_id)
        return stays
    if found.parked:
        send.turn(tenant_id, turn_id, TurnStage.GENERATE)
    tell()
    complete()
    return True


def _confirmed(session: TenantSession, turn: Turn) -> tuple[Callable[[], None], Callable[[], None]]:
    """Do what was put off until the turn is confirmed; return what tells of it, and of its end, after the commit."""
    tell = announce.owe(session, turn.tenant_id, list(_found_before(turn)))
    if turn.answer is None:
        return tell, lambda: None
    turns.keep_said(session, turn, turn.answer)
    unanswered.note(session, turn, turn.answer, turn.citations, turns.unpacked(turn.passages))
    session.flush()
    user_id = conversations.owner(session, turn.conversation_id) or ""
    complete = turning.complete(driver_of(session), turn.tenant_id, turn.turn_id)

    def tell_completed() -> None:
        complete()
        asking.learn(turn, user_id, hear(turn.question or ""))

    return tell, tell_completed


def _found_before(turn: Turn) -> Iterator[Event]:
    """Yield what a turn told speculatively, as it is told now that it is asked."""
    if turn.question:
        about = {"text": turn.question, "language": turn.language, "confidence": turn.transcript_confidence}
        yield announce.of_turn(EventName.TURN_TRANSCRIPT, turn, **about)
    if turn.stage == TurnStage.GENERATE:
        sources = turns.sources(turns.unpacked(turn.passages))
        confidence = round(turn.confidence or 0.0, 3)
        yield announce.of_turn(EventName.TURN_RETRIEVED, turn, confidence=confidence, sources=sources)


def drop(tenant_id: UUID, turn_id: UUID) -> bool:
    """Forget a turn that was not confirmed, as if it had never been; False where there is none."""
    with tenant_session(tenant_id, durable=False) as session:
        turn = speculation.drop(session, turn_id)
    if turn is None:
        return False
    with suppress(StoreUnavailable):
        # Whoever works on it finds its lease lost; who speaks or writes meanwhile stops at the flag.
        cancellations.request(get_redis(), tenant_id, turn_id)
        utterances.delete(get_redis(), tenant_id, turn_id)
        announce.forget_turn(turn)
    return True


def drop_abandoned() -> int:
    """Forget turns that nobody has confirmed in time, of all tenants; return how many that were."""
    with operator_session() as session:
        found = speculation.abandoned(session)
    return sum(drop(tenant_id, turn_id) for tenant_id, turn_id in found)


def cut_off(tenant_id: UUID, turn_id: UUID, heard_text: str, played_ms: float, reason: str) -> bool:
    """End a turn whose answer was cut while it was heard, and keep what was heard of it; False where it is gone."""
    with suppress(StoreUnavailable):
        cancellations.request(get_redis(), tenant_id, turn_id)
    with tenant_session(tenant_id, durable=False) as session:
        ended = turns.end(session, turn_id, TurnStatus.CANCELLED, Cancelled(reason))
        found = interruptions.cut_off(session, turn_id, heard_text, played_ms)
        told = [announce.of_turn(EventName.TURN_CANCELLED, ended, reason=reason)] if ended else []
        tell = announce.owe(session, tenant_id, told)
    tell()
    if ended is not None:
        metrics.turn(ended)
    if reason == BARGE_IN:
        metrics.barged_in()
    return found is not None
