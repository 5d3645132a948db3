"""No address that a tenant gives leads inside: neither when it is saved, nor when it is sent to, nor by a redirect."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pipelines import outbound
from schemas.errors.addresses import (
    AddressRefused,
    AnswerTooLong,
    HostUnknown,
    RemoteTimeout,
    TooManyRedirects,
    Unreachable,
    UnreadableAnswer,
)
from schemas.errors.tree import AuraError
from tests.integration.people import Person
from tests.integration.webhooks.conftest import Log, add_endpoint, enqueue
from tests.integration.webhooks.receiver import ALLOWED, Receiver, Reply, listening
from workers.posting.post import Post

HOSTS = [
    *("127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "0x7f.1", "0.0.0.0", "0", "localhost"),
    *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
    *("169.254.169.254", "[::ffff:169.254.169.254]", "100.64.0.1", "100.100.100.200", "metadata.google.internal"),
    *("[fd00::1]", "[fd00:ec2::254]", "10.0.0.1", "localhost.", "127.0.0.1.", "user@127.0.0.1", "①②⑦.⓪.⓪.①"),
    *("127。0。0。1", "ⓛocalhost", "rebound.test", "mixed.test", "inside.test", "mixed6.test", "mapped.test"),
    "127.0.0.1%2f@8.8.8.8",
    "8.8.8.8@127.0.0.1",
    "8.8.8.8\\@127.0.0.1",
]

NAMES = {
    "inside.test": ["127.0.0.1"],
    "mixed.test": ["93.184.216.34", "127.0.0.1"],
    "mixed6.test": ["2606:4700::1111", "::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
}


class Resolver:
    """The net's names, as somebody may set them who wants inside. What it answers next is `turns`' next."""

    def __init__(self) -> None:
        self.real = socket.getaddrinfo
        self.turns: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self.hangs = threading.Event()

    def __call__(self, host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if not str(host).endswith((".test", ".internal")):
            return self.real(host, port, *args, **options)
        self.asked.append(host)
        if host == "hangs.test":
            self.hangs.wait(30)
        left = self.turns.get(host) or [NAMES.get(host, [])]
        found = left.pop(0) if len(left) > 1 else left[0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in found
        ]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    """Answer for these names as a server of names does that we do not own."""
    answering = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", answering)
    yield answering
    answering.hangs.set()


def urls(port: int) -> list[str]:
    plain = [f"http://{host}:{port}/hook" for host in HOSTS]
    schemes = [f"{scheme}://127.0.0.1:{port}/" for scheme in ("file", "gopher", "ftp", "unix", "HTTP+UNIX")]
    return [*plain, *schemes, "file:///etc/passwd", f"gopher://127.0.0.1:{port}/_POST%20/"]


def test_nothing_inside_can_be_saved(
    canary: Receiver, resolver: Resolver, configure: Callable[..., None], ada: Person
) -> None:
    configure(AURA_OUTBOUND_ALLOW="")
    resolver.turns["rebound.test"] = [["127.0.0.1"]]
    good = ada.post("/api/webhooks", json={"url": "https://93.184.216.34/hook"})
    assert good.status_code == 201
    for url in urls(canary.port):
        for answer in (
            ada.post("/api/webhooks", json={"url": url}),
            ada.request("PATCH", f"/api/webhooks/{(good.json or {})['id']}", json={"url": url}),
        ):
            assert answer.status_code == 422, url
            assert (answer.json or {})["code"] in ("address_refused", "host_unknown"), url
    assert canary.connections == 0


def test_nothing_inside_is_sent_to(canary: Receiver, resolver: Resolver, post: Post, tenant: UUID, log: Log) -> None:
    """As if it had been saved before, or its name had meant something else then."""
    resolver.turns["rebound.test"] = [["127.0.0.1"]]
    found = urls(canary.port)
    for start in range(0, len(found), 20):
        log.admin.execute("DELETE FROM webhook_endpoints WHERE tenant_id = %s", (tenant,))
        some = found[start : start + 20]
        for url in some:
            add_endpoint(tenant, url)
        enqueue(tenant)
        post.nudge()
        log.wait_tries(tenant, len(some))
        codes = log.tries(tenant, "error_code, status_code, response_body")
        assert set(codes) <= {("address_refused", None, ""), ("host_unknown", None, "")}
    assert canary.connections == 0


def test_fetching_reaches_nothing_inside(canary: Receiver, resolver: Resolver, allowing: None) -> None:
    resolver.turns["rebound.test"] = [["127.0.0.1"]]
    for url in urls(canary.port):
        with pytest.raises((AddressRefused, HostUnknown)):
            outbound.fetch(url, max_bytes=1000, timeout_s=60)
    assert canary.connections == 0


def test_a_name_that_changes_after_it_was_saved_is_refused(
    canary: Receiver, resolver: Resolver, post: Post, log: Log, ada: Person
) -> None:
    url = f"http://rebound.test:{canary.port}/"
    resolver.turns["rebound.test"] = [["93.184.216.34"], ["127.0.0.1"]]
    assert ada.post("/api/webhooks", json={"url": url}).status_code == 201
    tenant = UUID(ada.tenant_id)
    enqueue(tenant)
    post.nudge()
    log.wait_tries(tenant, 1)
    assert log.rows(tenant)[0][3] == "address_refused"
    assert canary.connections == 0


def test_the_address_that_was_checked_is_the_one_connected_to(resolver: Resolver, allowing: None) -> None:
    """The name means the allowed address once, and the canary's from then on: it is asked for once."""
    # Where everybody else's servers are, a port that is free at another address may be taken.
    with listening("127.0.0.1") as canary, listening(port=canary.port) as good:
        resolver.turns["rebound.test"] = [[ALLOWED], ["127.0.0.1"]]
        found = outbound.fetch(f"http://rebound.test:{good.port}/page", max_bytes=10, timeout_s=60)
        assert (found.status, resolver.asked) == (200, ["rebound.test"])
        assert good.taken[0].headers["host"] == f"rebound.test:{good.port}"
        assert (len(good.taken), canary.connections) == (1, 0)


