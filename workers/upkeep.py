"""Work that keeps work going: admission of documents, and the sweep that finds what was lost."""

from typing import Any, cast

import redis
import structlog
from sqlalchemy import text

from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.ingest import intakes, uploads
from pipelines.stores.ingest.parts import EXPRESS
from pipelines.stores.knowledge import documents, edits, evaluations, promotion
from pipelines.stores.objects import upload_prefix
from pipelines.stores.operations import mails, notices
from pipelines.stores.operations.notices import Notice
from pipelines.stores.organisation import tenant_deletion, usage
from pipelines.stores.redis import get_redis
from schemas.settings import get_settings
from schemas.tables.knowledge import LARGE_UNITS, Stage
from workers import send, wiring
from workers.app import app
from workers.dialogue import watching
from workers.documents import batches
from workers.spending import health

log = structlog.get_logger()

LOG_GROWTH_BYTES = 64 * 1024
"""What the log of Redis may grow by before it is written anew: less than this holds no speech to speak of."""


@app.task(name="workers.upkeep.admit")
def admit() -> None:
    """Start queued documents, fairly over all tenants."""
    settings = get_settings()
    with operator_session() as session:
        parts = documents.admit(
            session, LARGE_UNITS * settings.ingest_in_flight, LARGE_UNITS * settings.ingest_per_tenant
        )
    send.stages(parts)


@app.task(name="workers.upkeep.sweep")
def sweep() -> None:
    """Enqueue again what is due and held by nobody, and admit what waits.

    A message that is still in its queue is not sent twice for a minute; where the queue is empty
    two seconds prove that it is lost.
    """
    idle = _idle_queues()
    watching.look_in_their_place()
    with operator_session() as session:
        parts = documents.take_due(session, idle)
        leaving = tenant_deletion.take_due(session)
        posted = mails.take_due(session)
        arriving = intakes.take_due(session)
        edited = edits.take_due(session)
        asked = evaluations.take_due(session)
    send.stages(parts)
    for tenant_id in leaving:
        send.tenant_deletion(tenant_id)
    for tenant_id, mail_id in posted:
        send.mail(tenant_id, mail_id)
    for tenant_id, batch_id in arriving:
        send.intake(tenant_id, batch_id)
    for tenant_id, edit_id in edited:
        send.edit(tenant_id, edit_id)
    for tenant_id, evaluation_id in asked:
        send.evaluation(tenant_id, evaluation_id)
    admit.run()
    batches.tell_progress()


@app.task(name="workers.upkeep.flush_calls")
def flush_calls() -> None:
    """Write the calls that Redis has counted to the rows of their months."""
    usage.flush_calls(get_redis())


@app.task(name="workers.upkeep.settle_providers")
def settle_providers() -> None:
    """Tell that providers have recovered which nobody has called since they failed."""
    health.settle()


@app.task(name="workers.upkeep.rewrite_log")
def rewrite_log() -> None:
    """Have Redis write its log of changes anew: what has expired is then on no disk either, sound above all."""
    try:
        about = cast(dict[str, Any], get_redis().info("persistence"))
        if about.get("aof_enabled") and about["aof_current_size"] - about["aof_base_size"] > LOG_GROWTH_BYTES:
            get_redis().bgrewriteaof()
    except redis.ResponseError:
        # One that somebody else keeps may not let us.
        log.info("the log of Redis is not ours to rewrite")


@app.task(name="workers.upkeep.index_vectors")
def index_vectors() -> None:
    """Index the vectors of tenants that have become large, where this worker is given a role that may.

    Where it is not, the operator is told once there are such tenants.
    """
    url = get_settings().database_index_url
    if url:
        promotion.settle(url)
    notices.put(get_redis(), Notice.UNINDEXED, holds=not url and bool(promotion.large_corpora()))


@app.task(name="workers.upkeep.forget")
def forget() -> None:
    """Delete what has expired and is of no more use: answers kept for replays, logins, one-time tokens."""
    with operator_session() as session:
        session.execute(text("SELECT forget_expired()"))
        late = uploads.expired(session)
    for tenant_id, upload_id in late:
        with tenant_session(tenant_id) as of_tenant:
            uploads.remove_expired(of_tenant, upload_id)
        wiring.objects().delete_prefix(upload_prefix(tenant_id, upload_id))


def _idle_queues() -> list[str]:
    names = [EXPRESS, *(stage.value for stage in Stage)]
    with get_redis().pipeline(transaction=False) as pipe:
        for name in names:
            pipe.llen(name)
        return [name for name, length in zip(names, pipe.execute(), strict=True) if length == 0]
