"""The steps of turns, as their workers take them: claimed by lease, handed on, completed; each in one round trip.

A step's effect, what is owed for it and the following step are committed together, and refused where the lease is
lost. Functions that return rows ask only; `claimed`, `advanced` and `completed` read what came of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from pipelines.stores import webhooks
from pipelines.stores.database import Driver, Rows
from schemas.errors.files import TooManyAttempts
from schemas.errors.tree import AuraError
from schemas.errors.work import LeaseLost
from schemas.events import Event
from schemas.tables.dialogue import Turn, TurnStage

MAX_ATTEMPTS = 3
"""Claims of one step that may end in silence before the turn fails."""

NAMES = tuple(column.name for column in Turn.__table__.columns)
COLUMNS = ", ".join(f"t.{name}" for name in NAMES)
"""All of a turn `t`, as `turn_of` reads them."""

_CLAIM = f"""
UPDATE turns t
SET status = 'running', attempts = t.attempts + 1, lease_token = gen_random_uuid(), holder = %(holder)s,
    lease_until = now() + make_interval(secs => %(lease_s)s)
WHERE t.tenant_id = %(tenant)s AND t.turn_id = %(turn)s AND t.stage = %(stage)s
  AND t.status IN ('queued', 'running') AND t.answer IS NULL AND t.error_code IS NULL
  AND (t.lease_until IS NULL OR t.lease_until < now())
  AND (t.confirmed_at IS NOT NULL OR t.generates_early OR t.stage <> 'generate')
RETURNING {COLUMNS}
"""
_HELD = "tenant_id = %(tenant)s AND turn_id = %(turn)s AND lease_token = %(token)s AND status = 'running'"
_RENEW = f"UPDATE turns SET lease_until = now() + make_interval(secs => %(lease_s)s) WHERE {_HELD} RETURNING turn_id"
_ADVANCE = f"""
WITH done AS (
    UPDATE turns SET stage = %(stage)s, attempts = 0, lease_token = NULL, lease_until = NULL, holder = NULL,
        enqueued_at = clock_timestamp(), timings = timings || %(timings)s{{found}}
    WHERE {_HELD} RETURNING tenant_id, confirmed_at, generates_early
), owed AS ({webhooks.OWE} WHERE (SELECT confirmed_at FROM done) IS NOT NULL RETURNING 1)
SELECT confirmed_at, generates_early, (SELECT count(*) FROM owed) FROM done
"""
_ANSWER = f"""
WITH done AS (
    UPDATE turns SET lease_token = NULL, lease_until = NULL, holder = NULL, timings = timings || %(timings)s{{found}}
    WHERE {_HELD} RETURNING tenant_id, turn_id, conversation_id, question, answer, confirmed_at
), said AS (
    INSERT INTO messages (tenant_id, turn_id, conversation_id, role, content)
    SELECT d.tenant_id, d.turn_id, d.conversation_id, m.role, m.content
    FROM done d, LATERAL (VALUES ('user', coalesce(d.question, '')), ('assistant', d.answer)) AS m(role, content)
    WHERE d.confirmed_at IS NOT NULL
), talked AS (
    UPDATE conversations c SET last_message_at = now() FROM done d
    WHERE c.tenant_id = d.tenant_id AND c.conversation_id = d.conversation_id AND d.confirmed_at IS NOT NULL
)
SELECT confirmed_at FROM done
"""
_SAY = f"""
INSERT INTO sentences (tenant_id, turn_id, seq, text)
SELECT tenant_id, turn_id, %(seq)s, %(text)s FROM turns WHERE {_HELD} FOR KEY SHARE
RETURNING seq
"""
_UNSAY = "DELETE FROM sentences WHERE tenant_id = %(tenant)s AND turn_id = %(turn)s"
_FAIL = f"""
WITH failed AS (
    UPDATE turns t SET error_code = %(code)s, error_detail = %(detail)s, stage = 'synthesize', route = %(route)s,
        lease_token = NULL, lease_until = NULL, holder = NULL
    WHERE t.tenant_id = %(tenant)s AND t.turn_id = %(turn)s AND t.status IN ('queued', 'running')
      AND t.spoken AND t.confirmed_at IS NOT NULL AND t.error_code IS NULL
    RETURNING {COLUMNS}
), said AS (
    INSERT INTO sentences (tenant_id, turn_id, seq, text)
    SELECT f.tenant_id, f.turn_id, %(seq)s, %(text)s FROM failed f
)
SELECT * FROM failed
"""
# The lock, and a statement of its own after it: it sees what was committed while the one before waited.
_LOCK = "SELECT FROM turns WHERE tenant_id = %(tenant)s AND turn_id = %(turn)s FOR UPDATE"
_TIME = "UPDATE turns SET timings = %(timings)s || timings WHERE tenant_id = %(tenant)s AND turn_id = %(turn)s"
_COMPLETE = f"""
UPDATE turns t
SET status = CASE WHEN t.error_code IS NULL THEN 'completed' ELSE 'failed' END, completed_at = clock_timestamp()
WHERE t.tenant_id = %(tenant)s AND t.turn_id = %(turn)s AND t.status IN ('queued', 'running')
  AND (t.answer IS NOT NULL OR t.error_code IS NOT NULL) AND t.confirmed_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM sentences s WHERE s.tenant_id = t.tenant_id AND s.turn_id = t.turn_id
                  AND s.status IN ('queued', 'running'))
RETURNING {COLUMNS}
"""


@dataclass(frozen=True)
class Advanced:
    """A step that was handed on: whether the following one is to be woken, and how many deliveries are owed."""

    wakes: bool
    owed: int


def claim(driver: Driver, tenant_id: UUID, turn_id: UUID, stage: TurnStage, lease_s: float, holder: int | None) -> Rows:
    """Take the turn's step for `lease_s` seconds; read by `claimed`."""
    given = {"tenant": tenant_id, "turn": turn_id, "stage": stage.value, "lease_s": lease_s, "holder": holder}
    return driver.execute(_CLAIM, given)


