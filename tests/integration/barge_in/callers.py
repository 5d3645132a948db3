"""Callers who listen to answers in real time and speak into them, and the far ends that answer them."""

import itertools
import json
import re
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from websockets.sync.client import ClientConnection, unix_connect

from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, Reply

FRAME_S = 0.02
OUT_RATE_HZ = 24_000
SENTENCE_S = 1.5
NUMBERS = "one two three four five six seven eight".split()
BACKCHANNEL_S = 1.3
"""Shorter utterances, with the sound around them, are transcribed as a backchannel."""


def far_ends() -> Reply:
    """Return providers of fixed delays: a transcript by the length of the sound, eight sentences, a tone for each."""
    asked = itertools.count(1)

    def reply(exchange: Exchange) -> None:
        path, body = exchange.asked.path, exchange.asked.body
        if path.endswith("/transcriptions"):
            time.sleep(0.15)
            long = len(body) / 32_000 > BACKCHANNEL_S
            exchange.send_json({"text": f"Please tell me all of story {next(asked)}." if long else "Mm-hm."})
        elif exchange.asked.method == "GET":
            fakes.failure(404)(exchange)
        elif path.endswith("/audio/speech"):
            time.sleep(0.1)
            number = NUMBERS.index(re.findall(r"Sentence (\w+)", exchange.asked.json["input"])[0])
            sound = np.full(int(OUT_RATE_HZ * SENTENCE_S), 1 + number, "<i2").tobytes()
            fakes.pcm(*(sound[at : at + 9600] for at in range(0, len(sound), 9600)))(exchange)
        elif exchange.asked.json.get("stream"):
            time.sleep(0.15)
            told = [
                f" Sentence {name} says that a quiet river carries every small boat past hills." for name in NUMBERS
            ]
            fakes.answer(*re.findall(r" *\S+", "".join(told).strip()))(exchange)
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": "Stories."}, "finish_reason": "stop"}
            exchange.send_json(
                {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
            )

    return reply


class Caller:
    """One person at a telephone: frames go out and sound is played every 20 ms, as the protocol page says."""

    def __init__(self, path: Path) -> None:
        self._open = ExitStack()
        opening = unix_connect(str(path), "ws://localhost/ws/voice/continuous", max_size=None, open_timeout=90)
        self.socket: ClientConnection = self._open.enter_context(opening)
        self.told: list[dict[str, Any]] = []
        self.sentences: dict[str, dict[int, str]] = defaultdict(dict)
        self.played_s: dict[str, float] = defaultdict(float)
        self.heard: dict[str, list[int]] = defaultdict(list)
        self.state, self.playing, self.paused = "listening", "", False
        self.played_at = 0.0
        self._waiting = bytearray()
        self._due = time.monotonic()
        self.send(type="start", sample_rate_hz=16_000)

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def live(self, duration_s: float, speech: np.ndarray | None = None) -> None:
        """Let time pass; meanwhile say something."""
        pcm = b"" if speech is None else (speech * 32_767).astype("<i2").tobytes()
        until = self._due + duration_s
        while self._due < until or pcm:
            self._tick(pcm[:640].ljust(640, b"\0"))
            pcm = pcm[640:]

    def until(self, state: str, within_s: float = 90.0) -> None:
        """Listen until the session is in a state."""
        deadline = time.monotonic() + within_s
        while self.state != state:
            assert time.monotonic() < deadline, (state, self.state, self.told[-12:])
            self._tick(bytes(640))

    def until_heard(self, duration_s: float, within_s: float = 90.0) -> None:
        """Listen until so much of a new answer has been played."""
        before, deadline = self.playing, time.monotonic() + within_s
        while self.playing == before or self.played_s[self.playing] < duration_s:
            assert time.monotonic() < deadline, (self.state, self.told[-12:])
            self._tick(bytes(640))

    def cut(self) -> None:
        self._open.close()

    def _tick(self, frame: bytes) -> None:
        self._due += FRAME_S
        self._play()
        self.socket.send(frame)
        while (left_s := self._due - time.monotonic()) > 0:
            self._take(left_s)
        if left_s < -1:
            self._due = time.monotonic()

    def _play(self) -> None:
        size = int(OUT_RATE_HZ * FRAME_S) * 2
        frame = b"" if self.paused else bytes(self._waiting[:size])
        if not frame:
            return
        del self._waiting[: len(frame)]
        self.played_at = time.monotonic()
        self.played_s[self.playing] += len(frame) / 2 / OUT_RATE_HZ
        self.heard[self.playing] += sorted(set(np.frombuffer(frame, "<i2").tolist()))
        if len(self.heard[self.playing]) % 10 == 0:
            self.send(type="playback", turn_id=self.playing, played_ms=self.played_s[self.playing] * 1000)

    def _take(self, timeout_s: float) -> None:
        try:
            text = self.socket.recv(timeout_s)
        except TimeoutError:
            return
        message: dict[str, Any] = {**json.loads(text), "came": time.monotonic()}
        kind, turn_id = message["type"], message.get("turn_id", "")
        if kind == "turn.audio":
            sound = self.socket.recv(60)
            if "code" in message:
                self.told.append(message)
            if not sound:
                return
            if turn_id != self.playing:
                self.playing, self.paused = turn_id, False
                self._waiting.clear()
            self._waiting += sound  # type: ignore[operator]
            return
        self.told.append(message)
        if kind == "state":
            self.state = message["state"]
        elif kind == "turn.sentence":
            self.sentences[turn_id][message["seq"]] = message["text"]
        elif kind == "playback.pause":
            self.paused = True
        elif kind == "playback.resume":
            self.paused = False
        elif kind == "turn.cancelled":
            self._waiting.clear()

    def words_heard(self, turn_id: str) -> list[str]:
        """Return the words of an answer that had sounded when it was cut, by this caller's own reckoning."""
        found: list[str] = []
        left_s = self.played_s[turn_id]
        for _, text in sorted(self.sentences[turn_id].items()):
            words = text.split()
            found += words[: int(len(words) * min(1.0, left_s / SENTENCE_S))]
            left_s -= SENTENCE_S
            if left_s <= 0:
                break
        return found
