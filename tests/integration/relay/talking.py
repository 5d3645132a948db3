"""A running web process, a client that talks to it, and the workers whose place a test takes."""

import base64
import json
import os
import re
import signal
import socket
import time
import wave
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
import redis
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from pipelines.stores import events
from schemas.events import Event, EventName, Subject
from schemas.tables.base import DEFAULT_TENANT_ID
from tests import forked
from tests.integration.relay import voice_app
from tests.integration.relay.valkey import wait_until

ROOT = Path(__file__).parents[3]
RATE_HZ = 22_050
SPEECH = ROOT.parent / "shared" / "data" / "speech"

WITHIN_S = 60.0
"""How long is waited for what comes in some milliseconds: the machine may be slow, and busy."""

PATIENT = {"silence_ms": 5000, "adaptive": False}
"""Endpointing that leaves it to `commit` to end an utterance, however slow the test is."""


GRACE_S = 90
"""How long a server that stops waits for requests that go on."""


class Web:
    """One gunicorn worker of threads on a free port, with the application of these tests or another."""

    app = "tests.integration.relay.voice_app:create_app()"
    look = "/state"

    def __init__(self, redis_url: str, patience_s: str = "", **settings: str) -> None:
        environ = {**os.environ, "AURA_REDIS_URL": redis_url, "PYTHONPATH": str(ROOT), "TEST_PATIENCE_S": patience_s}
        environ |= {f"AURA_{name.upper()}": value for name, value in settings.items()}
        words = ["-m", "gunicorn", "--worker-class", "gthread", "--threads", "64", "--bind"]
        words += ["127.0.0.1:0", "--graceful-timeout", str(GRACE_S), "--config", voice_app.__file__]
        words += [self.app]
        ours, theirs = os.pipe()
        self._said = os.fdopen(ours)
        with os.fdopen(theirs, "wb") as out:
            self.process = forked.start(words, environ, out)
        found, log = None, []
        while found is None:
            line = self._said.readline()
            assert line, "".join(log)
            log.append(line)
            found = re.search(r"Listening at: http://127.0.0.1:(\d+)", line)
        self.port = int(found[1])
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{self.look}", timeout=WITHIN_S).status_code == 200
        except httpx.ConnectError:
            return False

    def state(self) -> dict[str, int]:
        found: dict[str, int] = httpx.get(f"http://127.0.0.1:{self.port}/state", timeout=WITHIN_S).json()
        return found

    def talk(self, query: str = "", **options: Any) -> "Talker":
        url = f"ws://127.0.0.1:{self.port}/ws/voice/continuous{query}"
        return Talker(connect(url, max_size=None, open_timeout=WITHIN_S, **options))

    def stop(self) -> str:
        """Stop the server and return what it has logged since it listened."""
        if self.process.returncode is not None:
            return ""
        self.process.send_signal(signal.SIGTERM)
        return self.end(2 * GRACE_S)

    def end(self, within_s: float) -> str:
        """Return what the server has logged since it listened, once it has ended."""
        self.process.wait(within_s)
        with self._said:
            return self._said.read()


