"""What all steps of a turn do: tell of it, hold it, notice that it was cancelled, and end it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from pipelines.stores import cancellations, interruptions, speculation, turns, unanswered, utterances
from pipelines.stores.database import TenantSession, tenant_session
from pipelines.stores.redis import get_redis
from schemas.dialogue import Turn, TurnStage, TurnStatus
from schemas.errors import AuraError, Cancelled, StoreUnavailable
from schemas.events import Event, EventName
from workers import announce, asking, leases, send

LEASE_S = 6.0
"""Somebody is waiting: work of a silent worker is given to another after this long."""

CANCEL_CHECK_S = 0.05


def tell(name: EventName, turn: Turn, **data: object) -> None:
    announce.turn(name, turn.tenant_id, turn.conversation_id, turn.turn_id, **data)


def complete(turn: Turn) -> None:
    """End the turn if this was its last piece, and tell the whole answer."""
    with tenant_session(turn.tenant_id, durable=False) as session:
        ended = turns.complete(session, turn.turn_id)
        if ended is None:
            return
        told = announce.of_turn(EventName.TURN_COMPLETED, ended, **turns.as_answer(ended))
        tell = announce.owe(session, ended.tenant_id, [told])
    tell()
    asking.remember(ended)


def end(tenant_id: UUID, turn_id: UUID, status: TurnStatus, error: AuraError) -> None:
    with tenant_session(tenant_id) as session:
        ended = turns.end(session, turn_id, status, error)
        if ended is None:
            return
        # What was asked in vain, and what had come of an answer that broke off.
        ended.route = error.facts.get("route", {})
        ended.answer = error.facts.get("said")
        if status is TurnStatus.CANCELLED:
            told = announce.of_turn(EventName.TURN_CANCELLED, ended, reason=error.detail)
        else:
            told = announce.of_turn(EventName.TURN_FAILED, ended, code=error.code, detail=error.detail)
        tell = announce.owe(session, tenant_id, [told])
    tell()


def confirm(tenant_id: UUID, turn_id: UUID, timings: Mapping[str, Any]) -> bool:
    """Say that a speculative turn is asked, and wake it where it has waited for that; False where it is gone.

    One that was answered meanwhile is kept as any other, and ended where it is spoken.
    """
    with tenant_session(tenant_id, durable=False) as session:
        found = speculation.confirm(session, turn_id, timings)
        if found is None:
            gone = not speculation.goes_on(session, turn_id)
        else:
            tell = _confirmed(session, found.turn)
    if found is None:
        if gone:
            drop(tenant_id, turn_id)
        return not gone
    if found.parked:
        send.turn(tenant_id, turn_id, TurnStage.GENERATE)
    tell()
    return True


def _confirmed(session: TenantSession, turn: Turn) -> Callable[[], None]:
    """Do what was put off until the turn is confirmed; return what tells of it after the commit."""
    told = list(_found_before(turn))
    ended = None
    if turn.answer is not None:
        turns.keep_said(session, turn, turn.answer)
        unanswered.note(session, turn, turn.answer, turn.citations, turns.unpacked(turn.passages))
        ended = turns.complete(session, turn.turn_id)
    if ended is not None:
        told.append(announce.of_turn(EventName.TURN_COMPLETED, ended, **turns.as_answer(ended)))
    return announce.owe(session, turn.tenant_id, told)


def _found_before(turn: Turn) -> Iterator[Event]:
    """Yield what a turn told speculatively, as it is told now that it is asked."""
    if turn.question:
        yield announce.of_turn(
            EventName.TURN_TRANSCRIPT,
            turn,
            text=turn.question,
            language=turn.language,
            confidence=turn.transcript_confidence,
        )
    if turn.stage == TurnStage.GENERATE:
        sources = turns.sources(turns.unpacked(turn.passages))
        yield announce.of_turn(
            EventName.TURN_RETRIEVED, turn, confidence=round(turn.confidence or 0.0, 3), sources=sources
        )


def drop(tenant_id: UUID, turn_id: UUID) -> bool:
    """Forget a turn that was not confirmed, as if it had never been; False where there is none."""
    with suppress(StoreUnavailable):
        cancellations.request(get_redis(), tenant_id, turn_id)
    with tenant_session(tenant_id, durable=False) as session:
        turn = speculation.drop(session, turn_id)
    if turn is None:
        return False
    with suppress(StoreUnavailable):
        utterances.delete(get_redis(), tenant_id, turn_id)
        announce.forget_turn(turn)
    return True


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
    return found is not None


def cancelled(turn: Turn) -> Callable[[], bool]:
    """Return a check of the turn's flag that asks Redis at most every 50 ms."""
    last = [0.0, False]

    def check() -> bool:
        now = time.monotonic()
        if now - last[0] > CANCEL_CHECK_S:
            last[:] = [now, cancellations.requested(get_redis(), turn.tenant_id, turn.turn_id)]
        return bool(last[1])

    return check


@contextmanager
def held(tenant_id: UUID, renew: Callable[[Session], bool]) -> Iterator[None]:
    def renewed() -> bool:
        with tenant_session(tenant_id, durable=False) as session:
            return renew(session)

    with leases.kept(renewed, LEASE_S / 3):
        yield
