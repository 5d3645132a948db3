"""Turns as they begin: kept, answered at once, and confirmed where they began before their speech had surely ended."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from pipelines.stores.database import Driver, Rows
from pipelines.stores.turns.turn_steps import COLUMNS, NAMES, turn_of, values
from schemas.tables.dialogue import Turn

_OPEN_CONVERSATION = """
INSERT INTO conversations (tenant_id, conversation_id, user_id, assistant_key)
VALUES (%(tenant)s, %(conversation)s, %(user)s, %(assistant)s)
"""
_SAID = """
INSERT INTO messages (tenant_id, turn_id, conversation_id, role, content)
VALUES (%(tenant)s, %(turn)s, %(conversation)s, 'user', %(asked)s),
       (%(tenant)s, %(turn)s, %(conversation)s, 'assistant', %(answered)s)
"""
_TALKED = """
UPDATE conversations SET last_message_at = now()
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
"""
_QUEUE = "INSERT INTO sentences (tenant_id, turn_id, seq, text) VALUES (%(tenant)s, %(turn)s, %(seq)s, %(text)s)"
_CONFIRM = f"""
UPDATE turns t
SET confirmed_at = clock_timestamp(), timings = t.timings || %(timings)s,
    enqueued_at = CASE WHEN t.stage = 'generate' AND NOT t.generates_early THEN clock_timestamp() ELSE t.enqueued_at END
WHERE t.tenant_id = %(tenant)s AND t.turn_id = %(turn)s AND t.confirmed_at IS NULL
  AND t.status IN ('queued', 'running')
RETURNING {COLUMNS}
"""
_STAYS = (
    "SELECT EXISTS (SELECT FROM turns WHERE tenant_id = %(tenant)s AND turn_id = %(turn)s AND confirmed_at IS NOT NULL)"
)


def open_conversation(driver: Driver, turn: Turn, user_id: str) -> None:
    """Open the turn's conversation."""
    about = {"tenant": turn.tenant_id, "conversation": turn.conversation_id}
    driver.execute(_OPEN_CONVERSATION, {**about, "user": user_id, "assistant": turn.assistant_key})


def insert(driver: Driver, turn: Turn) -> Rows:
    """Keep a new turn; read by `inserted`. A conversation that is gone breaks its foreign key."""
    given = {name: vars(turn)[name] for name in NAMES if name in vars(turn)}
    names, places = ", ".join(given), ", ".join(f"%(found_{name})s" for name in given)
    return driver.execute(f"INSERT INTO turns AS t ({names}) VALUES ({places}) RETURNING {COLUMNS}", values(given))


def inserted(rows: Rows) -> Turn:
    """Return the turn as it is kept."""
    turn = turn_of(rows)
    assert turn is not None
    return turn


def answered(driver: Driver, turn: Turn, to_speak: Sequence[str] = ()) -> None:
    """Let the conversation remember a turn that was answered at once, and queue its sentences."""
    about = {"tenant": turn.tenant_id, "turn": turn.turn_id, "conversation": turn.conversation_id}
    driver.execute(_SAID, {**about, "asked": turn.question or "", "answered": turn.answer or ""})
    driver.execute(_TALKED, about)
    for seq, text in enumerate(to_speak):
        driver.execute(_QUEUE, {**about, "seq": seq, "text": text})


def confirm(driver: Driver, tenant_id: UUID, turn_id: UUID, timings: Mapping[str, Any]) -> tuple[Rows, Rows]:
    """Say that a turn is asked after all; see `confirmed`."""
    given = {"tenant": tenant_id, "turn": turn_id}
    return driver.execute(_CONFIRM, {**given, "timings": Jsonb(dict(timings))}), driver.execute(_STAYS, given)


def confirmed(rows: tuple[Rows, Rows]) -> tuple[Turn | None, bool]:
    """Return the turn, None where it was confirmed before, has ended or is gone; and whether it is there, confirmed."""
    stays = rows[1].fetchone()
    return turn_of(rows[0]), bool(stays and stays[0])
