"""A running worker delivers what it is woken for and what the sweep finds, and forgets what has expired."""

import os
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from celery import Celery

from pipelines.stores.database import tenant_session
from pipelines.stores.operations import mails
from tests import forked
from tests.integration.mail.smtp_server import MailServer
from tests.integration.relay.valkey import wait_until

pytestmark = pytest.mark.timeout(700)
"""What is started here takes a while: more than others have where the machine is busy, and a place in front."""


@pytest.fixture
def worker(configure: Callable[..., None], servers: tuple[str, str, str], server: MailServer) -> Iterator[Celery]:
    """Start a worker of upkeep, and yield what sends it messages."""
    configure(AURA_SMTP_URL=server.url)
    words = ["-m", "workers", "-Q", "upkeep,notify", "-P", "threads", "-c", "2", "--without-mingle"]
    process = forked.start(words, os.environ, 2)
    with Celery(set_as_current=False) as sender:
        sender.config_from_object("celeryconfig")
        sender.conf.broker_url = servers[2]
        try:
            yield sender
        finally:
            process.terminate()
            process.wait(30)


def queue(tenant_id: UUID) -> UUID:
    with tenant_session(tenant_id) as session:
        return mails.queue(session, tenant_id, "ada@example.org", "Your new password", "the token")


def test_woken_or_swept_every_mail_arrives_once(
    worker: Celery, server: MailServer, new_tenant: Callable[[], UUID], admin: psycopg.Connection
) -> None:
    admin.execute("DELETE FROM outgoing_mails")
    queued = [(tenant_id, queue(tenant_id)) for tenant_id in (new_tenant() for _ in range(5))]
    for tenant_id, mail_id in queued[:2] * 2:
        worker.send_task("workers.mail.deliver", [str(tenant_id), str(mail_id)])
    worker.send_task("workers.upkeep.sweep")  # The others' messages were never sent.
    worker.send_task("workers.upkeep.sweep")

    def all_are_sent() -> bool:
        return admin.execute("SELECT count(*) FROM outgoing_mails WHERE status <> 'sent'").fetchone() == (0,)

    wait_until(all_are_sent, 60)
    assert sorted(taken.message["Message-ID"] for taken in server.taken) == sorted(
        f"<{mail_id}@localhost>" for _, mail_id in queued
    )


def test_what_has_expired_is_forgotten(worker: Celery, tenant: UUID, admin: psycopg.Connection) -> None:
    add = (
        "INSERT INTO idempotency_keys (tenant_id, actor, key, request_hash, lease_token, lease_until, created_at)"
        " VALUES (%s, 'ada', %s, '', %s, now(), now() - %s::interval)"
    )
    for key, age in (("old", "25 h"), ("new", "23 h")):
        admin.execute(add, (tenant, key, uuid4(), age))
    worker.send_task("workers.upkeep.forget")

    def kept() -> list[str]:
        rows = admin.execute("SELECT key FROM idempotency_keys WHERE tenant_id = %s ORDER BY key", (tenant,))
        return [key for (key,) in rows]

    wait_until(lambda: kept() == ["new"], 60)
