"""What clients of `/ws/voice/continuous` are sent: JSON, and sound beside it or inside it."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.turn.sound.audio import wav
from pipelines.turn.sound.audio_out import Encoder, encoder
from schemas.events import EventName

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Longest answer that is sent once more as a whole: six minutes at 22.05 kHz."""

OVER = frozenset({EventName.TURN_CANCELLED, EventName.TURN_FAILED})


@dataclass(frozen=True)
class SoundWanted:
    """As what a client wants its sound: with neither, PCM16 as it was made."""

    encoding: str | None = None
    sample_rate_hz: int | None = None

    def encoder(self, source_rate_hz: int) -> Encoder | None:
        """Return what makes it of PCM16; None where nothing is to be done. Raises InvalidRequest."""
        if self.encoding is None and self.sample_rate_hz is None:
            return None
        return encoder(self.encoding or "pcm16", source_rate_hz, self.sample_rate_hz or source_rate_hz)


class Answers:
    """Encodes messages for one client.

    By default sound follows its `turn.audio` as one binary message. `in_json` is for the reference
    clients, which read JSON only: sound is base64 in `turn.audio`, and each answer comes once more as
    one `response` with its text, its sound as WAV, and its sources.
    """

    def __init__(self) -> None:
        self.in_json = False
        self.wanted = SoundWanted()
        self._encoder: Encoder | None = None
        self._last: dict[str, Any] = {}
        self._sound = bytearray()
        self._rate_hz = 0

    def encode(self, message: dict[str, Any]) -> Iterator[str | bytes]:
        """Yield what is to be sent for `message`; a `turn.audio` has its PCM16 as bytes in `audio`."""
        kind = message["type"]
        if kind == EventName.TURN_AUDIO:
            yield from self._encode_sound(dict(message))
            return
        if kind == EventName.TURN_COMPLETED:
            yield from self._rest(message)
        elif kind in OVER and message.get("turn_id") == self._last.get("turn_id"):
            self._encoder = None
        yield json.dumps(message, default=str)
        if self.in_json and kind == EventName.TURN_COMPLETED:
            yield json.dumps(self._whole(message))

    def _encode_sound(self, message: dict[str, Any]) -> Iterator[str | bytes]:
        settle, pcm = message.pop("settle", False), message["audio"]
        if self.in_json:
            self._keep(message, pcm)
        if message.get("sample_rate_hz"):
            message["duration_ms"] = round(len(pcm) / 2 / int(message["sample_rate_hz"]) * 1000)
            if message["turn_id"] != self._last.get("turn_id"):
                self._encoder = self.wanted.encoder(int(message["sample_rate_hz"]))
        if self._encoder is not None and message.get("sample_rate_hz"):
            message["audio"] = self._encoder.feed(pcm, int(message["sample_rate_hz"]))
            if settle:
                message["audio"] += self._encoder.settle()
            message |= {"encoding": self._encoder.encoding, "sample_rate_hz": self._encoder.sample_rate_hz}
            self._last = message
        elif message.get("sample_rate_hz"):
            self._last = message
        yield from self._send_sound(message)

    def _send_sound(self, message: dict[str, Any]) -> Iterator[str | bytes]:
        sound: bytes = message["audio"]
        if self.in_json:
            yield json.dumps({**message, "audio": base64.b64encode(sound).decode()})
            return
        header = {name: value for name, value in message.items() if name != "audio"}
        yield json.dumps({**header, "bytes": len(sound)})
        yield sound

    def _rest(self, completed: dict[str, Any]) -> Iterator[str | bytes]:
        """Yield the end of an encoded answer, which only now is known to be it."""
        ended, self._encoder = self._encoder, None
        if ended is None or completed.get("turn_id") != self._last.get("turn_id"):
            return
        if sound := ended.flush():
            # Its id is that of the sound before: whoever comes back to it gets `turn.completed` too.
            end = {"part": int(self._last["part"]) + 1, "last": True, "audio": sound, "duration_ms": 0}
            yield from self._send_sound({**self._last, **end})

    def _keep(self, message: dict[str, Any], pcm: bytes) -> None:
        if message["seq"] == 0 and message["part"] == 0:
            self._sound.clear()
        if pcm and len(self._sound) + len(pcm) <= MAX_ANSWER_BYTES:
            self._sound += pcm
            self._rate_hz = int(message["sample_rate_hz"])

    def _whole(self, completed: dict[str, Any]) -> dict[str, Any]:
        sound = base64.b64encode(wav(bytes(self._sound), self._rate_hz)).decode() if self._sound else ""
        self._sound.clear()
        return {
            "type": "response",
            "id": completed["id"],
            "turn_id": completed["turn_id"],
            "text": completed.get("response", ""),
            "audio": sound,
            "sources": completed.get("sources", []),
        }
