"""Wakes workers. A message that can not be sent is no loss: the sweep finds the row it stood for."""

from collections.abc import Iterable
from uuid import UUID

import structlog
from kombu.exceptions import OperationalError

from pipelines.ingest.embed import LOCAL_BATCH, REMOTE_BATCH
from pipelines.stores import webhooks as deliveries
from pipelines.stores.ingest.parts import Part
from pipelines.stores.redis import get_redis
from schemas.errors.providers import StoreUnavailable
from schemas.settings import get_settings
from schemas.tables.dialogue import TurnStage
from workers.app import app
from workers.bundles import bundles

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


def stages(parts: Iterable[Part]) -> None:
    """Wake the workers of these parts: one message for each bundle."""
    for bundle in bundles(parts, texts_a_request()):
        first = bundle[0]
        named = [(str(part.ref.doc_id), part.ref.version, part.ref.part) for part in bundle]
        _send(f"workers.ingest.{first.ref.stage.value}", first.ref.tenant_id, named, queue=first.queue)


def texts_a_request() -> int:
    """Return how many texts are embedded at a time: fewer where the model runs here, so that a crash costs little."""
    return LOCAL_BATCH if get_settings().embedder == "local" else REMOTE_BATCH


def turn(tenant_id: UUID, turn_id: UUID, stage: TurnStage) -> None:
    """Wake a worker of the turn's step."""
    _send(f"workers.turn.{stage.value}", tenant_id, turn_id)


def sentence(tenant_id: UUID, turn_id: UUID, seq: int) -> None:
    """Wake a speaker for a sentence."""
    _send("workers.turn.synthesize", tenant_id, turn_id, seq)


def summary(tenant_id: UUID, conversation_id: UUID) -> None:
    """Have the conversation's older part summarised."""
    # The next answer asks for it again, so one that waits for its worker need not wait for long.
    _send("workers.memory.summarise", tenant_id, conversation_id, expires=60)


def mail(tenant_id: UUID, mail_id: UUID) -> None:
    """Wake a worker for a mail."""
    # The sweep repeats it each minute, so one that is older is not needed.
    _send("workers.mail.deliver", tenant_id, mail_id, expires=60)


def webhooks(tenant_id: UUID) -> None:
    """Have the tenant's webhooks delivered, once they are committed; while a message waits, no second one is sent."""
    try:
        needed = deliveries.must_wake(get_redis(), tenant_id)
    except StoreUnavailable:
        needed = True
    if needed:
        _send("workers.webhooks.deliver", tenant_id, expires=60)


def filler(tenant_id: UUID, turn_id: UUID) -> None:
    """Have a filler said in a turn whose answer is late."""
    # Said late it would only delay what is waited for.
    _send("workers.fillers.say", tenant_id, turn_id, expires=2)


def voice_call(task: str, tenant_id: UUID, call_id: UUID) -> None:
    """Wake a worker for a call whose caller waits; `task` is `transcribe`, `synthesize` or `voices`."""
    _send(f"workers.voice.{task}", tenant_id, call_id)


def key_trial(tenant_id: UUID, call_id: UUID) -> None:
    """Wake a worker that tries a provider's key for a caller who waits."""
    # Nobody waits for longer, and a trial costs something.
    _send("workers.key_trials.try_key", tenant_id, call_id, expires=30)


def partial(tenant_id: UUID, call_id: UUID, within_s: float) -> None:
    """Wake who listens to an utterance that is not finished; of no use to anybody after `within_s`."""
    _send("workers.partials.transcribe", tenant_id, call_id, expires=within_s)


def search_call(tenant_id: UUID, call_id: UUID) -> None:
    """Wake a worker for a search whose caller waits."""
    _send("workers.searching.search", tenant_id, call_id, expires=60)


def evaluation(tenant_id: UUID, evaluation_id: UUID) -> None:
    """Wake who asks the questions of an evaluation."""
    # The sweep repeats it, so one that waits for its worker need not wait for long.
    _send("workers.evaluation.ask", tenant_id, evaluation_id, expires=60)


def page(tenant_id: UUID, call_id: UUID) -> None:
    """Wake who draws a page for a caller who waits."""
    _send("workers.pages.draw", tenant_id, call_id, expires=60)


def tenant_deletion(tenant_id: UUID, in_s: float = 0) -> None:
    """Wake who deletes the tenant, `in_s` seconds from now."""
    # One that waits for its worker is repeated by the sweep, so it need not wait for long.
    options: dict[str, object] = {"countdown": in_s} if in_s else {"expires": 30}
    _send("workers.tenants.delete", tenant_id, **options)


def intake(tenant_id: UUID, batch_id: UUID) -> None:
    """Wake a worker for what a batch came as: an archive, or addresses."""
    # The sweep repeats it, so one that waits for its worker need not wait for long.
    _send("workers.intake.take_in", tenant_id, batch_id, expires=60)


def edit(tenant_id: UUID, edit_id: UUID) -> None:
    """Wake a worker for an edit of a chunk."""
    # The sweep repeats it, so one that waits for its worker need not wait for long.
    _send("workers.edits.apply", tenant_id, edit_id, expires=60)
