"""What hearing one session costs: its share of a core by what is heard and how it is sent, and its memory."""

import gc
import io
import time
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import soxr

from bench.figures import table
from bench.paused_speech import Clip, Samples, pink
from pipelines.ports.sound import STT_RATE_HZ
from pipelines.turn.hearing.endpointing import Endpointer
from pipelines.turn.sound.audio import pcm16
from pipelines.turn.sound.audio_in import stream_decoder

SECONDS = 20
REPEATS = 3
SESSIONS = 30
FRAMES_A_SECOND = 50


def report(clips: Sequence[Clip]) -> None:
    """Print what a session costs that is silent, noisy or spoken in, and what it keeps."""
    rng = np.random.default_rng(0)
    length = SECONDS * STT_RATE_HZ
    talk = np.concatenate([clip.samples for clip in clips])
    talk = np.resize(talk, length) + pink(length, rng) * np.float32(5e-4)
    room, fan = (pink(length, rng) * np.float32(level) for level in (5e-4, 1e-2))
    ways = [
        ("silence, PCM16 16 kHz", room, "pcm16", 16_000),
        ("a fan, PCM16 16 kHz", fan, "pcm16", 16_000),
        ("speech, PCM16 16 kHz", talk, "pcm16", 16_000),
        ("silence, PCM16 48 kHz", room, "pcm16", 48_000),
        ("speech, PCM16 48 kHz", talk, "pcm16", 48_000),
        ("speech, PCM16 8 kHz", talk, "pcm16", 8_000),
        ("silence, Opus in Ogg", room, "opus", 48_000),
        ("speech, Opus in Ogg", talk, "opus", 48_000),
    ]
    rows = [[name, f"{100 * cost(sound, encoding, rate_hz):.2f} %"] for name, sound, encoding, rate_hz in ways]
    print(f"\n## CPU of one session, share of a core (best of {REPEATS})\n")
    print(table(["heard", "core"], rows))
    print(f"\nMemory of a session, mean of {SESSIONS}: ", end="")
    print(f"silent {memory_kb(room[: 3 * STT_RATE_HZ]):.0f} kB, {SECONDS} s into an utterance {memory_kb(talk):.0f} kB")


def cost(sound: Samples, encoding: str, rate_hz: int) -> float:
    """Return the CPU time of decoding and endpointing `sound`, as a share of its duration."""
    pieces = sent(sound, encoding, rate_hz)
    best = float("inf")
    for _ in range(REPEATS):
        decoder, ears = stream_decoder(encoding, rate_hz), Endpointer()
        began = time.process_time()
        for piece in pieces:
            ears.feed(decoder.feed(piece))
        best = min(best, time.process_time() - began)
    return best / (len(sound) / STT_RATE_HZ)


def sent(sound: Samples, encoding: str, rate_hz: int) -> list[bytes]:
    """Return `sound` as a client sends it, in pieces of 20 ms."""
    if encoding == "opus":
        data = ogg(sound)
        size = -(-len(data) * STT_RATE_HZ // (len(sound) * FRAMES_A_SECOND))
    else:
        data = pcm16(np.asarray(soxr.resample(sound, STT_RATE_HZ, rate_hz), np.float32))
        size = 2 * rate_hz // FRAMES_A_SECOND
    return [data[at : at + size] for at in range(0, len(data), size)]


def ogg(sound: Samples) -> bytes:
    """Return `sound` as Opus in Ogg."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as output:
        stream = output.add_stream("libopus", rate=48_000, layout="mono")
        resampler = av.AudioResampler("s16", "mono", 48_000, frame_size=960)
        frame = av.AudioFrame.from_ndarray((np.clip(sound, -1, 1) * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = STT_RATE_HZ
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            output.mux(stream.encode(piece))
    return file.getvalue()


def memory_kb(sound: Samples) -> float:
    """Return by how much a session that has heard `sound` lets this process grow."""
    gc.collect()
    before, kept = _resident_kb(), []
    for _ in range(SESSIONS):
        decoder, ears = stream_decoder("pcm16", 48_000), Endpointer()
        ears.feed(decoder.feed(bytes(960)))
        for at in range(0, len(sound), 320):
            ears.feed(sound[at : at + 320].copy())
        kept.append((decoder, ears))
    return (_resident_kb() - before) / SESSIONS


def _resident_kb() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4.096
