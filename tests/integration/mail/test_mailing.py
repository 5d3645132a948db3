"""A mail reaches a real mail server whole and encrypted where that is offered, or says why it did not."""

import ssl
import stat
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pipelines import mailing
from pipelines.mailing import Mail
from schemas.errors.providers import MailNotSent, MailRefused
from schemas.errors.requests import InvalidRequest
from schemas.settings import Settings
from tests.integration.mail.smtp_server import MailServer, mail_server

TEXT = "Open this address:\n\n.https://aura.example.org/reset#tok-canary\n\nGrüße, 東京\n" + "a long line " * 200
MAIL = Mail(UUID(int=7), "ada@example.org", "Ihr neues Paßwort", TEXT)


def settings(smtp_url: str = "", **others: Any) -> Settings:
    return Settings(_env_file=None, smtp_url=smtp_url, mail_from="AURA <aura@example.org>", **others)  # type: ignore[call-arg]


def test_what_was_written_is_what_arrives(server: MailServer) -> None:
    mailing.deliver(settings(server.url), MAIL)
    (taken,) = server.taken
    message = taken.message
    assert taken.recipients == ("ada@example.org",)
    assert message.get_content().replace("\r\n", "\n").strip() == TEXT.strip()
    assert (message["Subject"], message["To"], message["From"]) == (
        "Ihr neues Paßwort",
        "ada@example.org",
        "AURA <aura@example.org>",
    )
    assert message["Message-ID"] == f"<{MAIL.mail_id}@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert max(map(len, taken.data.split(b"\r\n"))) <= 998  # RFC 5322 2.1.1


def test_starttls_is_used_where_it_is_offered(tls: ssl.SSLContext, trusted: None) -> None:
    with mail_server(tls) as server:
        server.login = ("ada@example.org", "p@ss:word/1")
        mailing.deliver(settings(f"smtp://ada%40example.org:p%40ss%3Aword%2F1@localhost:{server.port}"), MAIL)
        (taken,) = server.taken
        assert (taken.encrypted, taken.user) == (True, "ada@example.org")
        assert [said.split()[0] for said in server.heard[:4]] == ["ehlo", "STARTTLS", "ehlo", "AUTH"]


def test_smtps_is_encrypted_from_the_start(tls: ssl.SSLContext, trusted: None) -> None:
    with mail_server(tls, implicit_tls=True) as server:
        mailing.deliver(settings(f"smtps://localhost:{server.port}"), MAIL)
        assert len(server.taken) == 1
        assert "STARTTLS" not in server.heard


def test_a_server_that_cannot_prove_its_name_gets_nothing(tls: ssl.SSLContext, trusted: None) -> None:
    with mail_server(tls) as server:
        server.login = ("ada", "password-canary")
        with pytest.raises(MailNotSent, match="No safe connection"):
            mailing.deliver(settings(f"smtp://ada:password-canary@127.0.0.1:{server.port}"), MAIL)
        assert not any(said.startswith(("AUTH", "MAIL", "DATA")) for said in server.heard)


def test_a_certificate_that_nobody_trusts_is_refused(tls: ssl.SSLContext) -> None:
    with mail_server(tls) as server, pytest.raises(MailNotSent, match="No safe connection"):
        mailing.deliver(settings(server.url), MAIL)


def test_no_password_goes_over_an_open_line(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailing, "LOOPBACK", ())  # As if the server were elsewhere.
    server.login = ("ada", "password-canary")
    with pytest.raises(MailNotSent, match="offers no encryption"):
        mailing.deliver(settings(f"smtp://ada:password-canary@localhost:{server.port}"), MAIL)
    assert not any(said.startswith("AUTH") for said in server.heard)


