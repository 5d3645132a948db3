"""A mail server that speaks SMTP (RFC 5321), STARTTLS and AUTH over a real socket, and refuses as servers do."""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast


@dataclass(frozen=True)
class Taken:
    """A mail as it came in."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        return cast(EmailMessage, message_from_bytes(self.data, policy=default))


@dataclass
class MailServer:
    """A running server. `replies` answers a command, by its first word, otherwise than usual; `.` is the text's end."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    offers_tls: bool = True
    login: tuple[str, str] | None = None
    replies: dict[str, str] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"smtp://localhost:{self.port}"


class Session(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        self.mail: MailServer = self.server.mail  # type: ignore[attr-defined]
        self.encrypted, self.user = False, None
        self.sender, self.recipients = "", list[str]()
        if self.mail.silent.is_set():
            self.rfile.read()
            return
        self.say(self.mail.replies.get("CONNECT", "220 fake ESMTP"))
        while line := self.rfile.readline():
            command = line.decode().strip()
            self.mail.heard.append(command)
            word = command.split(" ")[0].upper()
            if not self.say(self.mail.replies.get(word) or getattr(self, f"on_{word.lower()}")(command)):
                return

    def say(self, reply: str) -> bool:
        """Send a reply; an empty one hangs up."""
        if reply:
            self.wfile.write(f"{reply}\r\n".encode())
            self.wfile.flush()
            if reply == "220 go" and self.mail.tls:
                self.connection = self.mail.tls.wrap_socket(self.connection, server_side=True)
                self.setup_files()
        return bool(reply) and not reply.startswith(("221", "421"))

    def setup_files(self) -> None:
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")  # type: ignore[assignment]
        self.encrypted = True

    def on_ehlo(self, command: str) -> str:
        offers = ["fake", "SMTPUTF8", "8BITMIME", *(["AUTH PLAIN"] if self.mail.login else [])]
        if self.mail.tls and self.mail.offers_tls and not self.encrypted:
            offers.append("STARTTLS")
        return "\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"])

    def on_starttls(self, command: str) -> str:
        return "220 go"

    def on_auth(self, command: str) -> str:
        _, user, password = base64.b64decode(command.split()[2]).decode().split("\0")
        if (user, password) != self.mail.login:
            return "535 5.7.8 who are you"
        self.user = user
        return "235 welcome"

    def on_mail(self, command: str) -> str:
        if self.mail.login and self.user is None:
            return "530 5.7.0 sign in first"
        self.sender, self.recipients = command, []
        return "250 ok"

    def on_rcpt(self, command: str) -> str:
        self.recipients.append(command.partition("<")[2].partition(">")[0])
        return "250 ok"

    def on_data(self, command: str) -> str:
        self.say("354 go ahead")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if reply := self.mail.replies.get("."):
            return reply
        found = Taken(self.sender, tuple(self.recipients), b"".join(lines), self.encrypted, self.user)
        self.mail.taken.append(found)
        return "250 taken"

    def on_rset(self, command: str) -> str:
        return "250 ok"

    def on_quit(self, command: str) -> str:
        return "221 bye"


class Threading(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, mail: MailServer, implicit_tls: bool) -> None:
        self.mail, self.implicit_tls = mail, implicit_tls
        super().__init__(("127.0.0.1", 0), Session)

    def get_request(self) -> tuple[object, object]:  # type: ignore[override]
        connection, address = super().get_request()
        if self.implicit_tls and self.mail.tls:
            connection = self.mail.tls.wrap_socket(connection, server_side=True)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet: a client that hangs up is none of our business."""


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, implicit_tls: bool = False) -> Iterator[MailServer]:
    """Yield a running server; with a `tls` context it offers STARTTLS, or begins with TLS at once."""
    mail = MailServer(tls=tls)
    server = Threading(mail, implicit_tls)
    mail.port = server.server_address[1]
    if implicit_tls:
        mail.offers_tls = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield mail
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
