"""Callers in a process of their own: they speak into voice sockets, play what comes, and note every turn.

    python -m bench.voicing.callers '{"url": "ws://…", "sessions": 10, …}'

Needs nothing but the standard library, numpy and what the work itself imports, so that it runs in the peers'
Python too. It prints `open` once all sockets are ready and begins at the instant (`time.perf_counter`) that it then
reads; the last line is what happened, as JSON.
"""

import asyncio
import gc
import importlib
import json
import re
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.voicing import marks, wire

SPREAD_S = 9.0
"""Callers begin evenly over so many seconds, about the length of a turn."""

REPORT_EVERY_S = 0.5
TURN = re.compile(r"turn (\d+) of", re.IGNORECASE)


@dataclass(frozen=True)
class Orders:
    """What a process of callers is to do; `first` is the number of its first caller of `of` in all."""

    url: str
    sessions: int
    seconds: float
    speech: str
    work: str = ""
    first: int = 0
    of: int = 1
    barge_every: int = 3
    start: dict[str, Any] = field(default_factory=dict)
    answer_pieces: int = 45


class Caller:
    """One caller's socket and loudspeaker.

    `faults` counts what was wrong with the sound, by kind; `cut_off` how often the caller was taken to have ended
    while it spoke.
    """

    def __init__(self, work: Any, session: Any, number: int, pieces: int) -> None:
        self._work, self.session, self.number, self._pieces = work, session, number, pieces
        self.loudspeaker = work.Loudspeaker(session)
        self.faults: Counter[str] = Counter()
        self.sounds: dict[int, list[tuple[int, int, int]]] = {}
        self.cut: set[int] = set()
        self.cut_off = 0
        self._numbers: dict[str, int] = {}
        self.waterfalls: list[dict[str, Any]] = []
        self.codes: Counter[str] = Counter()
        self._rate_hz, self._turn_id, self._sent_s = 24_000, "", 0.0
        self._reported_at = 0.0
        self._half = b""

    async def open(self, url: str, start: dict[str, Any]) -> None:
        """Connect and start the conversation. Raises ConnectionError."""
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wire = await wire.connect(url, self._take)
        self._wire.send(json.dumps({"type": "start", "sample_rate_hz": self._work.IN_RATE_HZ, **start}))
        await asyncio.wait_for(self._ready, 60)

    async def feed(self, frame: bytes) -> None:
        """Send a frame; one of speech carries the number of its turn."""
        if any(frame):
            frame = marks.put(frame, marks.Mark(self.number, len(self.session.turns)))
        self._wire.send(frame)

    def close(self) -> str | None:
        """End the conversation; return why it had ended before, if it had."""
        ended = self._wire.ended
        self._wire.send('{"type": "stop"}')
        return ended

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._play(message)
            return
        event = json.loads(message)
        match event["type"]:
            case "ready":
                self._ready.set_result(None)
            case "turn.audio":
                if event["turn_id"] != self._turn_id:
                    self._half = b""
                self._rate_hz, self._turn_id = event.get("sample_rate_hz", self._rate_hz), event["turn_id"]
                if "code" in event:
                    self.faults[f"unspoken: {event['code']}"] += 1
            case "turn.speech_stopped" if self.session.turns:
                self.cut_off += self.session.turns[-1].speech_end is None
                self._note("speech_stopped")
            case "turn.transcript" if found := TURN.search(event["text"]):
                self._numbers[event["turn_id"]] = int(found[1])
            case "playback.pause":
                self.loudspeaker.playing.clear()
            case "playback.resume":
                self.loudspeaker.playing.set()
            case "turn.cancelled":
                self.loudspeaker.clear()
                self.loudspeaker.playing.set()
                self.cut.add(self._numbers.get(event["turn_id"], 0))
            case "turn.completed":
                # What is left is shorter than a chunk and would else wait for the next answer.
                self.loudspeaker.end()
                self.waterfalls.append(event.get("timings", {}))
            case "turn.failed" | "error":
                self.codes[str(event.get("code"))] += 1

    def _note(self, name: str) -> None:
        turn = self.session.turns[-1]
        if turn.speech_end is not None:
            turn.marks.setdefault(name, self._work.now())

    def _play(self, pcm: bytes) -> None:
        # A piece may end within a pair of samples; its other half begins the next one of the same answer.
        pcm = self._half + pcm
        whole = len(pcm) - len(pcm) % marks.PAIR_BYTES
        self._half = pcm[whole:]
        for piece in marks.pieces(pcm[:whole]) if whole else ():
            if piece.caller != self.number:
                self.faults["another caller's sound"] += 1
                continue
            self.sounds.setdefault(piece.turn, []).append((piece.seq, piece.piece, piece.samples))
            seconds = piece.samples / self._rate_hz
            samples = int(self._work.OUT_RATE_HZ * seconds)
            self.loudspeaker.push(np.full(samples, piece.turn, "<i2").tobytes())
            self._sent_s += seconds
        now = self._work.now()
        if now - self._reported_at > REPORT_EVERY_S and self._turn_id and self.session.turns:
            self._reported_at = now
            played_ms = self.session.turns[-1].heard_s * 1e3
            self._wire.send(json.dumps({"type": "playback", "turn_id": self._turn_id, "played_ms": played_ms}))

    def check(self, chunk_s: float) -> None:
        """Count what was out of order, missing or doubled in the sound of answers that nobody cut into."""
        for number, runs in self.sounds.items():
            joined: list[list[int]] = []
            for seq, piece, samples in runs:
                if joined and joined[-1][:2] == [seq, piece]:
                    joined[-1][2] += samples
                else:
                    joined.append([seq, piece, samples])
            places = [(seq, piece) for seq, piece, _ in joined]
            if places != sorted(places):
                self.faults["out of order"] += 1
            elif len(set(places)) != len(places) or any(n > self._rate_hz * chunk_s + 1 for *_, n in joined):
                self.faults["double"] += 1
            elif number not in self.cut and len(places) < self._pieces:
                self.faults["gap"] += 1


