"""Webhooks go out here. Tasks only wake the post of this process; due times and leases are in Postgres."""

from uuid import UUID

from celery import signals
from sqlalchemy import text

from pipelines.stores import webhooks
from pipelines.stores.database import operator_session
from pipelines.stores.redis import get_redis
from workers.app import app
from workers.posting.post import Post

FORGOTTEN_A_BATCH = 2000

_post = Post()


@app.task(name="workers.webhooks.deliver")
def deliver(tenant_id: str | None = None) -> None:
    """Have what is due delivered; beat asks every two seconds, and whoever has enqueued something at once."""
    if tenant_id is not None:
        webhooks.awake(get_redis(), UUID(tenant_id))
    _post.nudge()


@app.task(name="workers.webhooks.forget")
def forget() -> None:
    """Forget deliveries after 30 days, in batches."""
    gone = FORGOTTEN_A_BATCH
    while gone == FORGOTTEN_A_BATCH:
        with operator_session() as session:
            gone = session.execute(text("SELECT forget_webhooks(:n)"), {"n": FORGOTTEN_A_BATCH}).scalar_one()


@signals.worker_shutdown.connect
def _close(**_: object) -> None:
    """Let what is on its way come to its end before the process does."""
    _post.close()