@pytest.mark.parametrize(
    ("replies", "error", "said"),
    [
        ({"RCPT": "550 5.1.1 no such user"}, MailRefused, "550 5.1.1 no such user"),
        ({"RCPT": "450 4.2.0 greylisted"}, MailNotSent, "450 4.2.0 greylisted"),
        ({"MAIL": "530 5.7.0 sign in first"}, MailNotSent, "530 5.7.0"),
        ({"DATA": "451 4.3.0 later"}, MailNotSent, "451"),
        ({".": "554 5.7.1 spam: tok-canary"}, MailRefused, "554"),
        ({".": "452 4.3.1 disk full: tok-canary"}, MailNotSent, "452"),
        ({"CONNECT": "554 go away"}, MailNotSent, "554 go away"),
        ({"CONNECT": "421 too busy"}, MailNotSent, "421 too busy"),
        ({"CONNECT": "HTTP/1.1 400 Bad Request"}, MailNotSent, ""),
        ({"RCPT": "421 shutting down"}, MailNotSent, "421"),
    ],
)
def test_a_refusal_says_whether_to_try_again(
    server: MailServer, replies: dict[str, str], error: type[Exception], said: str
) -> None:
    server.replies.update(replies)
    with pytest.raises(error) as raised:
        mailing.deliver(settings(server.url), MAIL)
    assert type(raised.value) is error
    assert said in str(raised.value)
    assert "canary" not in str(raised.value)
    assert server.taken == []


def test_a_wrong_password_is_tried_again_and_not_told(server: MailServer) -> None:
    server.login = ("ada", "the right one")
    with pytest.raises(MailNotSent, match="535") as raised:
        mailing.deliver(settings(f"smtp://ada:password-canary@localhost:{server.port}"), MAIL)
    assert "canary" not in str(raised.value)


def test_a_silent_server_is_given_up(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailing, "TIMEOUT_S", 0.2)
    server.silent.set()
    with pytest.raises(MailNotSent, match=r"silent for 0\.2 s"):
        mailing.deliver(settings(server.url), MAIL)


@pytest.mark.parametrize("url", ["smtp://localhost:1", "http://localhost:25", "smtp://localhost:99999", "localhost:25"])
def test_a_server_that_is_not_there_is_no_crash(url: str) -> None:
    with pytest.raises(MailNotSent):
        mailing.deliver(settings(url), MAIL)


@pytest.mark.parametrize(
    ("recipient", "subject"),
    [
        ("ada@example.org\r\nBcc: eve@example.org", "Hello"),
        ("ada@example.org\nBcc: eve@example.org", "Hello"),
        ("ada@example.org, eve@example.org", "Hello"),
        ("Ada <ada@example.org>", "Hello"),
        ("ada@example.org>\x00<eve@example.org", "Hello"),
        ("ada", "Hello"),
        ("@example.org", "Hello"),
        ("", "Hello"),
        (f"{'a' * 250}@example.org", "Hello"),
        ("ada@example.org", "Hello\r\nBcc: eve@example.org"),
        ("ada@example.org", "Hello\rBcc: eve@example.org"),
        ("ada@example.org", "Hello\u2028Bcc: eve@example.org"),
        ("ada@example.org", "Hello\x0bBcc: eve@example.org"),
        ("ada@example.org", "Hello\x85Bcc: eve@example.org"),
        ("ada@example.org", "x" * 501),
    ],
)
def test_nothing_can_be_slipped_into_the_head_of_a_mail(server: MailServer, recipient: str, subject: str) -> None:
    with pytest.raises(InvalidRequest):
        mailing.deliver(settings(server.url), Mail(MAIL.mail_id, recipient, subject, "text"))
    assert server.heard == []


def test_without_a_server_it_is_a_file_for_this_user_only(tmp_path: Path) -> None:
    for _ in range(2):  # A second try of the same mail is the same file.
        mailing.deliver(settings(data_dir=tmp_path), MAIL)
    (written,) = (tmp_path / "mail").iterdir()
    assert written.name == f"{MAIL.mail_id}.eml"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700
    assert b"Subject: " in written.read_bytes()
