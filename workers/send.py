"""Wakes workers. A message that can not be sent is no loss: the sweep finds the row it stood for."""

from collections.abc import Iterable
from uuid import UUID

import structlog
from kombu.exceptions import OperationalError

from pipelines.stores.stages import StageRef
from schemas.dialogue import TurnStage
from workers.app import app

log = structlog.get_logger()

QUEUES = tuple(queue.name for queue in app.conf.task_queues)
"""Every queue that must have a worker."""


def _send(task: str, *args: object, **options: object) -> None:
    try:
        app.send_task(task, args=[str(arg) if isinstance(arg, UUID) else arg for arg in args], **options)
    except OperationalError:
        log.warning("message not sent; the sweep will find the work", task=task)


def admission() -> None:
    """Ask for queued documents to be admitted."""
    _send("workers.upkeep.admit")


def stages(refs: Iterable[StageRef]) -> None:
    """Wake the workers of these parts."""
    for ref in refs:
        _send(f"workers.ingest.{ref.stage.value}", ref.tenant_id, ref.doc_id, ref.version, ref.part)


def turn(tenant_id: UUID, turn_id: UUID, stage: TurnStage) -> None:
    """Wake a worker of the turn's step."""
    _send(f"workers.turn.{stage.value}", tenant_id, turn_id)


def sentence(tenant_id: UUID, turn_id: UUID, seq: int) -> None:
    """Wake a speaker for a sentence."""
    _send("workers.turn.synthesize", tenant_id, turn_id, seq)


def mail(tenant_id: UUID, mail_id: UUID) -> None:
    """Wake a worker for a mail."""
    # The sweep repeats it each minute, so one that is older is not needed.
    _send("workers.mail.deliver", tenant_id, mail_id, expires=60)


def voice_call(task: str, tenant_id: UUID, call_id: UUID) -> None:
    """Wake a worker for a call whose caller waits; `task` is `transcribe`, `synthesize` or `voices`."""
    _send(f"workers.voice.{task}", tenant_id, call_id)


def tenant_deletion(tenant_id: UUID, in_s: float = 0) -> None:
    """Wake who deletes the tenant, `in_s` seconds from now."""
    # One that waits for its worker is repeated by the sweep, so it need not wait for long.
    options: dict[str, object] = {"countdown": in_s} if in_s else {"expires": 30}
    _send("workers.tenants.delete", tenant_id, **options)