async def run(orders: Orders) -> dict[str, Any]:
    """Return every turn, what the answers' waterfalls were, and what was wrong."""
    work = _work(orders.work)
    speech = work.clips(Path(orders.speech))
    sessions = [work.Session(speech, 5 * (orders.first + n), orders.barge_every) for n in range(orders.sessions)]
    callers = [Caller(work, one, orders.first + n, orders.answer_pieces) for n, one in enumerate(sessions)]
    for caller in callers:
        await caller.open(orders.url, orders.start)
    players = [asyncio.create_task(caller.loudspeaker.run()) for caller in callers]
    gc.collect()
    gc.freeze()
    print("open", flush=True)
    start = float(await asyncio.to_thread(sys.stdin.readline))
    cpu_s = time.process_time()
    until = start + orders.seconds + work.TAIL_S
    spread_s = SPREAD_S / orders.of
    await asyncio.gather(
        *(one.session.call(one.feed, start + spread_s * (orders.first + n), until) for n, one in enumerate(callers))
    )
    cpu_s = time.process_time() - cpu_s
    print("done", flush=True)
    ended = [caller.close() for caller in callers]
    for player in players:
        player.cancel()
    for caller in callers:
        caller.check(work.TTS_CHUNK_S)
    return {
        "sessions": orders.sessions,
        "cpu_s": cpu_s,
        "lateness": [float(np.percentile([x for one in sessions for x in one.lateness], q)) for q in (50, 99)],
        "turns": [{"caller": one.number, **asdict(turn)} for one in callers for turn in one.session.turns],
        "waterfalls": [found for one in callers for found in one.waterfalls],
        "faults": sum((one.faults for one in callers), Counter()),
        "codes": sum((one.codes for one in callers), Counter()),
        "answers": sum(len(one.sounds) for one in callers),
        "cut_offs": sum(one.cut_off for one in callers),
        "ended": [why for why in ended if why],
    }


def _work(folder: str) -> Any:
    """Return the work of a folder that holds a `workload.py`, else our own."""
    if not folder:
        return importlib.import_module("bench.voicing.own")
    sys.path.insert(0, folder)
    return importlib.import_module("workload")


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(Orders(**json.loads(sys.argv[1]))))), flush=True)