class Talker:
    """A client as the protocol page describes it: it keeps the id of the last message it has whole."""

    def __init__(self, opening: connect) -> None:
        self.opening = opening
        self.place: str | None = None
        self._kept: deque[dict[str, Any]] = deque()

    def __enter__(self) -> "Talker":
        self.socket: ClientConnection = self.opening.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def cut(self) -> None:
        """Lose the connection without a word."""
        self.socket.socket.shutdown(socket.SHUT_RDWR)

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def start(self, **fields: Any) -> dict[str, Any]:
        self.send(type="start", **fields)
        return self.expect("ready")

    def hear_out(self) -> None:
        """Return once the server has heard all that was sent; what it has told meanwhile comes next."""
        place = self.place
        self.send(type="ping")
        self._kept.extend(self.until("pong")[:-1])
        self.place = place

    def next(self, timeout_s: float = WITHIN_S) -> dict[str, Any]:
        """Return the next message; the sound of a `turn.audio` is in `pcm`."""
        message = self._kept.popleft() if self._kept else self._received(timeout_s)
        self.place = message.get("id", self.place)
        return message

    def _received(self, timeout_s: float) -> dict[str, Any]:
        text = self.socket.recv(timeout_s)
        assert isinstance(text, str)
        message: dict[str, Any] = json.loads(text)
        if message["type"] == "turn.audio" and "audio" not in message:
            message["pcm"] = self.socket.recv(timeout_s)
            assert len(message["pcm"]) == message["bytes"] <= 65_536
        return message

    def expect(self, kind: str, timeout_s: float = WITHIN_S, **fields: Any) -> dict[str, Any]:
        """Return the next message of this kind with these fields; others before it are passed over."""
        while True:
            message = self.next(timeout_s)
            if message["type"] == kind and all(message.get(name) == value for name, value in fields.items()):
                return message

    def until(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Return all messages up to and with the first of this kind with these fields."""
        found = [self.next()]
        while found[-1]["type"] != kind or any(found[-1].get(name) != value for name, value in fields.items()):
            found.append(self.next())
        return found

    def closed(self) -> tuple[int | None, list[dict[str, Any]]]:
        """Return the code the server closes with, and the JSON messages before."""
        found = []
        with suppress(ConnectionClosed):
            while True:
                message = self.socket.recv(WITHIN_S)
                found += [json.loads(message)] if isinstance(message, str) else []
        return self.socket.close_code, found

    def say(self, samples: np.ndarray, rate_hz: int = 16_000, frame_s: float = 0.02) -> None:
        """Send sound in frames, as fast as they are taken."""
        pcm = (samples * 32_767).astype("<i2").tobytes()
        size = int(rate_hz * frame_s) * 2
        for at in range(0, len(pcm), size):
            self.socket.send(pcm[at : at + size])


class Workers:
    """What a test does in their place: takes the turns that were started, publishes what workers would."""

    def __init__(self, client: "redis.Redis") -> None:
        self.client = client
        client.delete(*client.keys("test:*") or ["test:none"])

    def next_turn(self) -> dict[str, Any]:
        """Return the next turn that was asked for sure: of those begun early the one that was confirmed."""
        while True:
            turn = self.next_started()
            if not turn["speculative"]:
                return turn
            what, done = self._next(voice_app.CONFIRMED, voice_app.DROPPED)
            assert done[0] == turn["turn_id"]
            if what == voice_app.CONFIRMED:
                return turn

    def next_started(self) -> dict[str, Any]:
        """Return the next turn that was begun, whether it is sure or not."""
        turn: dict[str, Any] = self._next(voice_app.STARTED)[1]
        return turn

    def next_standing(self, talker: Talker) -> dict[str, Any]:
        """Return the turn that was begun early and not dropped, as one at a short pause is, once all sound is heard."""
        talker.hear_out()
        turn = self.next_started()
        while (dropped := self.client.lpop(voice_app.DROPPED)) is not None:
            assert json.loads(dropped)[0] == turn["turn_id"]  # type: ignore[arg-type]
            turn = self.next_started()
        return turn

    def next_cancelled(self) -> list[str]:
        return self.next_done(voice_app.CANCELLED)

    def next_done(self, what: str) -> list[Any]:
        """Return the next act of this kind: the turn's id, and what was said of it."""
        done: list[Any] = self._next(what)[1]
        return done

    def _next(self, *whats: str) -> tuple[str, Any]:
        """Return the next thing that was done of these, and about it."""
        until = time.monotonic() + WITHIN_S
        # Less at a time than the client waits for any answer.
        while (found := self.client.blpop(list(whats), timeout=5)) is None:
            assert time.monotonic() < until, f"nothing was done: {whats}"
        return found[0].decode(), json.loads(found[1])

    def started(self) -> int:
        return int(self.client.llen(voice_app.STARTED))

    def tell(self, turn: dict[str, Any], name: EventName, **data: Any) -> str:
        subject = Subject.conversation(UUID(DEFAULT_TENANT_ID), UUID(turn["conversation_id"]))
        return events.publish(self.client, Event(name, subject, {"turn_id": turn["turn_id"], **data}))

    def speak(self, turn: dict[str, Any], seq: int, part: int, pcm: bytes, last: bool = False) -> None:
        sound = base64.b64encode(pcm).decode()
        about = {"seq": seq, "part": part, "last": last, "sample_rate_hz": RATE_HZ, "encoding": "pcm16"}
        self.tell(turn, EventName.TURN_AUDIO, **about, audio=sound)

    def answer(self, turn: dict[str, Any], sentences: int = 2, parts: int = 3, part_s: float = 0.1) -> bytes:
        """Answer a turn at once and return the sound of the answer."""
        self.tell(turn, EventName.TURN_TRANSCRIPT, text="what was said", language="en", confidence=0.9)
        whole = b""
        for seq in range(sentences):
            self.tell(turn, EventName.TURN_SENTENCE, seq=seq, text=f"Sentence {seq}.")
            for part in range(parts):
                pcm = sound_of(seq, part, part_s)
                self.speak(turn, seq, part, pcm)
                whole += pcm
            self.speak(turn, seq, parts, b"", last=True)
        self.complete(turn)
        return whole

    def complete(self, turn: dict[str, Any]) -> None:
        self.tell(turn, EventName.TURN_COMPLETED, response="The answer.", citations=[], sources=["handbook.pdf"])


def sound_of(seq: int, part: int, duration_s: float) -> bytes:
    """Return sound that names its sentence and part in every sample."""
    return np.full(int(duration_s * RATE_HZ), seq * 1000 + part, "<i2").tobytes()


def recording(name: str) -> np.ndarray:
    """Return a read sentence, 16 kHz float32, peak 0.5."""
    path = SPEECH / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
    return samples / np.abs(samples).max() / 2


def silence(duration_s: float) -> np.ndarray:
    return np.zeros(int(duration_s * 16_000), np.float32)


def names(messages: list[dict[str, object]]) -> list[object]:
    return [message["type"] for message in messages]


def heard(messages: list[dict[str, object]]) -> bytes:
    return b"".join(message["pcm"] for message in messages if message["type"] == "turn.audio")  # type: ignore[misc]
