"""How a turn begins: committed as queued work, or answered at once where its answer is kept.

Asked by text, it passes no queue then: the web process asks for answers to the very same question. One that is asked
by voice has no words yet.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg

from pipelines.stores import webhooks
from pipelines.stores.database import Driver, tenant_pipeline
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import answers, beginnings, circumstances, recordings, utterances
from pipelines.stores.turns.answers import Asked
from schemas.errors.requests import InactiveAssistant, NotFound
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn, TurnStatus
from workers import announce, send
from workers.dialogue import asking, caching, turning
from workers.dialogue.asking import Asking
from workers.dialogue.caching import Hit
from workers.process import metrics


def begin(turn: Turn, utterance: bytes | None = None, opens_for: str | None = None, *, recorded: bool = False) -> Turn:
    """Commit a new turn, wake its first step unless it is answered, and return it as it is kept then.

    With `opens_for` its conversation is opened for that user; `recorded`, its sound may be kept. Raises
    UnknownAssistant, InactiveAssistant, and NotFound where the conversation is gone.
    """
    turn.created_at = datetime.now(UTC)
    made, known = None, None
    if turn.question and turn.confirmed_at is not None:
        made, known = _known(turn, opens_for)
    if utterance is not None:
        # Before the commit: whoever finds the turn finds what was said.
        utterances.put(get_redis(), turn.tenant_id, turn.turn_id, utterance)
    try:
        # What was said into a microphone does not outlive a crash of the machine, so its row need not either.
        with tenant_pipeline(turn.tenant_id, durable=utterance is None) as driver:
            if made is not None and known is not None and (hit := _hit(driver, turn, known)) is not None:
                begun, after = _answered(driver, turn, hit, made, opens_for)
            else:
                begun, after = _queued(driver, turn, opens_for)
            if recorded:
                recordings.accept(driver, turn.tenant_id, turn.turn_id, turn.conversation_id)
    except psycopg.errors.ForeignKeyViolation as error:
        if utterance is not None:
            utterances.delete(get_redis(), turn.tenant_id, turn.turn_id)
        raise NotFound("There is no conversation with this id.") from error
    after()
    return begun


def _known(turn: Turn, opens_for: str | None) -> tuple[Asking, Asked | None]:
    """Return what the turn asks, and how the cache knows it."""
    conversation_id = None if opens_for is not None else turn.conversation_id
    with tenant_pipeline(turn.tenant_id, durable=False) as driver:
        rows = circumstances.of_asked(driver, turn.tenant_id, turn.assistant_key, conversation_id, opens_for)
    about = circumstances.found(rows, turn.assistant_key)
    if not about.is_active and opens_for is not None:
        raise InactiveAssistant
    made = asking.asked(turn, about, ())
    known = caching.asked(turn, made, about.standing)
    turn.cache = vars(known) if known else dict(caching.NOT_CACHED)
    return made, known


def _hit(driver: Driver, turn: Turn, known: Asked) -> Hit | None:
    lasts_s = get_settings().answer_cache_s
    kept = answers.kept(answers.exact(driver, turn.tenant_id, turn.assistant_key, known.key, lasts_s))
    return Hit(kept, "exact") if kept else None


def _queued(driver: Driver, turn: Turn, opens_for: str | None) -> tuple[Turn, Callable[[], None]]:
    """Keep a turn that is to be worked on; return it, and what wakes its first step after the commit."""
    turn.status = TurnStatus.QUEUED
    if opens_for is not None:
        beginnings.open_conversation(driver, turn, opens_for)
    beginnings.insert(driver, turn)
    return turn, lambda: send.turn(turn.tenant_id, turn.turn_id, turn.stage)


def _answered(
    driver: Driver, turn: Turn, hit: Hit, made: Asking, opens_for: str | None
) -> tuple[Turn, Callable[[], None]]:
    """Keep a turn with its answer; return it, and what tells of it after the commit.

    Its events are those of any turn, in their order. One that is spoken is completed by who speaks its last sentence.
    """
    to_speak = caching.answer(turn, hit, made)
    if opens_for is not None:
        beginnings.open_conversation(driver, turn, opens_for)
    rows = beginnings.insert(driver, turn)
    beginnings.answered(driver, turn, to_speak)
    wanted = driver.execute(webhooks.WANTED, {"tenant": turn.tenant_id})
    kept = beginnings.inserted(rows)
    told = caching.told(kept, hit)
    if not to_speak:
        told.append(turning.last_event(kept))
    tell = announce.owe_by(driver, turn.tenant_id, told, wanted.fetchone()[0])

    def after() -> None:
        tell()
        if not to_speak:
            metrics.turn(kept)
        for seq in range(len(to_speak)):
            send.sentence(turn.tenant_id, turn.turn_id, seq)

    return kept, after
