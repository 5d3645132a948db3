"""A slow receiver delays nobody else, and many slow ones together leave half of the places to the rest."""

import time
from collections.abc import Callable
from statistics import median
from uuid import UUID

import pytest

from pipelines.stores.webhooks import work
from tests.integration.relay.valkey import wait_until
from tests.integration.webhooks.conftest import Log, add_endpoint, enqueue
from tests.integration.webhooks.receiver import Conversation, Receiver, Taken, listening
from workers.posting import post as posts
from workers.posting import tries
from workers.posting.post import SLOW_EACH, SLOW_PLACES, Post


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take nobody for slow who is only on a busy machine, and give up no try: who is silent stays so to the end."""
    for module in (posts, work):
        monkeypatch.setattr(module, "SLOW_S", 100.0)
    monkeypatch.setattr(tries, "TIMEOUT_S", 600.0)


def latency_s(post: Post, tenant: UUID, receiver: Receiver) -> float:
    """Return the seconds until a new event has arrived."""
    before, began = len(receiver.taken), time.perf_counter()
    enqueue(tenant)
    post.nudge()
    wait_until(lambda: len(receiver.taken) > before)
    return time.perf_counter() - began


def test_beside_a_slow_receiver_a_fast_one_keeps_its_pace(
    post: Post, receiver: Receiver, new_tenant: Callable[[], UUID]
) -> None:
    fast, slow = new_tenant(), new_tenant()
    add_endpoint(fast, receiver.url)
    latency_s(post, fast, receiver)
    idle = [latency_s(post, fast, receiver) for _ in range(15)]
    with listening(reply=lambda it, _: it.wait()) as silent:
        add_endpoint(slow, silent.url)
        enqueue(slow, 500)
        post.nudge()
        wait_until(lambda: len(silent.taken) == SLOW_EACH)
        beside = [latency_s(post, fast, receiver) for _ in range(15)]
        assert len(silent.taken) == SLOW_EACH, "one of which nothing is known has few places"
    # Twice, as promised, and some seconds for a machine that does something else meanwhile: who waited for the slow one
    # would wait for its time limit.
    assert median(beside) <= 2 * median(idle) + 5


def test_however_many_are_slow_half_of_the_places_are_for_the_rest(
    post: Post, receiver: Receiver, new_tenant: Callable[[], UUID], log: Log
) -> None:
    fast = new_tenant()
    add_endpoint(fast, receiver.url)
    latency_s(post, fast, receiver)
    with listening(reply=lambda it, _: it.wait()) as silent:
        for _ in range(3):
            slow = new_tenant()
            for _ in range(15):
                add_endpoint(slow, silent.url)
            enqueue(slow, 20)
        post.nudge()
        wait_until(lambda: len(silent.taken) == SLOW_PLACES)
        latency_s(post, fast, receiver)
        assert len(silent.taken) == SLOW_PLACES, "45 slow endpoints want more, and do not get it"


def test_a_backlog_of_one_is_no_queue_for_another(
    post: Post, receiver: Receiver, new_tenant: Callable[[], UUID], log: Log
) -> None:
    big, small = new_tenant(), new_tenant()
    ahead: list[int] = []
    with listening() as other:

        def reply(it: Conversation, _: Taken) -> None:
            ahead.append(len(other.taken))
            it.say(200)

        receiver.reply = reply
        add_endpoint(big, other.url)
        add_endpoint(small, receiver.url)
        enqueue(big, 3000)
        enqueue(small, 1)
        post.nudge()
        wait_until(lambda: len(ahead) == 1)
    assert ahead[0] < 1500, "the small one was not behind the big one's backlog"


def test_an_endpoint_that_has_become_fast_is_given_more_at_once(
    post: Post, receiver: Receiver, tenant: UUID, log: Log
) -> None:
    endpoint = add_endpoint(tenant, receiver.url)
    assert log.endpoint(endpoint, "is_slow") == (True,), "nothing is known of it yet"
    enqueue(tenant)
    post.nudge()
    log.wait(tenant, "delivered")
    assert log.endpoint(endpoint, "is_slow") == (False,)

    def reply(it: Conversation, _: Taken) -> None:
        wait_until(lambda: receiver.most_at_once >= 16)
        it.say(200)

    receiver.reply = reply
    enqueue(tenant, 60)
    post.nudge()
    log.wait(tenant, "delivered", 61)
    assert receiver.most_at_once == 16
