"""Turns that began before their speech had surely ended: confirmed, or forgotten; and answers that were cut."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from pipelines.stores import webhooks
from pipelines.stores.database import operator_session, tenant_pipeline, tenant_session
from pipelines.stores.dialogue import conversations
from pipelines.stores.knowledge import unanswered
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import beginnings, cancellations, interruptions, speculation, turns, utterances
from pipelines.turn.prompting.preferences import hear
from schemas.errors.providers import StoreUnavailable
from schemas.errors.work import Cancelled
from schemas.events import Event, EventName
from schemas.tables.dialogue import Turn, TurnStage, TurnStatus
from workers import announce, send
from workers.dialogue import asking, turning
from workers.process import metrics

BARGE_IN = "barge_in"
"""Why an answer is cut that somebody speaks over."""


def confirm(tenant_id: UUID, turn_id: UUID, timings: Mapping[str, Any]) -> bool:
    """Say that a speculative turn is asked, and wake it where it has waited for that; False where it is gone.

    What it told speculatively is told again. One that was answered meanwhile is kept as any other, and ended where
    it is spoken.
    """
    with tenant_pipeline(tenant_id, durable=False) as driver:
        rows = beginnings.confirm(driver, tenant_id, turn_id, timings)
        wanted = driver.execute(webhooks.WANTED, {"tenant": tenant_id})
        turn, stays = beginnings.confirmed(rows)
        tell = tell_completed = lambda: None
        if turn is not None:
            tell = announce.owe_by(driver, tenant_id, list(_found_before(turn)), wanted.fetchone()[0])
            if turn.answer is not None:
                beginnings.answered(driver, turn)
                tell_completed = turning.complete(driver, tenant_id, turn_id)
    if turn is None:
        if not stays:
            drop(tenant_id, turn_id)
        return stays
    # One row's lock decides: whoever comes second, the end of its retrieval or its confirmation, wakes the turn.
    if turn.stage == TurnStage.GENERATE and not turn.generates_early:
        send.turn(tenant_id, turn_id, TurnStage.GENERATE)
    tell()
    tell_completed()
    if turn.answer is not None:
        _note(turn, turn.answer)
    return True


def _note(turn: Turn, answer: str) -> None:
    """Do for a turn that was answered before it was confirmed what its answer had to leave."""
    with tenant_session(turn.tenant_id, durable=False) as session:
        unanswered.note(session, turn, answer, turn.citations, turns.unpacked(turn.passages))
        user_id = conversations.owner(session, turn.conversation_id) or ""
    asking.learn(turn, user_id, hear(turn.question or ""))


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
