"""A spoken question over the real voice socket, as a telephone or a browser would ask it."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from schemas.errors.providers import ProviderUnavailable

FRAME_S = 0.02
GIVE_UP_S = 90.0


@dataclass
class Heard:
    """What came back: events by name, the sound in order, and when the first of it arrived after the question."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    pcm: bytearray = field(default_factory=bytearray)
    sample_rate_hz: int = 0
    first_sound_s: float | None = None
    counts: Counter[str] = field(default_factory=Counter)


def ask(
    address: str, pcm: bytes, sample_rate_hz: int, assistant_key: str, silence_ms: int | None = None, **wishes: Any
) -> Heard:
    """Speak `pcm` (mono PCM16) in real time, go on with silence, and return the answer once it is complete.

    `silence_ms` is the silence that ends the question, where the server's own would cut its pauses; `wishes` are
    further fields of `start`.

    Raises ProviderUnavailable where the socket closes, refuses, or does not answer within `GIVE_UP_S`.
    """
    url = address.replace("http", "ws", 1) + "/ws/voice/continuous"
    heard = Heard()
    try:
        with connect(url, proxy=None, max_size=2**24, open_timeout=GIVE_UP_S) as socket:
            start = {"type": "start", "assistant_key": assistant_key, "sample_rate_hz": sample_rate_hz}
            endpointing = {"silence_ms": silence_ms} if silence_ms else {}
            socket.send(json.dumps({**start, "encoding": "pcm16", "endpointing": endpointing, **wishes}))
            _converse(socket, pcm, sample_rate_hz, heard)
            socket.send(json.dumps({"type": "stop"}))
    except (OSError, ConnectionClosed) as error:
        raise ProviderUnavailable(f"The voice socket ended before the answer was complete: {error}") from error
    return heard


def _converse(socket: ClientConnection, pcm: bytes, rate_hz: int, heard: Heard) -> None:
    """Send a frame every 20 ms and take what comes in between, until the turn has ended."""
    while _take(socket, GIVE_UP_S, heard, 0.0) != "ready":
        pass
    began = time.monotonic()
    question_s = len(pcm) / 2 / rate_hz
    for number, frame in enumerate(_frames(pcm, rate_hz)):
        socket.send(frame)
        due = began + (number + 1) * FRAME_S
        while (left_s := due - time.monotonic()) > 0:
            if _take(socket, left_s, heard, began + question_s) == "turn.completed":
                return
        if due - began > question_s + GIVE_UP_S:
            raise ProviderUnavailable(f"No complete answer came within {GIVE_UP_S:.0f} s of the question.")


def _frames(pcm: bytes, rate_hz: int) -> Iterator[bytes]:
    """Yield the sound in frames of 20 ms, then silence for ever, as a microphone does."""
    size = 2 * int(rate_hz * FRAME_S)
    for begin in range(0, len(pcm), size):
        yield pcm[begin : begin + size].ljust(size, b"\0")
    while True:
        yield bytes(size)


def _take(socket: ClientConnection, within_s: float, heard: Heard, asked_at: float) -> str:
    """Take one message, if one comes `within_s`; return its type. Sound is added to what was heard."""
    try:
        message = socket.recv(timeout=within_s)
    except TimeoutError:
        return ""
    if isinstance(message, bytes):
        if heard.first_sound_s is None and message:
            heard.first_sound_s = time.monotonic() - asked_at
        heard.pcm += message
        return "sound"
    event = json.loads(message)
    kind = str(event["type"])
    if kind in ("error", "turn.failed"):
        raise ProviderUnavailable(f"{event.get('code')}: {event.get('detail')}")
    if kind == "turn.audio" and "sample_rate_hz" in event:
        heard.sample_rate_hz = int(event["sample_rate_hz"])
    heard.events[kind] = event
    heard.counts[kind] += 1
    return kind
