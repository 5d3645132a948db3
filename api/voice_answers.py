"""What clients of `/ws/voice/continuous` are sent: JSON, and sound beside it or inside it."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from pipelines.turn.audio import wav
from schemas.events import EventName

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Longest answer that is sent once more as a whole: six minutes at 22.05 kHz."""


class Answers:
    """Encodes messages for one client.

    By default sound follows its `turn.audio` as one binary message. `in_json` is for the reference
    clients, which read JSON only: sound is base64 in `turn.audio`, and each answer comes once more as
    one `response` with its text, its sound as WAV, and its sources.
    """

    def __init__(self) -> None:
        self.in_json = False
        self._sound = bytearray()
        self._rate_hz = 0

    def encode(self, message: dict[str, Any]) -> Iterator[str | bytes]:
        """Yield what is to be sent for `message`; a `turn.audio` has its PCM16 as bytes in `audio`."""
        if message["type"] == EventName.TURN_AUDIO:
            yield from self._encode_sound(message)
            return
        yield json.dumps(message, default=str)
        if self.in_json and message["type"] == EventName.TURN_COMPLETED:
            yield json.dumps(self._whole(message))

    def _encode_sound(self, message: dict[str, Any]) -> Iterator[str | bytes]:
        pcm: bytes = message["audio"]
        if not self.in_json:
            header = {name: value for name, value in message.items() if name != "audio"}
            yield json.dumps({**header, "bytes": len(pcm)})
            yield pcm
            return
        if message["seq"] == 0 and message["part"] == 0:
            self._sound.clear()
        if pcm and len(self._sound) + len(pcm) <= MAX_ANSWER_BYTES:
            self._sound += pcm
            self._rate_hz = int(message["sample_rate_hz"])
        yield json.dumps({**message, "audio": base64.b64encode(pcm).decode()})

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
