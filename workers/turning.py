"""What all steps of a turn do: tell of it, hold it, notice that it was cancelled, and end it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy.orm import Session

from pipelines.stores import cancellations, turns
from pipelines.stores.database import tenant_session
from pipelines.stores.redis import get_redis
from schemas.dialogue import Turn, TurnStatus
from schemas.errors import AuraError
from schemas.events import EventName
from workers import announce, asking, leases, metrics

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
    metrics.turn(ended)
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
    metrics.turn(ended)


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
