"""What all steps of a turn do: take it, hold it, tell of it, hand it on, notice that it was cancelled, and end it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from pipelines.stores import webhooks
from pipelines.stores.database import Driver, driver_of, tenant_pipeline, tenant_session
from pipelines.stores.operations.holding import holder
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import answers, cancellations, circumstances, manners, sentences, turn_steps, turns
from pipelines.stores.turns.answers import Kept
from pipelines.stores.turns.circumstances import Circumstances
from pipelines.turn.speaking.apologies import SILENT, apology
from pipelines.turn.speaking.voices import Manner
from schemas.errors.requests import UnknownAssistant
from schemas.errors.tree import AuraError
from schemas.errors.work import LeaseLost
from schemas.events import Event, EventName
from schemas.settings import get_settings
from schemas.tables.dialogue import Sentence, Turn, TurnStage, TurnStatus
from workers import announce, send
from workers.dialogue import asking, choosing
from workers.process import leases, metrics
from workers.spending.budget import Call

LEASE_S = 6.0
"""Work of a worker that hangs is given to another after this long; that of a dead one at once (`watching`)."""

CANCEL_CHECK_S = 0.1
"""How often it is asked whether a turn was cancelled; nobody hears any more of it meanwhile, it only costs."""


@dataclass(frozen=True)
class Taken:
    """A step that this worker has taken: its turn, and what its answer depends on, where the step needs that.

    `kept` is the answer that is kept for the very question, where the step is to answer; `knows` is whether anything
    is stored that could be found.
    """

    turn: Turn
    circumstances: Circumstances | None = None
    kept: Kept | None = None
    knows: bool = True

    @property
    def about(self) -> Circumstances:
        """Return what its answer depends on. Raises UnknownAssistant where its assistant is gone."""
        if self.circumstances is None:
            raise UnknownAssistant(f"There is no assistant {self.turn.assistant_key!r}.")
        return self.circumstances


def take(tenant_id: UUID, turn_id: UUID, stage: TurnStage) -> Taken | None:
    """Take a turn's step with all that it reads, in one round trip; None where it is not to be taken.

    Raises TooManyAttempts.
    """
    about = kept = knows = None
    with tenant_pipeline(tenant_id, durable=False) as driver:
        row = turn_steps.claim(driver, tenant_id, turn_id, stage, LEASE_S, holder().number)
        if stage is TurnStage.TRANSCRIBE:
            knows = circumstances.knows(driver, tenant_id)
        else:
            about = circumstances.of_turn(driver, tenant_id, turn_id)
        chosen = choosing.ask(driver, tenant_id)
        if stage is TurnStage.GENERATE:
            kept = answers.exact_of_turn(driver, tenant_id, turn_id, get_settings().answer_cache_s)
    choosing.know(tenant_id, chosen)
    turn = turn_steps.claimed(row)
    if turn is None:
        return None
    known = circumstances.found(about, turn.assistant_key) if about else None
    return Taken(turn, known, answers.kept(kept) if kept else None, knows is None or knows.fetchone()[0])


@dataclass(frozen=True)
class TakenSentence:
    """A sentence that this worker has taken, its turn as far as its voice depends on it, and that voice."""

    sentence: Sentence
    turn: Turn
    manner: Manner


def take_sentence(tenant_id: UUID, turn_id: UUID, seq: int) -> TakenSentence | None:
    """Take a sentence that is to be spoken, in one round trip; None where it is not to be taken."""
    with tenant_pipeline(tenant_id, durable=False) as driver:
        row = sentences.claim(driver, tenant_id, turn_id, seq, LEASE_S, holder().number)
        voice = manners.of_turn(driver, tenant_id, turn_id)
        chosen = choosing.ask(driver, tenant_id)
    choosing.know(tenant_id, chosen)
    taken = sentences.claimed(row, tenant_id, turn_id, seq)
    if taken is None:
        return None
    sentence, turn = taken
    try:
        return TakenSentence(sentence, turn, manners.found(voice, turn))
    except UnknownAssistant:
        # It was deleted meanwhile; what it has said is spoken to its end.
        return TakenSentence(sentence, turn, Manner())


def hand_on(
    turn: Turn,
    following: TurnStage,
    timings: Mapping[str, Any],
    found_out: Mapping[EventName, Mapping[str, Any]],
    call: Call | None = None,
    **found: object,
) -> None:
    """Keep what a step found, wake the following one, then tell of it, in order. Raises LeaseLost.

    A turn that is not confirmed is not woken to be answered, and nobody but its session is told. A `call` that was
    paid for is settled with it.
    """
    told = [announce.of_turn(name, turn, **data) for name, data in found_out.items()]
    asked = [replace(event, data={k: v for k, v in event.data.items() if k != "speculative"}) for event in told]
    if call is not None and call.is_held:
        with tenant_session(turn.tenant_id, durable=False) as session:
            rows = turn_steps.advance(driver_of(session), turn, following, timings, asked, **found)
            done = turn_steps.advanced(rows, turn)
            call.settle(session)
    else:
        # A free call is written down when the next step is under way: somebody waits.
        with tenant_pipeline(turn.tenant_id, durable=False) as driver:
            rows = turn_steps.advance(driver, turn, following, timings, asked, **found)
        done = turn_steps.advanced(rows, turn)
    if done.wakes or following is not TurnStage.GENERATE:
        send.turn(turn.tenant_id, turn.turn_id, following)
    announce.many(asked if turn.confirmed_at is not None else told)
    if done.owed:
        send.webhooks(turn.tenant_id)


def tell(name: EventName, turn: Turn, **data: object) -> None:
    announce.many([announce.of_turn(name, turn, **data)])


def complete(driver: Driver, tenant_id: UUID, turn_id: UUID) -> Callable[[], None]:
    """End the turn, whose row the caller holds, if this was its last piece; return what tells of it after that."""
    rows = turn_steps.complete(driver, tenant_id, turn_id)
    wanted = driver.execute(webhooks.WANTED, {"tenant": tenant_id})
    ended = turn_steps.completed(rows)
    if ended is None:
        return lambda: None
    owed = announce.owe_by(driver, tenant_id, [last_event(ended)], wanted.fetchone()[0])

    def tell_completed() -> None:
        owed()
        metrics.turn(ended)
        if ended.status == TurnStatus.COMPLETED:
            asking.remember(ended)

    return tell_completed


def finish_sentence(sentence: Sentence, status: TurnStatus, timings: Mapping[str, Any]) -> None:
    """Say that a sentence is spoken, or failed; whoever ends the last one completes the turn. Raises LeaseLost."""
    with tenant_pipeline(sentence.tenant_id, durable=False) as driver:
        turn_steps.hold(driver, sentence.tenant_id, sentence.turn_id, timings)
        done = sentences.finish(driver, sentence, status)
        tell_completed = complete(driver, sentence.tenant_id, sentence.turn_id)
        if done.fetchone() is None:
            raise LeaseLost
    tell_completed()


def last_event(turn: Turn) -> Event:
    """Return the event that a turn has ended with."""
    if turn.status == TurnStatus.COMPLETED:
        return announce.of_turn(EventName.TURN_COMPLETED, turn, **turns.as_answer(turn))
    if turn.status == TurnStatus.CANCELLED:
        return announce.of_turn(EventName.TURN_CANCELLED, turn, reason=turn.error_detail)
    return announce.of_turn(EventName.TURN_FAILED, turn, code=turn.error_code, detail=turn.error_detail)


def end(tenant_id: UUID, turn_id: UUID, status: TurnStatus, error: AuraError) -> None:
    """End a turn that was cancelled or has failed. Who listens is told by a sentence that ends it."""
    if status is TurnStatus.FAILED and error.code not in SILENT and _fail_aloud(tenant_id, turn_id, error):
        return
    with tenant_session(tenant_id) as session:
        ended = turns.end(session, turn_id, status, error)
        if ended is None:
            return
        # What was asked in vain, and what had come of an answer that broke off.
        ended.route = error.facts.get("route", ended.route)
        ended.answer = error.facts.get("said", ended.answer)
        told = [last_event(ended)]
        tell = announce.owe(session, tenant_id, told if ended.confirmed_at is not None else ())
    if ended.confirmed_at is None:
        announce.many(told)
    tell()
    metrics.turn(ended)


def _fail_aloud(tenant_id: UUID, turn_id: UUID, error: AuraError) -> bool:
    """Have it said that a spoken turn has failed; False where nobody listens."""
    with tenant_session(tenant_id) as session:
        seq = sentences.count(session, turn_id)
        said = apology(error.code, turns.language(session, turn_id))
        failed = turn_steps.fail_aloud(driver_of(session), tenant_id, turn_id, error, seq, said)
    if failed is None:
        return False
    send.sentence(tenant_id, turn_id, seq)
    tell(EventName.TURN_SENTENCE, failed, seq=seq, text=said, code=error.code)
    return True


def cancelled(turn: Turn) -> Callable[[], bool]:
    """Return a check of the turn's flag that asks Redis at most every `CANCEL_CHECK_S`, from then on.

    Whoever took the step saw in its row that it was not cancelled.
    """
    last = [time.monotonic(), False]

    def check() -> bool:
        now = time.monotonic()
        if now - last[0] > CANCEL_CHECK_S:
            last[:] = [now, cancellations.requested(get_redis(), turn.tenant_id, turn.turn_id)]
        return bool(last[1])

    return check


@contextmanager
def held(tenant_id: UUID, renew: Callable[[Driver], bool]) -> Iterator[None]:
    """Keep a lease alive while the block runs."""

    def renewed() -> bool:
        with tenant_pipeline(tenant_id, durable=False) as driver:
            return renew(driver)

    with leases.kept(renewed, LEASE_S / 3):
        yield
