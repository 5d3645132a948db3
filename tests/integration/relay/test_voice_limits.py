"""What a voice socket does with clients that are late, loud, slow, silent, foreign or broken."""

import json
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.relay.talking import GRACE_S, WITHIN_S, Web, Workers, sound_of
from tests.integration.relay.valkey import wait_until


def frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    """Return a masked client frame, well formed or not as its arguments are."""
    head = bytes([(0x80 if fin else 0) | opcode])
    size = len(payload)
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65_536:
        head += bytes([0x80 | 126]) + struct.pack(">H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", size)
    return head + bytes(4) + payload


class Raw:
    """A client that speaks to the socket below the protocol."""

    def __init__(self, web: Web, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(WITHIN_S)
        self.socket.connect(("127.0.0.1", web.port))
        self.socket.sendall(
            b"GET /ws/voice/continuous HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self.file = self.socket.makefile("rb")
        assert b"101" in self.file.readline()
        while self.file.readline() != b"\r\n":
            pass

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def send(self, **message: Any) -> None:
        self.socket.sendall(frame(1, json.dumps(message).encode()))

    def next(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame; a lost connection is (-1, b"")."""
        head = self.file.read(2)
        if len(head) < 2:
            return -1, b""
        size = head[1] & 127
        if size >= 126:
            size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
        return head[0] & 15, self.file.read(size)

    def closed_with(self) -> int:
        """Return the close code, 1006 where the connection is lost without one."""
        while True:
            opcode, payload = self.next()
            if opcode == 8:
                return int.from_bytes(payload[:2], "big")
            if opcode == -1:
                return 1006


@pytest.fixture(autouse=True)
def every_seat_is_given_back(web: Web) -> Iterator[None]:
    yield
    wait_until(lambda: web.state() == {"taken": 0, "followers": 0})


def test_sound_before_start_is_refused(web: Web) -> None:
    with web.talk() as talker:
        talker.socket.send(bytes(640))
        code, found = talker.closed()
    assert code == 1008 and [message["code"] for message in found] == ["not_started"]


@pytest.mark.parametrize("kind", ["text", "commit", "cancel"])
def test_wishes_before_start_are_refused(web: Web, kind: str) -> None:
    with web.talk() as talker:
        talker.send(type=kind, text="x")
        code, found = talker.closed()
    assert code == 1008 and [message["code"] for message in found] == ["not_started"]


def test_an_expired_token_is_refused(web: Web) -> None:
    with web.talk() as talker:
        talker.send(type="start", token="expired")
        code, found = talker.closed()
    assert code == 1008 and [message["code"] for message in found] == ["unauthenticated"]


@pytest.mark.parametrize(
    "fields",
    [
        {"sample_rate_hz": 7_999},
        {"sample_rate_hz": 384_000},
        {"sample_rate_hz": "fast"},
        {"channels": 3},
        {"channels": 64},
        {"encoding": "mp3"},
        {"conversation_id": "mine"},
        {"after": "yesterday"},
        {"after": "1-1:2-2:x:0.0"},
        {"language": "klingon, please"},
        {"endpointing": {"silence_ms": -1}},
        {"endpointing": "soon"},
        {"assistant_key": ""},
        {"token": "x" * 100_000},
        {"token": 7},
    ],
)
def test_a_start_that_is_not_valid_is_refused_and_may_be_mended(web: Web, fields: dict[str, Any]) -> None:
    with web.talk() as talker:
        talker.send(type="start", **fields)
        assert talker.expect("error")["code"] == "invalid_request"
        talker.start()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed_json"),
        ("hello", "malformed_json"),
        ('{"type": "ping"', "malformed_json"),
        ("[" * 100_000, "malformed_json"),
        ("[]", "invalid_request"),
        ("null", "invalid_request"),
        ("{}", "invalid_request"),
        ('{"type": 1}', "invalid_request"),
        ('{"type": "dance"}', "invalid_request"),
        ('{"type": "text"}', "invalid_request"),
        ('{"type": "text", "text": ""}', "invalid_request"),
        ('{"type": "text", "text": "\\ud800"}', "invalid_request"),
        ('{"type": "playback", "turn_id": "x", "played_ms": 1}', "invalid_request"),
        ('{"type": "audio_chunk", "audio": "%%%"}', "invalid_request"),
        ('{"type": "audio_chunk", "audio": {}}', "invalid_request"),
        ('{"type": "audio_chunk", "audio": "UklGRgAAAABXQVZF"}', "undecodable_audio"),
        ('{"type": "start"}', "invalid_request"),
    ],
)
def test_a_broken_message_is_an_error_and_the_session_goes_on(web: Web, text: str, code: str) -> None:
    with web.talk() as talker:
        talker.start()
        talker.socket.send(text)
        assert talker.expect("error")["code"] == code
        talker.send(type="ping")
        talker.expect("pong")


def test_a_question_that_is_too_long_is_refused(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start()
        talker.send(type="text", text="x" * 20_001)
        assert talker.expect("error")["code"] == "message_too_long"
        assert workers.started() == 0


def test_a_store_that_is_away_is_an_error_and_the_session_goes_on(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start()
        talker.send(type="text", text="break the store")
        assert talker.expect("error")["code"] == "store_unavailable"
        talker.send(type="text", text="again")
        assert workers.next_turn()["question"] == "again"


def test_text_that_is_not_utf_8_is_told_and_closed(web: Web) -> None:
    with Raw(web) as raw:
        raw.socket.sendall(frame(1, b"\xff\xfe"))
        opcode, payload = raw.next()
        assert (opcode, json.loads(payload)["code"]) == (1, "malformed_json")
        assert raw.closed_with() == 1007


def test_a_message_in_pieces_is_one_message_and_a_piece_too_many_is_a_fault(web: Web) -> None:
    with Raw(web) as raw:
        for at, letter in enumerate(b'{"type":"ping"}'):
            raw.socket.sendall(frame(1 if at == 0 else 0, bytes([letter]), fin=False))
        raw.socket.sendall(frame(0, b""))
        assert json.loads(raw.next()[1]) == {"type": "pong"}
        raw.socket.sendall(frame(1, b"unfinished", fin=False) + frame(1, b"another"))
        assert raw.closed_with() == 1002


@pytest.mark.parametrize("size", [65_538, 1_100_000, 20_000_000])
def test_a_frame_that_is_too_large_is_refused(web: Web, size: int) -> None:
    with web.talk() as talker:
        talker.start()
        talker.socket.send(bytes(size))
        assert talker.closed()[0] == 1009


def test_a_message_in_pieces_is_not_larger_than_others(web: Web) -> None:
    with Raw(web) as raw:
        raw.socket.sendall(frame(1, bytes(600_000), fin=False) + frame(0, bytes(600_000), fin=False))
        assert raw.closed_with() == 1009


def test_a_large_frame_within_the_limit_is_heard(web: Web) -> None:
    with web.talk() as talker:
        talker.start()
        talker.socket.send(bytes(65_536))
        talker.send(type="ping")
        talker.expect("pong")


def test_a_flood_of_sound_is_read_at_the_speed_of_speech_and_harms_nobody(web: Web) -> None:
    second = bytes(32_000)
    with web.talk() as flood, web.talk() as other:
        other.start()
        began = time.monotonic()
        flood.start()
        for _ in range(62):
            flood.socket.send(second)
        assert flood.expect("error")["code"] == "too_fast"
        for _ in range(3):
            flood.socket.send(second)
        flood.send(type="ping")
        flood.expect("pong")
        # Sixty of the 65 seconds may come at once.
        assert time.monotonic() - began > 4
        other.send(type="ping")
        other.expect("pong")


def test_a_flood_of_frames_is_slowed_down(web: Web) -> None:
    with Raw(web) as raw:
        began = time.monotonic()
        raw.socket.sendall(frame(9, b"") * 1300)
        raw.send(type="ping")
        while raw.next()[0] != 1:
            pass
        assert time.monotonic() - began > 1


def test_a_client_that_never_reads_is_dropped_and_one_that_never_starts_is_sent_away(
    serve: Callable[..., Web], workers: Workers
) -> None:
    server = serve(patience_s="6")
    with server.talk() as idle, Raw(server, receive_buffer=4096) as raw:
        raw.send(type="start")
        raw.send(type="text", text="Tell me everything.")
        turn = workers.next_turn()
        before = resident_bytes(server)
        for part in range(300):
            workers.speak(turn, 0, part, sound_of(0, part, 0.7))
        assert resident_bytes(server) - before < 20_000_000
        assert idle.closed()[0] == 1008
        wait_until(lambda: server.state()["taken"] == 0)
    assert "Traceback" not in server.stop()


def resident_bytes(server: Web) -> int:
    """Return the memory of the server's worker."""
    [worker] = psutil.Process(server.process.pid).children()
    return int(worker.memory_info().rss)


def test_a_client_that_vanishes_gives_its_seat_back(web: Web, workers: Workers) -> None:
    with web.talk() as talker:
        talker.start()
        talker.send(type="text", text="Hello")
        turn = workers.next_turn()
        workers.speak(turn, 0, 0, sound_of(0, 0, 0.5))
        talker.expect("turn.audio")
        talker.cut()
        wait_until(lambda: web.state()["taken"] == 0)


def test_a_session_ends_when_its_time_is_up(serve: Callable[..., Web]) -> None:
    server = serve(max_session_s="4")
    with server.talk() as talker:
        talker.start()
        assert talker.closed()[0] == 1000


def test_there_are_no_more_sockets_than_seats(serve: Callable[..., Web]) -> None:
    server = serve(max_sockets="2")
    with server.talk() as one, server.talk() as two:
        one.start()
        two.start()
        with pytest.raises(InvalidStatus) as refused:
            server.talk().__enter__()
        assert refused.value.response.status_code == 503
        assert json.loads(refused.value.response.body or b"")["code"] == "too_busy"
        one.socket.close()
        wait_until(lambda: server.state()["taken"] == 1)
        with server.talk() as three:
            three.start()


def test_a_server_that_is_stopped_says_goodbye(serve: Callable[..., Web]) -> None:
    server = serve()
    with server.talk() as started, server.talk() as waiting:
        started.start()
        os.kill(server.process.pid, signal.SIGTERM)
        assert started.closed()[0] == 1001
        assert waiting.closed()[0] == 1001
    began = time.monotonic()
    server.end(2 * GRACE_S)
    assert time.monotonic() - began < GRACE_S - 10  # It would wait so long for sockets that stayed.


def test_what_is_no_websocket_is_refused_as_http(web: Web) -> None:
    url = f"http://127.0.0.1:{web.port}/ws/voice/continuous"
    assert httpx.get(url, timeout=WITHIN_S).status_code == 400
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    answer = httpx.get(url, headers=upgrade, timeout=WITHIN_S)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    upgrade |= {"Sec-WebSocket-Version": "7", "Sec-WebSocket-Key": "A" * 22 + "=="}
    answer = httpx.get(url, headers=upgrade, timeout=WITHIN_S)
    assert answer.status_code == 422


def test_odd_bytes_and_nan_do_no_harm(web: Web) -> None:
    with web.talk() as talker:
        talker.start(channels=2, sample_rate_hz=44_100)
        for size in (1, 3, 5, 0, 7):
            talker.socket.send(bytes(size))
        talker.socket.send(np.full(100, np.nan, np.float32).tobytes())
        talker.send(type="ping")
        talker.expect("pong")
