"""Requests that lie about what they carry are answered, or dropped, soon; and nothing else notices."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from deploy.ephemeral import Stack
from tests.hostile.flood import documents, forgotten

SOON_S = 30
HEAD = 'Content-Disposition: form-data; name="file"; filename{}\r\nContent-Type: text/plain\r\n\r\n'


@pytest.fixture(autouse=True)
def unharmed(stack: Stack) -> Iterator[None]:
    """Fail the test if a process of the stack, the web's too, is another one afterwards."""
    before = {process.pid for process in stack.launcher_process().children()}
    with forgotten(stack):
        yield
        assert {process.pid for process in stack.launcher_process().children()} == before
        good = stack.upload("good.txt", f"The lighthouse {uuid4()} was built in 1874.".encode(), wait_s=60)
        assert (good.status_code, good.json()["document"]["chunks"]) == (200, 1)


def form(content: bytes, name: str) -> bytes:
    return named(content, f'="{name}"')


def named(content: bytes, name: str) -> bytes:
    """Return a form whose file's name is written just so, after `filename`."""
    return b"--line\r\n" + HEAD.format(name).encode() + content + b"\r\n--line--\r\n"


def exchanged(stack: Stack, head: str, body: bytes, *, finished: bool = True) -> bytes:
    """Send a request byte by byte as it is and return all that comes back until the line is closed, or is silent."""
    address = urlsplit(stack.url)
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port), timeout=SOON_S) as line:
        start = f"POST /api/documents/upload HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
        line.sendall(f"{start}Content-Type: multipart/form-data; boundary=line\r\n{head}\r\n\r\n".encode() + body)
        if finished:
            line.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := line.recv(65536):
                answer += piece
        except ConnectionResetError:
            return answer
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(part.split(None, 1)[0]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def names(stack: Stack) -> set[str]:
    return {view["filename"] for view in documents(stack)}


def test_an_honest_length_is_believed(stack: Stack) -> None:
    body = form(b"Words of the right length.", "honest.txt")
    assert statuses(exchanged(stack, f"Content-Length: {len(body)}", body)) == [202]
    assert "honest.txt" in names(stack)


def test_a_length_that_says_too_much_leaves_nothing_behind(stack: Stack) -> None:
    began = time.monotonic()
    body = form(b"Words that are too few.", "short.txt")
    found = statuses(exchanged(stack, f"Content-Length: {len(body) + 1000}", body))
    assert not [status for status in found if status >= 500]
    body = form(b"Words that are cut.", "cut-off.txt")[:-20]
    found = statuses(exchanged(stack, f"Content-Length: {len(body) + 20}", body))
    assert not [status for status in found if status < 400 or status >= 500]
    assert time.monotonic() - began < SOON_S
    assert "cut-off.txt" not in names(stack)


def test_a_length_that_says_too_little_makes_no_second_request(stack: Stack) -> None:
    inner = form(b"Words in the wake of others.", "smuggled.txt")
    rest = (
        "POST /api/documents/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=line\r\n"
        f"Content-Length: {len(inner)}\r\n\r\n"
    ).encode() + inner
    body = form(b"Words of which the end is beyond the length.", "long.txt")
    found = statuses(exchanged(stack, f"Content-Length: {len(body) - 30}", body + rest))
    assert len(found) == 1
    assert 400 <= found[0] < 500
    assert not {"long.txt", "smuggled.txt"} & names(stack)


@pytest.mark.parametrize("length", ["-1", "1e3", "abc", "+5", "5, 6", "", "9" * 400])
def test_a_length_that_is_no_number_is_refused(stack: Stack, length: str) -> None:
    answer = exchanged(stack, f"Content-Length: {length}", form(b"Words.", "numberless.txt"))
    assert all(400 <= status < 500 for status in statuses(answer)), answer
    assert "numberless.txt" not in names(stack)


def test_two_lengths_are_refused(stack: Stack) -> None:
    body = form(b"Words.", "twice.txt")
    for head in (
        f"Content-Length: {len(body)}\r\nContent-Length: 5",
        f"Content-Length: {len(body)}\r\nTransfer-Encoding: chunked",
    ):
        assert all(400 <= status < 500 for status in statuses(exchanged(stack, head, body)))
    assert "twice.txt" not in names(stack)


def test_what_says_to_be_too_large_is_refused_before_it_comes(stack: Stack) -> None:
    began = time.monotonic()
    answer = exchanged(stack, f"Content-Length: {1 << 42}", form(b"Words.", "claims.txt"))
    assert statuses(answer) == [413]
    assert b'"file_too_large"' in answer
    assert time.monotonic() - began < SOON_S


def test_a_file_over_the_limit_is_refused_with_an_answer(stack: Stack) -> None:
    response = stack.upload("big.txt", b"x" * (101 << 20))
    assert (response.status_code, response.json()["code"]) == (413, "file_too_large")
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("*=UTF-8''a%0d%0aSet-Cookie%3a%20b%3dc.txt", "a Set-Cookie_ b=c.txt"),
        ('="a%0d%0aSet-Cookie: b=c.txt"', "a%0d%0aSet-Cookie_ b=c.txt"),
        ("*=UTF-8''..%2f..%2fup%00.txt", "up.txt"),
        ('="a\\"; filename=\\"b.txt"', None),
    ],
)
def test_a_name_cannot_write_a_header(stack: Stack, written: str, kept: str | None) -> None:
    body = named(f"Words of {uuid4()}.".encode(), written)
    answer = exchanged(stack, f"Content-Length: {len(body)}", body)
    assert b"\r\nset-cookie" not in answer.lower()
    [status] = statuses(answer)
    assert status == 202 or (kept is None and 400 <= status < 500)
    assert kept is None or kept in names(stack)


def test_no_recording_is_told_from_an_empty_one(stack: Stack) -> None:
    assert stack.client.post("/api/voice/transcribe").json()["code"] == "no_file"
    empty = stack.client.post("/api/voice/transcribe", files={"file": ("a.wav", b"")}).json()
    assert empty["code"] == "undecodable_audio"


def test_a_client_that_leaves_in_the_middle_harms_nobody(stack: Stack) -> None:
    body = {"message": "Tell me everything about bicycles.", "stream": True}
    for _ in range(5):
        with stack.client.stream("POST", "/api/chat", json=body) as response:
            next(response.iter_lines())
    assert stack.ask("What was built in 1874?")["response"]
