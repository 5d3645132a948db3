"""Recordings, read in a child process: their plan, and the sound of one piece."""

from pipelines.ingest.apart import Limits, run_apart
from pipelines.ingest.formats import audio
from pipelines.ports.sound import STT_RATE_HZ, Audio
from pipelines.turn.sound.audio import samples

PLAN = Limits(memory_bytes=1 << 30, cpu_s=300)
"""An hour of MP3 takes 5 s, four hours of OGG at 48 kHz 40 s."""

PIECE = Limits(memory_bytes=1 << 30, cpu_s=60)


def plan(data: bytes, max_s: float = audio.MAX_RECORDING_S) -> audio.Plan:
    """Return a recording's length and the pieces it is to be heard in.

    Raises UndecodableAudio, AudioTooLong, or Bomb and Damaged as `run_apart` does.
    """
    return run_apart(lambda _: audio.plan(data, max_s), _ignored, PLAN)


def piece(data: bytes, start_s: float, end_s: float) -> Audio:
    """Return the sound of one piece, 16 kHz mono. Raises as `plan` does."""
    pcm = run_apart(lambda _: audio.piece(data, start_s, end_s), _ignored, PIECE)
    return Audio(samples(pcm), STT_RATE_HZ)


def _ignored(done: int) -> None:
    """Take note of no progress."""
