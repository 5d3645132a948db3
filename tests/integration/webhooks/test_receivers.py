"""Receivers that are well, down, slow, broken or leading elsewhere: every try is made, written down and followed."""

import json
import socket
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from pipelines.webhooks import schedule
from pipelines.webhooks.schedule import JITTER, WAITS_S
from schemas.events import EventName
from tests.integration.webhooks.conftest import Log, add_endpoint, enqueue
from tests.integration.webhooks.receiver import ALLOWED, Conversation, Receiver, Reply, Taken, listening
from workers.posting import tries
from workers.posting.post import Post

SHORT_TRY_S = 1.5
"""A time limit of tries: what is shown is that it is kept, not how long it is."""


def test_every_delivery_is_verified_by_the_reference_library(
    post: Post, receiver: Receiver, tenant: UUID, log: Log
) -> None:
    endpoint = add_endpoint(tenant, receiver.url, headers={"X-Own": "their own", "Authorization": "Bearer theirs"})
    assert enqueue(tenant, 300) == 300
    post.nudge()
    log.wait(tenant, "delivered", 300)
    numbers = set()
    for taken in receiver.taken:
        message = taken.verified_by(endpoint.secret)
        assert message["id"] == taken.id
        assert message["type"] == "document.processed" and message["tenant_id"] == str(tenant)
        assert message["data"]["name"] == "Grüße 🤷"
        assert (taken.headers["x-own"], taken.headers["content-type"]) == ("their own", "application/json")
        numbers.add(message["data"]["number"])
    assert numbers == set(range(300)) and len(receiver.taken) == 300
    assert receiver.connections <= 16, "connections are kept"
    assert receiver.most_at_once <= 16, "no more at once than the endpoint takes"
    kept = log.tries(tenant, "request_headers")[0][0]
    assert "theirs" not in str(kept) and "v1," not in str(kept)
    assert kept["X-Own"] == kept["webhook-signature"] == "…"


def test_an_endpoint_that_wants_one_at_a_time_gets_them_in_order(
    post: Post, receiver: Receiver, tenant: UUID, log: Log
) -> None:
    add_endpoint(tenant, receiver.url, max_in_flight=1)
    enqueue(tenant, 20)
    post.nudge()
    log.wait(tenant, "delivered", 20)
    assert receiver.most_at_once == 1
    assert [json.loads(taken.body)["data"]["number"] for taken in receiver.taken] == [*range(20)]