def claimed(rows: Rows) -> Turn | None:
    """Return the turn that was taken; None where it is past, ended, waits to be confirmed or is held by another.

    Raises TooManyAttempts at the claim after the last one allowed.
    """
    turn = turn_of(rows)
    if turn is not None and turn.attempts > MAX_ATTEMPTS:
        raise TooManyAttempts("The answer could not be made: its worker stopped repeatedly.")
    return turn


def renew(driver: Driver, turn: Turn, lease_s: float) -> bool:
    """Prolong the lease; False where it is ours no more."""
    return driver.execute(_RENEW, {**_key(turn), "lease_s": lease_s}).fetchone() is not None


def advance(
    driver: Driver,
    turn: Turn,
    following: TurnStage,
    timings: Mapping[str, Any],
    told: Sequence[Event] = (),
    **found: object,
) -> Rows:
    """Keep what the step `found`, owe what is `told` where the turn is confirmed, and hand it on; see `advanced`."""
    given = {
        **_key(turn),
        "stage": following.value,
        "timings": Jsonb(dict(timings)),
        **webhooks.owing(turn.tenant_id, told),
    }
    return driver.execute(_ADVANCE.format(found=_sets(found)), {**given, **values(found)})


def advanced(rows: Rows, turn: Turn) -> Advanced:
    """Return what came of it; the turn knows then whether it is confirmed. Raises LeaseLost."""
    row = rows.fetchone()
    if row is None:
        raise LeaseLost
    turn.confirmed_at, generates_early, owed = row
    return Advanced(turn.confirmed_at is not None or generates_early, owed)


def answer(driver: Driver, turn: Turn, timings: Mapping[str, Any], **found: object) -> bool:
    """Keep the finished `answer` with its costs, and let the conversation remember it where the turn is confirmed.

    Return whether it is. The turn is complete once it is spoken (`complete`). Raises LeaseLost.
    """
    given = {**_key(turn), "timings": Jsonb(dict(timings)), **values(found)}
    row = driver.execute(_ANSWER.format(found=_sets(found)), given).fetchone()
    if row is None:
        raise LeaseLost
    (turn.confirmed_at,) = row
    return turn.confirmed_at is not None


def say(driver: Driver, turn: Turn, seq: int, text: str) -> Rows:
    """Queue the answer's sentence number `seq` (from 0) for its voice; no row where the lease is lost."""
    return driver.execute(_SAY, {**_key(turn), "seq": seq, "text": text})


def unsay(driver: Driver, turn: Turn) -> None:
    """Drop the sentences of an attempt that died; the answer starts anew."""
    driver.execute(_UNSAY, _key(turn))


def fail_aloud(driver: Driver, tenant_id: UUID, turn_id: UUID, error: AuraError, seq: int, said: str) -> Turn | None:
    """Keep why a spoken turn fails, and queue the sentence that says so: who speaks it ends the turn.

    None where it has ended already, is not spoken or not confirmed.
    """
    given = {"tenant": tenant_id, "turn": turn_id, "code": error.code, "detail": error.detail, "seq": seq, "text": said}
    return turn_of(driver.execute(_FAIL, {**given, "route": Jsonb(error.facts.get("route", {}))}))


def hold(driver: Driver, tenant_id: UUID, turn_id: UUID, timings: Mapping[str, Any] | None = None) -> None:
    """Take the lock of the turn's row, and add to its waterfall; a name that is there keeps its first value.

    Whoever changes a turn and its sentences takes the turn first: who ends it does, and both would else wait for
    each other.
    """
    given = {"tenant": tenant_id, "turn": turn_id}
    if timings:
        driver.execute(_TIME, {**given, "timings": Jsonb(dict(timings))})
    else:
        driver.execute(_LOCK, given)


def complete(driver: Driver, tenant_id: UUID, turn_id: UUID) -> Rows:
    """End the turn if its answer is there, or why there is none, and no sentence waits for its voice; see `completed`.

    Whoever ends the last piece completes the turn; the lock that `hold` has taken lets only one do it.
    """
    return driver.execute(_COMPLETE, {"tenant": tenant_id, "turn": turn_id})


def add_timings(driver: Driver, tenant_id: UUID, turn_id: UUID, timings: Mapping[str, Any]) -> None:
    """Add to a turn's waterfall; a name that is there already keeps its first value."""
    driver.execute(_TIME, {"tenant": tenant_id, "turn": turn_id, "timings": Jsonb(dict(timings))})


def completed(rows: Rows) -> Turn | None:
    """Return the turn that has ended; None where it goes on."""
    return turn_of(rows)


def turn_of(rows: Rows) -> Turn | None:
    """Return the turn whose columns were asked for; None where there was none."""
    row = rows.fetchone()
    return None if row is None else Turn(**dict(zip(NAMES, row, strict=True)))


def _key(turn: Turn) -> dict[str, Any]:
    return {"tenant": turn.tenant_id, "turn": turn.turn_id, "token": turn.lease_token}


def _sets(found: Mapping[str, object]) -> str:
    unknown = found.keys() - set(NAMES)
    if unknown:
        raise ValueError(f"turns have no {sorted(unknown)}")
    return "".join(f", {name} = %(found_{name})s" for name in found)


def values(found: Mapping[str, object]) -> dict[str, object]:
    """Return what a statement takes that sets these columns by `%(found_…)s`."""
    return {f"found_{name}": Jsonb(value) if isinstance(value, dict | list) else value for name, value in found.items()}
