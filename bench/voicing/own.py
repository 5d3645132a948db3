"""The work that every caller does, where no folder of such work is given.

A caller sends a frame every 20 ms, asks, hears the answer to its end and asks again 0.7 s later; into every third
answer it cuts one second after its first sound. All instants are seconds of `now()`. It is of the same kind as the
peers' work and has the same names, so that `bench.voicing.callers` runs either.
"""

import asyncio
import time
import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

now = time.perf_counter

IN_RATE_HZ, OUT_RATE_HZ = 16_000, 24_000
FRAME_S, OUT_CHUNK_S = 0.020, 0.040
FRAME_BYTES = int(IN_RATE_HZ * FRAME_S) * 2
VAD_STOP_S, STT_FINAL_S, LLM_FIRST_S, LLM_TOKENS_PER_S, TTS_FIRST_S = 0.5, 0.2, 0.3, 60, 0.15
TTS_SPEED, TTS_CHUNK_S, SENTENCE_AUDIO_S, SENTENCE_TOKENS = 20, 0.1, 1.5, (12, 14, 14)
RESPONSE_AUDIO_S = SENTENCE_AUDIO_S * len(SENTENCE_TOKENS)
PROVIDER_S = VAD_STOP_S + STT_FINAL_S + LLM_FIRST_S + (SENTENCE_TOKENS[0] - 1) / LLM_TOKENS_PER_S + TTS_FIRST_S
TAIL_S = 8.0
"""Nothing is asked in the last seconds: its answer could not be heard."""

FIRST_S, PAUSE_S, CUT_AFTER_S, NO_ANSWER_S = 0.5, 0.7, 1.0, 8.0
PEAK = 16_383
SILENT_DB = -40.0
"""Below this against the loudest 20 ms a frame is no speech."""


def clips(folder: Path) -> list[bytes]:
    """Return the WAV files of a folder (mono PCM16, 16 kHz) without the silence around, each with a peak of 0.5."""
    return [_trimmed(path) for path in sorted(folder.glob("*.wav"))]


def _trimmed(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    frames = np.sqrt((samples[: len(samples) // 320 * 320].reshape(-1, 320) ** 2).mean(axis=1))
    loud = np.flatnonzero(frames > frames.max() * 10 ** (SILENT_DB / 20))
    spoken = samples[loud[0] * 320 : (loud[-1] + 1) * 320]
    return bytes((spoken / np.abs(spoken).max() * PEAK).astype("<i2").tobytes())


@dataclass
class Turn:
    """What happened in one turn."""

    number: int
    barge_in: bool
    speech_start: float
    speech_end: float | None = None
    marks: dict[str, float] = field(default_factory=dict)
    first_out: float | None = None
    last_out: float | None = None
    heard_s: float = 0.0
    premature: bool = False


class Session:
    """One caller: its turns, what it says next and when, and what it has heard."""

    def __init__(self, speech: list[bytes], order: int, barge_every: int) -> None:
        self._speech, self._order, self._barge_every = speech, order, barge_every
        self.turns: list[Turn] = []
        self.lateness: list[float] = []

    def heard(self, pcm: bytes) -> None:
        """Take a chunk that leaves the loudspeaker now; its first sample is the number of its turn."""
        at, number = now(), int.from_bytes(pcm[:2], "little", signed=True)
        if not 1 <= number <= len(self.turns):
            return
        turn = self.turns[number - 1]
        turn.heard_s += len(pcm) / 2 / OUT_RATE_HZ
        turn.last_out = at
        turn.premature |= turn.speech_end is None or at < turn.speech_end
        if not turn.premature and turn.first_out is None:
            turn.first_out = at

    async def call(self, send: Callable[[bytes], Awaitable[None]], start: float, until: float) -> None:
        """Send the frame that is due at each `start + k * 20 ms`; one that is late is sent at once, none is dropped."""
        said: list[bytes] = []
        ask_at: float | None = start + FIRST_S
        frame = 0
        while (due := start + frame * FRAME_S) < until and now() < until + 20:
            await wait_until(due)
            self.lateness.append(now() - due)
            if not said and ask_at is not None and ask_at <= due < until - TAIL_S:
                said, ask_at = self._begin(due), None
            await send(said.pop(0) if said else bytes(FRAME_BYTES))
            if not said and self.turns:
                turn = self.turns[-1]
                turn.speech_end = turn.speech_end or due
                ask_at = ask_at or self._next(turn, due)
            frame += 1

    def _begin(self, due: float) -> list[bytes]:
        cuts_in = bool(self.turns) and self._cuts(self.turns[-1])
        self.turns.append(Turn(len(self.turns) + 1, cuts_in, due))
        pcm = self._speech[(self._order + len(self.turns)) % len(self._speech)]
        return [pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for at in range(0, len(pcm), FRAME_BYTES)]

    def _cuts(self, turn: Turn) -> bool:
        return bool(self._barge_every) and turn.number % self._barge_every == 0 and turn.first_out is not None

    def _next(self, turn: Turn, due: float) -> float | None:
        """Return when the caller speaks again, None while it listens."""
        assert turn.speech_end is not None
        if turn.first_out is None:
            return due if due > turn.speech_end + NO_ANSWER_S else None
        if self._cuts(turn):
            return max(due, turn.first_out + CUT_AFTER_S)
        whole = turn.heard_s >= RESPONSE_AUDIO_S - 0.05
        return due + PAUSE_S if whole or due > turn.first_out + RESPONSE_AUDIO_S + 4 else None


class Loudspeaker:
    """Plays what is pushed in chunks of 40 ms, each when it is due in real time; nothing while `playing` is clear."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting, self._more, self._ended = bytearray(), asyncio.Event(), False
        self.playing = asyncio.Event()
        self.playing.set()

    def push(self, pcm: bytes) -> None:
        self._waiting += pcm
        self._more.set()

    def end(self) -> None:
        """Play what is shorter than a chunk too: nothing follows."""
        self._ended = True
        self._more.set()

    def clear(self) -> None:
        """Drop what was not played yet."""
        self._waiting.clear()
        self._ended = False

    async def run(self) -> None:
        """Play until cancelled."""
        size, due = int(OUT_RATE_HZ * OUT_CHUNK_S) * 2, 0.0
        while True:
            while len(self._waiting) < size and not (self._ended and self._waiting):
                self._ended = False
                self._more.clear()
                await self._more.wait()
            await self.playing.wait()
            await wait_until(due)
            if self._waiting and self.playing.is_set():
                self._session.heard(bytes(self._waiting[:size]))
                del self._waiting[:size]
                due = max(due, now() - 0.005) + OUT_CHUNK_S


async def wait_until(instant: float) -> None:
    """Return at an instant of `now()`, or at once where it is past."""
    if (delay := instant - now()) > 0:
        await asyncio.sleep(delay)
