"""Looks for turns whose worker has died, and for those that nobody confirmed; from one thread a process.

Somebody waits for a turn, and beat, whose sweep finds all other work, is one process, every 2 s: so every worker of
turns looks once a second, and of all of them only one.
"""

import threading
from typing import Any

import structlog
from celery import signals

from pipelines.stores.database import operator_pipeline, operator_session
from pipelines.stores.events import reaching_redis
from pipelines.stores.operations.holding import holder
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import sentences, turns
from schemas.errors.tree import AuraError
from schemas.tables.dialogue import TurnStage
from workers import send
from workers.dialogue import speculation

EVERY_S = 0.5
WATCH_KEY = "aura:watching"
"""Whoever sets it looks; it is gone just before the next look is due."""

_DUE = "SELECT turns_are_due()"

log = structlog.get_logger()

_stopping = threading.Event()


def look() -> int:
    """Wake workers for what is due and held by nobody that lives; return how much that was."""
    with operator_pipeline() as driver:
        due = driver.execute(_DUE)
    if due.fetchone() != (True,):
        return 0
    with reaching_redis(), get_redis().pipeline(transaction=False) as pipe:
        for stage in TurnStage:
            pipe.llen(stage.value)
        idle = [stage.value for stage, length in zip(TurnStage, pipe.execute(), strict=True) if length == 0]
    with operator_session() as session:
        steps = turns.take_due(session, idle)
        spoken = sentences.take_due(session, TurnStage.SYNTHESIZE in idle)
    for tenant_id, turn_id, stage in steps:
        send.turn(tenant_id, turn_id, stage)
    for tenant_id, turn_id, seq in spoken:
        send.sentence(tenant_id, turn_id, seq)
    if steps or spoken:
        log.info("turns are taken up again", steps=len(steps), sentences=len(spoken))
    return len(steps) + len(spoken) + speculation.drop_abandoned()


def look_in_their_place() -> None:
    """Look where no worker of turns does."""
    with reaching_redis():
        is_watched = get_redis().exists(WATCH_KEY)
    if not is_watched:
        look()


@signals.worker_ready.connect
def watch(sender: Any, **_: Any) -> None:
    """Be seen to be alive, and look for who is not, where this worker takes steps of turns."""
    queues = {queue.name for queue in sender.app.amqp.queues.consume_from.values()}
    if queues.isdisjoint(stage.value for stage in TurnStage):
        return
    holder().settle()
    threading.Thread(target=_run, name="watching", daemon=True).start()


@signals.worker_shutdown.connect
def stop(**_: Any) -> None:
    _stopping.set()


def _is_our_turn() -> bool:
    with reaching_redis():
        return bool(get_redis().set(WATCH_KEY, "1", nx=True, px=int(EVERY_S * 900)))


def _run() -> None:
    while not _stopping.wait(EVERY_S):
        holder().settle()
        try:
            if _is_our_turn():
                look()
        except AuraError as error:
            log.warning("turns not looked for", code=error.code)
        # Whatever it is, the next look may work; a thread that ends would never look again.
        except Exception:
            log.exception("turns not looked for")