BAD: dict[str, tuple[Reply, int | None, str | None]] = {
    "301": (lambda it, _: it.say(301, location="http://127.0.0.1/"), 301, None),
    "302": (lambda it, _: it.say(302, location="http://127.0.0.1/"), 302, None),
    "307": (lambda it, _: it.say(307, location="/elsewhere"), 307, None),
    "304": (lambda it, _: it.say(304), 304, None),
    "400": (lambda it, _: it.say(400, b"no\0thing \xff"), 400, None),
    "404": (lambda it, _: it.say(404), 404, None),
    "429": (lambda it, _: it.say(429), 429, None),
    "500": (lambda it, _: it.say(500, b"x" * 9000), 500, None),
    "503": (lambda it, _: it.say(503), 503, None),
    "resets": (lambda it, _: it.reset(), None, "unreachable"),
    "hangs up": (lambda it, _: it.connection.shutdown(socket.SHUT_RDWR), None, "unreachable"),
    "speaks no HTTP": (lambda it, _: it.connection.sendall(b"220 mail.example.org ESMTP\r\n\r\n"), None, "unreachable"),
    "stays silent": (lambda it, _: it.wait(), None, "remote_timeout"),
    "never ends its body": (lambda it, _: it.drip(), 200, "remote_timeout"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_receiver_is_tried_eight_times_as_documented(
    kind: str, post: Post, receiver: Receiver, tenant: UUID, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is moved on, not waited for: after each try the next is due as the schedule says."""
    receiver.reply, status_code, error_code = BAD[kind]
    if error_code == "remote_timeout":
        monkeypatch.setattr(tries, "TIMEOUT_S", SHORT_TRY_S)
    add_endpoint(tenant, receiver.url)
    enqueue(tenant)
    for number in range(1, 9):
        post.nudge()
        log.wait_tries(tenant, number)
        ((status, attempts, code, error, due_at),) = log.rows(
            tenant, "status, attempts, status_code, error_code, due_at"
        )
        at, duration_ms = log.tries(tenant, "at, duration_ms")[-1]
        assert (attempts, code, error) == (number, status_code, error_code)
        if number == 8:
            assert status == "failed"
            break
        assert status == "pending"
        wait = due_at - at - timedelta(milliseconds=duration_ms)
        documented = WAITS_S[number - 1]
        assert documented * (1 - JITTER) - 0.01 <= wait.total_seconds() <= documented * (1 + JITTER) + 0.01
        log.make_due(tenant)
    assert len({taken.id for taken in receiver.taken}) == 1, "all tries carry one id"
    assert len(receiver.taken) == 8 and {taken.path for taken in receiver.taken} == {"/hook"}, "nothing was followed"
    if error_code == "remote_timeout":
        assert max(ms for (ms,) in log.tries(tenant, "duration_ms")) < schedule.TIMEOUT_S * 1000


def test_a_receiver_that_is_down_gets_everything_when_it_is_back(
    post: Post, tenant: UUID, log: Log, allowing: None
) -> None:
    with listening() as gone:
        port = gone.port
    endpoint = add_endpoint(tenant, f"http://{ALLOWED}:{port}/hook")
    enqueue(tenant, 5)
    post.nudge()
    log.wait_tries(tenant, 5)
    assert {row[3] for row in log.rows(tenant)} == {"unreachable"}
    assert log.endpoint(endpoint, "failing_since IS NOT NULL") == (True,)
    with listening(port=port) as back:
        log.make_due(tenant)
        post.nudge()
        log.wait(tenant, "delivered", 5)
        assert len(back.taken) == 5 and all(taken.is_verified_by(endpoint.secret) for taken in back.taken)
    assert log.endpoint(endpoint, "failing_since") == (None,)


def test_a_body_without_end_is_cut_and_the_event_delivered(
    post: Post, receiver: Receiver, tenant: UUID, log: Log
) -> None:
    receiver.reply = lambda it, _: it.flood()
    add_endpoint(tenant, receiver.url)
    enqueue(tenant)
    post.nudge()
    log.wait(tenant, "delivered")
    assert log.tries(tenant, "length(response_body), duration_ms < 15000") == [(4096, True)]


def test_what_is_kept_of_an_answer_is_bounded_and_can_be_kept(
    post: Post, receiver: Receiver, tenant: UUID, log: Log
) -> None:
    many = {f"x_{number}": "v" * 500 for number in range(80)}
    receiver.reply = lambda it, _: it.say(500, b"\x00\xff" * 5000, **many)
    add_endpoint(tenant, receiver.url)
    enqueue(tenant)
    post.nudge()
    log.wait_tries(tenant, 1)
    ((headers, body),) = log.tries(tenant, "response_headers, response_body")
    assert len(headers) <= 40 and max(map(len, headers.values())) <= 200
    assert len(body) == 4096 and "\0" not in body


@pytest.mark.parametrize(("status", "header", "at_least_s"), [(429, "3600", 3600), (503, "9999999", 86_400)])
def test_retry_after_is_waited_for_up_to_a_day(
    status: int, header: str, at_least_s: int, post: Post, receiver: Receiver, tenant: UUID, log: Log
) -> None:
    receiver.reply = lambda it, _: it.say(status, retry_after=header)
    add_endpoint(tenant, receiver.url)
    enqueue(tenant)
    post.nudge()
    log.wait_tries(tenant, 1)
    ((wait,),) = log.rows(tenant, "due_at - created_at")
    assert at_least_s <= wait.total_seconds() < at_least_s + 600


def test_410_disables_at_once_and_what_waits_is_kept_until_it_is_enabled(
    post: Post,
    receiver: Receiver,
    tenant: UUID,
    log: Log,
    admin: psycopg.Connection,
    enabled_again: Callable[..., None],
) -> None:
    receiver.reply = lambda it, _: it.say(410)
    endpoint = add_endpoint(tenant, receiver.url, max_in_flight=1)
    with listening() as other:
        watching = add_endpoint(tenant, other.url, ("webhook.disabled",))
        enqueue(tenant, 3)
        post.nudge()
        log.wait(tenant, "delivered", 1)
        message = other.taken[0].verified_by(watching.secret)
    assert (message["type"], message["data"]["reason"]) == (EventName.WEBHOOK_DISABLED, "gone")
    assert log.endpoint(endpoint, "is_active, disabled_reason") == (False, "gone")
    assert len(receiver.taken) == 1
    assert enqueue(tenant, 4) == 0, "nothing new is kept for it"
    audited = admin.execute("SELECT action, actor_kind FROM audit_log WHERE tenant_id = %s", (tenant,)).fetchall()
    assert ("webhook.disabled", "system") in audited
    receiver.reply = lambda it, _: it.say(200)
    log.make_due(tenant)
    enabled_again(endpoint)
    post.nudge()
    log.wait(tenant, "delivered", 4)
    assert len({taken.id for taken in receiver.taken}) == 3


def test_five_days_of_failure_disable_with_an_event_and_a_mail(
    post: Post, receiver: Receiver, tenant: UUID, log: Log, admin: psycopg.Connection
) -> None:
    receiver.reply = lambda it, _: it.say(500)
    endpoint = add_endpoint(tenant, receiver.url)
    admin.execute(
        "INSERT INTO tenant_users (tenant_id, email, role) VALUES (%s, 'ada@example.org', 'admin')", (tenant,)
    )
    for days, active in ((4.99, True), (5.01, False)):
        since = timedelta(days=days)
        admin.execute("UPDATE webhook_endpoints SET failing_since = now() - %s WHERE tenant_id = %s", (since, tenant))
        enqueue(tenant)
        before = len(log.tries(tenant, "at"))
        post.nudge()
        log.wait_tries(tenant, before + 1)
        assert log.endpoint(endpoint, "is_active") == (active,)
    assert log.endpoint(endpoint, "disabled_reason") == ("failing",)
    mails = admin.execute("SELECT recipient, subject FROM outgoing_mails WHERE tenant_id = %s", (tenant,)).fetchall()
    assert mails == [("ada@example.org", "A webhook endpoint was disabled")]


def test_a_single_success_ends_the_row_of_failures(post: Post, receiver: Receiver, tenant: UUID, log: Log) -> None:
    endpoint = add_endpoint(tenant, receiver.url)
    log.admin.execute(
        "UPDATE webhook_endpoints SET failing_since = now() - interval '9 days' WHERE tenant_id = %s", (tenant,)
    )
    enqueue(tenant)
    post.nudge()
    log.wait(tenant, "delivered")
    assert log.endpoint(endpoint, "is_active, failing_since") == (True, None)


def test_a_kept_connection_that_has_died_costs_no_try(post: Post, receiver: Receiver, tenant: UUID, log: Log) -> None:
    """Each connection takes one event, and dies of the second without an answer."""
    used = set[object]()

    def reply(it: Conversation, _: Taken) -> None:
        if it in used:
            it.reset()
        used.add(it)
        it.say(200)

    receiver.reply = reply
    add_endpoint(tenant, receiver.url, max_in_flight=1)
    enqueue(tenant, 10)
    post.nudge()
    log.wait(tenant, "delivered", 10)
    assert log.tries(tenant, "attempt, status_code") == [(1, 200)] * 10
    assert len(receiver.taken) == 19, "nine of them were sent over a dead connection first"


def test_both_secrets_sign_for_a_day_after_a_rotation(
    post: Post, receiver: Receiver, tenant: UUID, log: Log, rotated: Callable[..., str], admin: psycopg.Connection
) -> None:
    endpoint = add_endpoint(tenant, receiver.url)
    new = rotated(endpoint)
    enqueue(tenant)
    post.nudge()
    log.wait(tenant, "delivered", 1)
    receiver.taken[0].verified_by(endpoint.secret, new)
    until = log.endpoint(endpoint, "previous_until - now()")[0]
    assert timedelta(hours=23, minutes=59) < until <= timedelta(hours=24)
    admin.execute("UPDATE webhook_endpoints SET previous_until = now() WHERE tenant_id = %s", (tenant,))
    enqueue(tenant)
    post.nudge()
    log.wait(tenant, "delivered", 2)
    assert receiver.taken[1].is_verified_by(new) and not receiver.taken[1].is_verified_by(endpoint.secret)


def test_the_time_limit_of_a_try_is_fifteen_seconds() -> None:
    assert (schedule.TIMEOUT_S, tries.TIMEOUT_S) == (15.0, 15.0)
