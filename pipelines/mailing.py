"""A mail on its way: by SMTP where a server is set, else as a file that a developer reads."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from schemas.errors.providers import MailNotSent, MailRefused
from schemas.errors.requests import InvalidRequest
from schemas.logs import masked
from schemas.settings import Settings

TIMEOUT_S = 15.0
"""Longest silence of the server at any step."""

MAX_SUBJECT_CHARS = 500
MAX_ADDRESS_CHARS = 254
"""RFC 5321 4.5.3.1.3, without the angle brackets."""

CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
"""What could begin a new header line, in any reader's eyes."""

PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
REFUSED_FOR_GOOD = range(500, 600)


@dataclass(frozen=True)
class Mail:
    """A mail in plain text to one recipient; `mail_id` is the same in every try."""

    mail_id: UUID
    recipient: str
    subject: str
    text: str


def check(recipient: str, subject: str) -> None:
    """Raise InvalidRequest unless both can stand in a header, and the recipient is one address."""
    if CONTROL.search(recipient) or CONTROL.search(subject) or len(subject) > MAX_SUBJECT_CHARS:
        raise InvalidRequest("A mail's recipient and subject are each one line, and not too long.")
    try:
        address = Address(addr_spec=recipient)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise InvalidRequest("This is not an e-mail address.") from error
    if not address.username or not address.domain or len(recipient) > MAX_ADDRESS_CHARS:
        raise InvalidRequest("This is not an e-mail address.")


def deliver(settings: Settings, mail: Mail) -> None:
    """Hand the mail to the server of AURA_SMTP_URL, or write it to `data_dir/mail`.

    Raises MailNotSent, which is tried again, MailRefused where the recipient does not exist or takes no
    such mail, and InvalidRequest (`check`).
    """
    check(mail.recipient, mail.subject)
    message = _message(settings, mail)
    if not settings.smtp_url:
        _write(settings.data_dir / "mail", mail, message)
        return
    with _errors(), _connected(settings.smtp_url) as server:
        server.send_message(message)


def _message(settings: Settings, mail: Mail) -> EmailMessage:
    """Return the mail with its headers. Its Message-ID lets a receiver know a second try for the same mail."""
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.mail_from
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(localtime())
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{mail.mail_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office note is wanted.
    message.set_content(mail.text)
    return message


def _write(folder: Path, mail: Mail, message: EmailMessage) -> None:
    """Write the mail whole or not at all, readable by this user only: it may hold a token."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = folder / f".{mail.mail_id}"
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600, exist_ok=False)
    unfinished.write_bytes(message.as_bytes())
    unfinished.rename(folder / f"{mail.mail_id}.eml")


@contextmanager
def _connected(url: str) -> Iterator[smtplib.SMTP]:
    """Yield a session with the server: encrypted where it can be, and signed in where the URL names a user."""
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or PORTS.get(parts.scheme, 0)
    trusted = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=trusted)
    elif parts.scheme == "smtp":
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    else:
        raise MailNotSent("AURA_SMTP_URL begins with neither smtp:// nor smtps://.")
    with server:
        encrypted = parts.scheme == "smtps"
        server.ehlo_or_helo_if_needed()
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=trusted)
            server.ehlo()
            encrypted = True
        if parts.username:
            if not encrypted and host not in LOOPBACK:
                raise MailNotSent("The mail server offers no encryption, so the password is not told to it.")
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what smtplib raises into our errors. What was said after the text is not quoted: it may quote the text."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        kind = MailRefused if code in REFUSED_FOR_GOOD else MailNotSent
        raise kind(f"The mail server refuses the recipient: {_quoted(code, said)}") from error
    except smtplib.SMTPDataError as error:
        kind = MailRefused if error.smtp_code in REFUSED_FOR_GOOD else MailNotSent
        raise kind(f"The mail server refuses the mail ({error.smtp_code}).") from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailRefused("The mail server does not take addresses like this one.") from error
    except smtplib.SMTPResponseException as error:
        raise MailNotSent(f"The mail server says: {_quoted(error.smtp_code, error.smtp_error)}") from error
    except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
        raise MailNotSent(f"The mail server hung up, or was silent for {TIMEOUT_S:g} s.") from error
    except ssl.SSLError as error:
        raise MailNotSent(f"No safe connection to the mail server: {error.reason or 'TLS failed'}.") from error
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise MailNotSent("The mail server cannot be reached, or does not speak SMTP.") from error


def _quoted(code: int, said: bytes | str) -> str:
    plain = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {CONTROL.sub(' ', masked(plain))[:200]}"
