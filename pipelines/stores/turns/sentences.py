"""Sentences of a spoken answer: one row each, claimed by lease, spoken side by side."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from pipelines.stores.database import Driver, Rows
from schemas.tables.dialogue import Sentence, Turn, TurnStatus

MAX_ATTEMPTS = 3
"""Claims that may end in silence before a sentence stays unspoken (its text has arrived)."""

OPEN = (TurnStatus.QUEUED, TurnStatus.RUNNING)


_CLAIM = """
WITH taken AS (
    UPDATE sentences s
    SET status = CASE WHEN s.attempts >= %(most)s THEN 'failed' ELSE 'running' END, attempts = s.attempts + 1,
        lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => %(lease_s)s), holder = %(holder)s
    WHERE s.tenant_id = %(tenant)s AND s.turn_id = %(turn)s AND s.seq = %(seq)s AND s.status IN ('queued', 'running')
      AND (s.lease_until IS NULL OR s.lease_until < now())
    RETURNING s.*
)
SELECT s.text, s.status, s.attempts, s.lease_token, s.enqueued_at,
       t.conversation_id, t.assistant_key, t.language, t.use_persona, t.persona, t.created_at, t.confirmed_at
FROM taken s JOIN turns t ON t.tenant_id = s.tenant_id AND t.turn_id = s.turn_id
"""
_HELD = "tenant_id = %(tenant)s AND turn_id = %(turn)s AND seq = %(seq)s AND lease_token = %(token)s"
_RENEW = f"UPDATE sentences SET lease_until = now() + make_interval(secs => %(lease_s)s) WHERE {_HELD} RETURNING seq"
_FINISH = (
    "UPDATE sentences SET status = %(status)s, lease_token = NULL, lease_until = NULL, holder = NULL"
    f" WHERE {_HELD} RETURNING seq"
)


def claim(driver: Driver, tenant_id: UUID, turn_id: UUID, seq: int, lease_s: float, holder: int | None) -> Rows:
    """Take the sentence for `lease_s` seconds; read by `claimed`."""
    given = {"tenant": tenant_id, "turn": turn_id, "seq": seq, "lease_s": lease_s, "holder": holder}
    return driver.execute(_CLAIM, {**given, "most": MAX_ATTEMPTS})


def claimed(rows: Rows, tenant_id: UUID, turn_id: UUID, seq: int) -> tuple[Sentence, Turn] | None:
    """Return the sentence that was taken, and its turn as far as its voice depends on it.

    It has failed where its speakers died too often. None where it is spoken, cancelled, given up before or held by
    another.
    """
    row = rows.fetchone()
    if row is None:
        return None
    key = {"tenant_id": tenant_id, "turn_id": turn_id}
    names = ("text", "status", "attempts", "lease_token", "enqueued_at")
    of = ("conversation_id", "assistant_key", "language", "use_persona", "persona", "created_at", "confirmed_at")
    sentence = Sentence(**key, seq=seq, **dict(zip(names, row[:5], strict=True)))
    return sentence, Turn(**key, spoken=True, **dict(zip(of, row[5:], strict=True)))


def renew(driver: Driver, sentence: Sentence, lease_s: float) -> bool:
    """Prolong the lease; False where it is ours no more."""
    return driver.execute(_RENEW, {**_key(sentence), "lease_s": lease_s}).fetchone() is not None


def finish(driver: Driver, sentence: Sentence, status: TurnStatus = TurnStatus.COMPLETED) -> Rows:
    """Say that the sentence is spoken, or failed; no row where the lease is lost."""
    return driver.execute(_FINISH, {**_key(sentence), "status": status.value})


def count(session: Session, turn_id: UUID) -> int:
    """Return how many sentences the answer has so far."""
    return session.scalar(select(func.count()).select_from(Sentence).where(Sentence.turn_id == turn_id)) or 0


def take_due(session: Session, idle: bool, at_most: int = 100) -> Sequence[tuple[UUID, UUID, int]]:
    """Return sentences that are due and that nobody holds, over all tenants, marked as enqueued now."""
    rows = session.execute(
        text("SELECT * FROM take_due_sentences(:idle, :at_most)"), {"idle": idle, "at_most": at_most}
    )
    return [(tenant_id, turn_id, seq) for tenant_id, turn_id, seq in rows]


def _key(sentence: Sentence) -> dict[str, Any]:
    about = {"tenant": sentence.tenant_id, "turn": sentence.turn_id}
    return {**about, "seq": sentence.seq, "token": sentence.lease_token}
