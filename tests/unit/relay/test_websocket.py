"""One WebSocket over a pair of sockets: pings, goodbyes, and a client that does not behave."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, Protocol, State
from websockets.server import ServerProtocol

from api.live import websocket as module
from api.live.mailbox import Mailbox, Reason
from api.live.websocket import Ended, WebSocket


class Client:
    """The other end, which answers pings or does not."""

    def __init__(self, end: socket.socket) -> None:
        self.end, self.protocol, self.pongs = end, Protocol(CLIENT, state=State.OPEN), True
        end.settimeout(60)

    def frames(self) -> Iterator[Frame]:
        """Yield what comes until the server ends the connection."""
        while True:
            data = self.end.recv(65_536)
            if not data:
                self.end.close()
                return
            self.protocol.receive_data(data)
            answers = self.protocol.data_to_send()
            if self.pongs or self.protocol.state is not State.OPEN:
                self.end.sendall(b"".join(answers))
            yield from (frame for frame in self.protocol.events_received() if isinstance(frame, Frame))


class Pair:
    """A server's socket, read by a thread of its own, and its client."""

    def __init__(self, **timing: float) -> None:
        server, client = socket.socketpair()
        self.mailbox, self.client, self.received = Mailbox(), Client(client), list[object]()
        protocol = ServerProtocol(state=State.OPEN, max_size=1000)
        self.socket = WebSocket(server, protocol, self.mailbox, lambda item: [str(item)], **timing)
        self.server = server
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()

    def _read(self) -> None:
        try:
            while True:
                if (message := self.socket.receive(0.05)) is not None:
                    self.received.append(message)
        except Ended:
            self.socket.finish()
            self.server.close()

    def codes(self) -> list[int]:
        """Return the close code the client is sent, if any, once the connection has ended."""
        codes = [
            int.from_bytes(frame.data[:2], "big") for frame in self.client.frames() if frame.opcode is Opcode.CLOSE
        ]
        self.reading.join(60)
        assert not self.reading.is_alive()
        return codes


def test_a_client_that_never_pongs_is_sent_away() -> None:
    pair = Pair(ping_interval_s=0.05, pong_timeout_s=0.2)
    pair.client.pongs = False
    began = time.monotonic()
    assert pair.codes() == [1008]
    assert time.monotonic() - began > 0.2


def test_a_client_that_pongs_stays() -> None:
    pair = Pair(ping_interval_s=0.02, pong_timeout_s=2)
    pings = 0
    for frame in pair.client.frames():
        pings += frame.opcode is Opcode.PING
        if pings == 4:
            break
    pair.mailbox.tell("still here")
    assert any(frame.data == b"still here" for frame in pair.client.frames())
    pair.socket.close(1000, "done")
    assert pair.codes() == [1000]


def test_what_was_said_is_sent_before_the_goodbye() -> None:
    pair = Pair()
    for n in range(100):
        pair.mailbox.tell(n)
    pair.socket.close(1008, "enough")
    found = list(pair.client.frames())
    assert [frame.data for frame in found[:-1]] == [str(n).encode() for n in range(100)]
    assert found[-1].opcode is Opcode.CLOSE and found[-1].data == b"\x03\xf0enough"


@pytest.mark.parametrize(("reason", "code"), [(Reason.OVERFLOW, 1013), (Reason.GOING_AWAY, 1001), (Reason.DONE, 1000)])
def test_the_reason_of_a_closed_mailbox_is_the_close_code(reason: Reason, code: int) -> None:
    pair = Pair()
    pair.mailbox.close(reason)
    assert pair.codes() == [code]


def test_a_client_that_does_not_read_is_cut_and_blocks_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALL_S", 3.0)
    pair = Pair()
    for _ in range(100):
        pair.mailbox.tell("x" * 50_000)
    pair.client.protocol.send_text(b"I still speak")
    for data in pair.client.protocol.data_to_send():
        pair.client.end.sendall(data)
    pair.reading.join(60)
    assert not pair.reading.is_alive()
    assert pair.received == ["I still speak"]


def test_a_fault_while_rendering_closes_with_1011() -> None:
    pair = Pair()
    pair.socket._render = lambda item: [str(1 / 0)]
    pair.mailbox.tell("x")
    assert pair.codes() == [1011]


def test_a_client_that_closes_is_answered() -> None:
    pair = Pair()
    pair.client.protocol.send_close(1000)
    for data in pair.client.protocol.data_to_send():
        pair.client.end.sendall(data)
    assert pair.codes() == [1000]


@pytest.fixture
def flowing() -> Iterator[tuple[WebSocket, socket.socket]]:
    """Yield a socket that has received sound, and its client's end: over TCP, which knows how much has come."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        end = socket.create_connection(listening.getsockname())
        server = listening.accept()[0]
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened = WebSocket(server, ServerProtocol(state=State.OPEN), Mailbox(), lambda item: [str(item)])
    end.sendall(sound())
    assert opened.receive(60, rest_s=60, enough=10_000) == [bytes(100)]
    yield opened, end
    end.close()
    opened.finish()
    server.close()


def sound() -> bytes:
    return Frame(Opcode.BINARY, bytes(100)).serialize(mask=True)


def test_sound_that_flows_is_read_when_there_is_enough_of_it(flowing: tuple[WebSocket, socket.socket]) -> None:
    opened, end = flowing
    later = threading.Timer(0.05, lambda: end.sendall(sound()))
    end.sendall(sound())
    later.start()
    began = time.monotonic()
    assert opened.receive(30, rest_s=30, enough=200) == [bytes(100)] * 2
    assert time.monotonic() - began < 25


def test_what_is_less_is_read_after_a_rest(flowing: tuple[WebSocket, socket.socket]) -> None:
    opened, end = flowing
    end.sendall(sound() + Frame(Opcode.TEXT, b"stop").serialize(mask=True) + sound())
    began = time.monotonic()
    assert opened.receive(30, rest_s=0.2, enough=10_000) == [bytes(100)]
    assert 0.19 < time.monotonic() - began < 25
    assert opened.receive(30, rest_s=30, enough=10_000) == "stop"
    assert opened.receive(30, rest_s=30, enough=10_000) == [bytes(100)]


def test_who_sends_no_more_sound_is_not_looked_after_again_and_again(flowing: tuple[WebSocket, socket.socket]) -> None:
    opened, end = flowing
    assert opened.receive(0.3, rest_s=0.02, enough=10_000) is None
    end.sendall(Frame(Opcode.TEXT, b"commit").serialize(mask=True))
    began = time.monotonic()
    assert opened.receive(30, rest_s=30, enough=10_000) == "commit"
    assert time.monotonic() - began < 25