def test_redirects_are_followed_only_where_asked_and_checked_each_time(
    canary: Receiver, resolver: Resolver, allowing: None
) -> None:
    resolver.turns["rebound.test"] = [["127.0.0.1"]]

    def lead(it: Any, taken: Any) -> None:
        number = int(taken.path.strip("/") or 0)
        it.say(200, b"end") if number == 0 else it.say(302, location=f"/{number - 1}")

    with listening(reply=lead) as receiver:
        base = f"http://{ALLOWED}:{receiver.port}"
        found = outbound.fetch(f"{base}/5", max_bytes=10, timeout_s=60)
        assert (found.body, found.final_url) == (b"end", f"{base}/0")
        with pytest.raises(TooManyRedirects):
            outbound.fetch(f"{base}/6", max_bytes=10, timeout_s=60)
        for url in urls(canary.port):
            to = url.encode().decode("latin-1")  # A header is bytes; this is how they are written.
            receiver.reply = lambda it, _, to=to: it.say(302, location=to)
            with pytest.raises((AddressRefused, HostUnknown, Unreachable)):
                outbound.fetch(f"{base}/", max_bytes=10, timeout_s=60)
    assert canary.connections == 0


SLOW: dict[str, tuple[Reply, type[AuraError]]] = {
    "silence": (lambda it, _: it.wait(), RemoteTimeout),
    "a body without end, slowly": (lambda it, _: it.drip(), RemoteTimeout),
    "a body without end, fast": (lambda it, _: it.flood(), AnswerTooLong),
    "a body that is too long": (lambda it, _: it.say(200, b"x" * 1001), AnswerTooLong),
    "a length that is not so": (
        lambda it, _: it.connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nshort") or it.reset(),
        Unreachable,
    ),
    "a compressed bomb": (
        lambda it, _: it.say(200, gzip.compress(bytes(500_000)), content_encoding="gzip"),
        UnreadableAnswer,
    ),
    "headers without end": (
        lambda it, _: (
            [it.wfile.write(b"HTTP/1.1 200 OK\r\n")] + [it.wfile.write(b"a: b\r\n" * 999) for _ in range(10_000)]
        ),
        Unreachable,
    ),
    "early answers without end": (
        lambda it, _: [it.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n") for _ in range(10**7)],
        RemoteTimeout,
    ),
    "a redirect to itself": (lambda it, _: it.say(301, location="/"), TooManyRedirects),
}


@pytest.mark.parametrize("kind", SLOW)
def test_time_and_size_are_bounded(kind: str, allowing: None) -> None:
    reply, error = SLOW[kind]
    with listening(reply=reply) as receiver, pytest.raises(error):
        outbound.fetch(receiver.url, max_bytes=1000, timeout_s=1 if error is RemoteTimeout else 60)


def test_a_resolver_that_hangs_holds_up_nobody(resolver: Resolver, allowing: None) -> None:
    with pytest.raises(RemoteTimeout):
        outbound.fetch("http://hangs.test/", max_bytes=10, timeout_s=0.3)
    with listening() as receiver:
        assert outbound.fetch(receiver.url, max_bytes=10, timeout_s=60).status == 200


def test_proxies_of_the_environment_are_not_used(
    canary: Receiver, allowing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    with listening() as receiver:
        assert outbound.fetch(receiver.url, max_bytes=10, timeout_s=60).status == 200
    assert canary.connections == 0


def test_an_endpoints_own_headers_cannot_change_what_is_asked(ada: Person, admin: psycopg.Connection) -> None:
    for name in (
        "Host",
        "content-length",
        "Transfer-Encoding",
        "webhook-signature",
        "Metadata-Flavor",
        "X Y",
        "A:",
        "é",
    ):
        answer = ada.post("/api/webhooks", json={"url": "https://93.184.216.34/", "headers": {name: "x"}})
        assert answer.status_code == 422, name
    for value in ("a\r\nHost: b", "a\nb", "\0", "é", "x" * 1001):
        answer = ada.post("/api/webhooks", json={"url": "https://93.184.216.34/", "headers": {"X-A": value}})
        assert answer.status_code == 422, value
