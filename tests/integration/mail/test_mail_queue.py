"""A queued mail is sent once, tried again when it failed, given up at last, and its text does not outlive it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.operations import mails
from schemas.errors.requests import InvalidRequest
from tests.integration.mail.smtp_server import MailServer
from workers import mail as mail_tasks

LATE_S = 50
"""So late may a busy machine look at how long there still is."""

TEXT = "https://aura.example.org/reset#tok-canary"


def queue(tenant_id: UUID, recipient: str = "ada@example.org") -> UUID:
    with tenant_session(tenant_id) as session:
        return mails.queue(session, tenant_id, recipient, "Your new password", TEXT)


def deliver(tenant_id: UUID, mail_id: UUID) -> None:
    mail_tasks.deliver(str(tenant_id), str(mail_id))


@pytest.fixture
def row(admin: psycopg.Connection) -> Callable[..., Any]:
    """Return what reads columns of a mail."""

    def read(mail_id: UUID, *columns: str) -> Any:
        found = admin.execute(f"SELECT {', '.join(columns)} FROM outgoing_mails WHERE mail_id = %s", (mail_id,))
        return found.fetchone()

    return read


@pytest.fixture
def due_in_s(row: Callable[..., Any]) -> Callable[[UUID], int]:
    """Return in how many seconds a mail is due."""
    return lambda mail_id: round(row(mail_id, "extract(epoch FROM due_at - now())")[0])


@pytest.fixture
def server(configure: Callable[..., None], server: MailServer) -> MailServer:
    configure(AURA_SMTP_URL=server.url)
    return server


def make_due(admin: psycopg.Connection, mail_id: UUID) -> None:
    admin.execute("UPDATE outgoing_mails SET due_at = now() WHERE mail_id = %s", (mail_id,))


def taken_by_the_sweep(mail_id: UUID) -> bool:
    with operator_session() as session:
        return mail_id in {found for _, found in mails.take_due(session, 1000)}


def test_a_mail_is_sent_once_and_its_text_is_emptied(server: MailServer, tenant: UUID, row: Callable[..., Any]) -> None:
    mail_id = queue(tenant)
    assert "canary" not in str(row(mail_id, "*"))
    for _ in range(3):
        deliver(tenant, mail_id)
    assert [taken.message.get_content().strip() for taken in server.taken] == [TEXT]
    assert row(mail_id, "status", "sealed", "attempts", "sent_at IS NOT NULL", "error_detail") == (
        "sent",
        None,
        1,
        True,
        None,
    )


def test_many_workers_that_are_woken_at_once_send_it_once(server: MailServer, tenant: UUID) -> None:
    mail_id = queue(tenant)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: deliver(tenant, mail_id), range(16)))
    assert len(server.taken) == 1


def test_a_mail_that_fails_is_tried_six_times_and_then_given_up(
    server: MailServer,
    tenant: UUID,
    admin: psycopg.Connection,
    row: Callable[..., Any],
    due_in_s: Callable[[UUID], int],
) -> None:
    server.replies["RCPT"] = "450 4.2.0 greylisted"
    mail_id = queue(tenant)
    for attempt, wait_s in enumerate((5, 60, 300, 1800, 7200), 1):
        deliver(tenant, mail_id)
        assert row(mail_id, "status", "attempts") == ("queued", attempt)
        assert wait_s - LATE_S <= due_in_s(mail_id) <= wait_s + 1
        assert "greylisted" in row(mail_id, "error_detail")[0]
        assert wait_s < LATE_S or not taken_by_the_sweep(mail_id)
        make_due(admin, mail_id)
        assert taken_by_the_sweep(mail_id)
        assert not taken_by_the_sweep(mail_id)  # Once in a minute.
    deliver(tenant, mail_id)
    assert row(mail_id, "status", "attempts", "sealed") == ("failed", 6, None)
    assert "greylisted" in row(mail_id, "error_detail")[0]
    make_due(admin, mail_id)
    assert not taken_by_the_sweep(mail_id)
    deliver(tenant, mail_id)
    assert server.taken == []


def test_a_mail_goes_out_when_the_server_is_back(
    server: MailServer, tenant: UUID, admin: psycopg.Connection, row: Callable[..., Any]
) -> None:
    server.replies["CONNECT"] = "421 too busy"
    mail_id = queue(tenant)
    deliver(tenant, mail_id)
    server.replies.clear()
    make_due(admin, mail_id)
    assert taken_by_the_sweep(mail_id)
    deliver(tenant, mail_id)
    assert len(server.taken) == 1
    assert row(mail_id, "status", "attempts", "error_detail") == ("sent", 2, None)


def test_an_address_that_does_not_exist_is_not_tried_again(
    server: MailServer, tenant: UUID, row: Callable[..., Any]
) -> None:
    server.replies["RCPT"] = "550 5.1.1 no such user"
    mail_id = queue(tenant)
    deliver(tenant, mail_id)
    assert row(mail_id, "status", "sealed") == ("failed", None)
    assert "no such user" in row(mail_id, "error_detail")[0]


def test_a_message_that_comes_late_does_not_shorten_the_wait(
    server: MailServer, tenant: UUID, admin: psycopg.Connection, row: Callable[..., Any]
) -> None:
    server.replies["CONNECT"] = "421 too busy"
    mail_id = queue(tenant)
    for _ in range(3):
        make_due(admin, mail_id)
        deliver(tenant, mail_id)
    deliver(tenant, mail_id)
    assert row(mail_id, "attempts") == (3,)


def test_the_mail_of_a_worker_that_died_is_found_again(
    server: MailServer, tenant: UUID, admin: psycopg.Connection, due_in_s: Callable[[UUID], int]
) -> None:
    mail_id = queue(tenant)
    with tenant_session(tenant) as session:
        dead = mails.claim(session, mail_id)
    deliver(tenant, mail_id)
    assert dead
    assert server.taken == []  # It is in somebody's hands.
    assert mails.LEASE_S - LATE_S <= due_in_s(mail_id) <= mails.LEASE_S + 1
    make_due(admin, mail_id)
    assert taken_by_the_sweep(mail_id)
    deliver(tenant, mail_id)
    assert len(server.taken) == 1
    with tenant_session(tenant) as session:
        assert not mails.sent(session, dead)


def test_a_text_of_another_tenant_is_not_sent(
    server: MailServer, new_tenant: Callable[[], UUID], admin: psycopg.Connection, row: Callable[..., Any]
) -> None:
    theirs, thief = new_tenant(), new_tenant()
    victim, mail_id = queue(theirs), queue(thief, "eve@example.org")
    admin.execute(
        "UPDATE outgoing_mails m SET sealed = o.sealed FROM outgoing_mails o WHERE m.mail_id = %s AND o.mail_id = %s",
        (mail_id, victim),
    )
    deliver(thief, mail_id)
    assert server.taken == []
    assert row(mail_id, "status", "attempts") == ("queued", 1)
    assert "cannot be opened" in row(mail_id, "error_detail")[0]
    deliver(thief, victim)  # A mail of another tenant is none.
    assert server.taken == []
    assert row(victim, "attempts") == (0,)


def test_a_mail_that_could_never_be_sent_is_not_queued(server: MailServer, tenant: UUID) -> None:
    with pytest.raises(InvalidRequest):
        queue(tenant, "ada@example.org\r\nBcc: eve@example.org")


def test_without_a_server_the_mail_is_a_file(
    configure: Callable[..., None], tenant: UUID, row: Callable[..., Any], tmp_path: Path
) -> None:
    configure(AURA_SMTP_URL="", AURA_DATA_DIR=str(tmp_path))
    mail_id = queue(tenant)
    deliver(tenant, mail_id)
    assert row(mail_id, "status", "sealed") == ("sent", None)
    assert TEXT.encode() in (tmp_path / "mail" / f"{mail_id}.eml").read_bytes()
