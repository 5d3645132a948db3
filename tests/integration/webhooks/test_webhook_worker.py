"""A running worker delivers what it is woken for; killed in mid-delivery, nothing that was owed is lost."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID

import psycopg
import pytest
from celery import Celery

from tests import forked
from tests.integration.relay.valkey import wait_until
from tests.integration.webhooks.conftest import Log, add_endpoint, enqueue
from tests.integration.webhooks.receiver import Receiver

pytestmark = pytest.mark.timeout(700)
"""What is started here takes a while: more than others have where the machine is busy, and a place in front."""


class Worker:
    """A worker of the queue `notify`, and what wakes it."""

    def __init__(self, sender: Celery) -> None:
        self.sender = sender
        words = ["-m", "workers", "-Q", "notify", "-P", "threads", "-c", "2", "--without-mingle"]
        self.process = forked.start(words, os.environ, 2)

    def wake(self, *ids: object) -> None:
        self.sender.send_task("workers.webhooks.deliver", [str(each) for each in ids], queue="notify")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def start(allowing: None, admin: psycopg.Connection, servers: tuple[str, str, str]) -> Iterator[Callable[[], Worker]]:
    """Yield what starts workers; all end with the test."""
    admin.execute("DELETE FROM webhook_deliveries")
    with ExitStack() as stack:
        sender = stack.enter_context(Celery(set_as_current=False))
        sender.config_from_object("celeryconfig")
        sender.conf.broker_url = servers[2]

        def started() -> Worker:
            worker = Worker(sender)
            stack.callback(worker.end)
            return worker

        yield started


def test_kill_9_in_mid_delivery_loses_nothing(
    start: Callable[[], Worker], receiver: Receiver, tenant: UUID, log: Log
) -> None:
    endpoint = add_endpoint(tenant, receiver.url)
    receiver.reply = lambda it, _: it.say(200) if len(receiver.taken) < 40 else it.wait()
    enqueue(tenant, 100)
    worker = start()
    worker.wake(tenant)
    wait_until(lambda: len(receiver.taken) >= 45, 60)
    worker.kill()
    receiver.reply = lambda it, _: it.say(200)
    receiver.ended.set()
    left = log.admin.execute(
        "SELECT count(*) FROM webhook_deliveries WHERE lease_until IS NOT NULL AND status = 'pending'"
    ).fetchone()
    assert left and left[0] > 0, "it died with deliveries in its hands"
    # A minute and a half pass: the leases of the dead are over.
    log.admin.execute("UPDATE webhook_deliveries SET lease_until = now() WHERE lease_until IS NOT NULL")
    start().wake()
    log.wait(tenant, "delivered", 100, 60)
    assert len({taken.id for taken in receiver.taken}) == 100
    assert all(taken.is_verified_by(endpoint.secret) for taken in receiver.taken)
    twice = len(receiver.taken) - 100
    assert 0 < twice <= 80, "only what was in its hands came twice"


def test_a_worker_that_is_told_to_end_ends_what_is_on_its_way(
    start: Callable[[], Worker], receiver: Receiver, tenant: UUID, log: Log
) -> None:
    add_endpoint(tenant, receiver.url)

    def reply(it: object, _: object) -> None:
        receiver.ended.wait(0.5)
        it.say(200)  # type: ignore[attr-defined]

    receiver.reply = reply
    enqueue(tenant, 4)
    worker = start()
    worker.wake(tenant)
    wait_until(lambda: len(receiver.taken) == 4, 60)
    worker.end()
    assert log.rows(tenant, "status, attempts") == [("delivered", 1)] * 4


def test_two_workers_never_send_one_endpoint_more_than_it_takes(
    start: Callable[[], Worker], receiver: Receiver, tenant: UUID, log: Log
) -> None:
    add_endpoint(tenant, receiver.url, max_in_flight=3)

    def reply(it: object, _: object) -> None:
        receiver.ended.wait(0.01)
        it.say(200)  # type: ignore[attr-defined]

    receiver.reply = reply
    enqueue(tenant, 200)
    workers = [start(), start()]
    for _ in range(20):
        for worker in workers:
            worker.wake()
    log.wait(tenant, "delivered", 200, 60)
    assert receiver.most_at_once <= 3
    assert len(receiver.taken) == 200
