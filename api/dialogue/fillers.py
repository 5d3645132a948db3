"""Fillers in a talk: after how long without an answer one is due, and having it said."""

from uuid import UUID

from api.door.auth import Caller
from pipelines.stores.database import tenant_session
from pipelines.stores.turns import turns
from workers import send


def due_after_s(caller: Caller, assistant_key: str) -> float | None:
    """Return after how many seconds without a sentence a filler is due; None where the assistant says none.

    Raises UnknownAssistant.
    """
    with tenant_session(caller.tenant_id, durable=False) as session:
        after_ms = turns.agent(session, assistant_key).filler_after_ms
    return None if after_ms is None else after_ms / 1000


def say(caller: Caller, turn_id: UUID) -> None:
    """Have a filler said in a turn, as `turn.audio` with `filler` and `seq` -1, unless a sentence is there by then."""
    send.filler(caller.tenant_id, turn_id)
