"""Talks with an AURA assistant, prints what happens, writes what is heard to a file, and interrupts (--help).

Needs `pip install websockets`. Recordings are WAV, mono, 16 bit, 16 kHz; `-` is the same from stdin, as from
`arecord -t raw -f S16_LE -r 16000 | python voice_client.py -`.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
import wave
from collections.abc import Iterator

from websockets.asyncio.client import ClientConnection, connect

FRAME_S, IN_RATE_HZ, OUT_RATE_HZ = 0.02, 16_000, 24_000
URL = "ws://127.0.0.1:8000/ws/voice/continuous"
IN_BYTES, OUT_BYTES = int(IN_RATE_HZ * FRAME_S) * 2, int(OUT_RATE_HZ * FRAME_S) * 2


class Player:
    """Plays in real time what it is given, as a loudspeaker would; `heard` is what came out of it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.heard, self.waiting = socket, bytearray(), bytearray()
        self.turn_id, self.played, self.paused = "", 0, False

    async def run(self) -> None:
        """Play a frame every 20 ms; tell the server now and then how far it is."""
        for tick in itertools.count(1):
            await asyncio.sleep(FRAME_S)
            frame = self.waiting[: 0 if self.paused else OUT_BYTES]
            del self.waiting[: len(frame)]
            self.heard += frame
            self.played += len(frame)
            if frame and tick % 10 == 0:
                about = {"turn_id": self.turn_id, "played_ms": self.played / 2 / OUT_RATE_HZ * 1000}
                await self.socket.send(json.dumps({"type": "playback", **about}))

    async def take(self, message: dict) -> None:
        """Do what a message says about the sound of the answer."""
        if message["type"] == "turn.audio":
            if message["turn_id"] != self.turn_id:
                self.turn_id, self.played, self.paused = message["turn_id"], 0, False
            self.waiting += await self.socket.recv()
        elif message["type"] in ("playback.pause", "playback.resume"):  # `playback.duck` asks for less volume only.
            self.paused = message["type"] == "playback.pause"
        elif message["type"] == "turn.cancelled":
            self.waiting.clear()


def frames(path: str) -> Iterator[bytes]:
    if path == "-":
        return iter(lambda: sys.stdin.buffer.read(IN_BYTES), b"")
    with wave.open(path) as file:
        pcm = file.readframes(file.getnframes())
    return (pcm[at : at + IN_BYTES] for at in range(0, len(pcm), IN_BYTES))


async def say(socket: ClientConnection, path: str, after_s: float = 0.0) -> None:
    """Send a recording, or the standard input, as fast as it is spoken; before and after it silence."""
    source, began = frames(path), time.monotonic()
    for number in itertools.count(1):
        quiet = number * FRAME_S <= after_s
        await socket.send(bytes(IN_BYTES) if quiet else await asyncio.to_thread(next, source, bytes(IN_BYTES)))
        await asyncio.sleep(max(0.0, began + number * FRAME_S - time.monotonic()))


async def main(args: argparse.Namespace) -> None:
    async with connect(args.url, compression=None, max_size=None) as socket:
        about = {"token": args.token, "sample_rate_hz": IN_RATE_HZ, "output": {"sample_rate_hz": OUT_RATE_HZ}}
        await socket.send(json.dumps({"type": "start", **about}))
        player, heard = Player(socket), False
        playing, saying = asyncio.create_task(player.run()), asyncio.create_task(say(socket, args.recording))
        async for text in socket:
            message = json.loads(text)
            print({name: value for name, value in message.items() if name not in ("id", "timings", "citations")})
            await player.take(message)
            if message.get("state") == "speaking" and args.interrupt:
                saying.cancel()
                saying, args.interrupt = asyncio.create_task(say(socket, args.interrupt, args.after)), None
            elif message.get("state") == "speaking":
                heard = True
            elif heard and message.get("state") == "listening" and args.recording != "-":
                break
        playing.cancel(), saying.cancel()
    with wave.open(args.out, "wb") as file:
        file.setparams((1, 2, OUT_RATE_HZ, 0, "NONE", ""))
        file.writeframes(player.heard)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording")
    for name, default in {"--url": URL, "--token": None, "--interrupt": None, "--out": "heard.wav"}.items():
        parser.add_argument(name, default=default)
    parser.add_argument("--after", type=float, default=1.5, help="seconds into the answer")
    asyncio.run(main(parser.parse_args()))
