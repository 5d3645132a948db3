"""Recordings as documents: how long they are, where they may be cut, and the sound of one piece.

A recording of hours is never held whole: it is decoded as a stream, once to find its pauses, then
piece by piece. Which containers and codecs are read, and what none of them may do, is decided in
`pipelines.turn.sound.audio`. Everything here works on hostile files and is run in a child process.
"""

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import soxr
from numpy.typing import NDArray

from pipelines.containers import Samples
from pipelines.ingest.formats.sounds import MAX_DRIFT_S, Sound, sounds
from pipelines.ports.sound import STT_RATE_HZ
from pipelines.turn.sound.audio import pcm16
from schemas.errors.sound import AudioTooLong, UndecodableAudio

MAX_RECORDING_S = 4 * 3600.0
"""Seconds of sound, as decoded: what a file says of its own length is not believed."""

MAX_VALUES_PER_S = 192_000
"""Values, over all channels, that a second of the longest recording may have on average: it bounds the work."""

PIECE_S = (15.0, 29.0)
"""A piece's shortest and longest length, but for the last one: what a recogniser hears at once, at most."""

WINDOW_S = 30.0
MIN_REST_S = 2.0
"""A last piece shorter than this is joined to the one before, if both fit the window of a recogniser."""

MAX_PIECE_S = 60.0

LEVEL_S = 0.02
PAUSE_S = 0.3
"""A cut is made where this long a time is quietest."""

_NEARLY = 2.0
"""Pauses up to so many times as loud as the quietest are as good, and then the latest is taken."""

_FLOOR = 1e-7
"""Power below which nothing is heard (-70 dB of full scale): quieter is not better."""


@dataclass(frozen=True)
class Plan:
    """How long a recording is, and the pieces (start_s, end_s) it is cut into, without gaps."""

    duration_s: float
    spans: tuple[tuple[float, float], ...]


def plan(data: bytes, max_s: float = MAX_RECORDING_S) -> Plan:
    """Return the length of a recording and its pieces of 15 to 29 s, cut in pauses. Decodes all of it once.

    Raises UndecodableAudio, AudioTooLong.
    """
    levels = _levels(data, max_s)
    duration_s = len(levels) * LEVEL_S
    cuts = [0.0, *_cuts(levels), duration_s]
    if len(cuts) > 2 and cuts[-1] - cuts[-2] < MIN_REST_S and cuts[-1] - cuts[-3] <= WINDOW_S:
        del cuts[-2]
    return Plan(round(duration_s, 2), tuple((round(start, 2), round(end, 2)) for start, end in pairwise(cuts)))


def split(data: bytes, max_s: float = MAX_RECORDING_S) -> list[tuple[float, float]]:
    """Return the pieces (start_s, end_s) of a recording. Raises UndecodableAudio, AudioTooLong."""
    return list(plan(data, max_s).spans)


def piece(data: bytes, start_s: float, end_s: float) -> bytes:
    """Return the sound from `start_s` to `end_s` as PCM16 little-endian, 16 kHz mono; what is missing is silence.

    Only this piece is decoded, at most 60 s. Raises UndecodableAudio.
    """
    end_s = min(end_s, start_s + MAX_PIECE_S)
    whole = np.zeros(max(0, round((end_s - start_s) * STT_RATE_HZ)), np.float32)
    run: list[Sound] = []
    try:
        for found in sounds(data, start_s, end_s):
            if run and (run[0].rate_hz != found.rate_hz or abs(found.start_s - run[-1].end_s) > MAX_DRIFT_S):
                _put(whole, run, start_s)
                run = []
            # Placed by the samples before it, not by its own time, which containers round.
            run.append(replace(found, start_s=run[-1].end_s) if run else found)
    except UndecodableAudio:
        # A part that is damaged leaves its neighbours to be heard.
        if not run:
            raise
    _put(whole, run, start_s)
    return pcm16(whole)


def _levels(data: bytes, max_s: float) -> NDArray[np.float32]:
    """Return the power of each 20 ms of a recording."""
    levels = array("f")
    values = 0
    for found in sounds(data, 0.0, math.inf):
        values += found.values
        if found.end_s > max_s or values > max_s * MAX_VALUES_PER_S:
            raise AudioTooLong(f"The recording is longer than {max_s / 60:.0f} minutes.", max_s=max_s)
        size = max(1, round(found.rate_hz * LEVEL_S))
        first = int(found.start_s / LEVEL_S)
        powers = np.add.reduceat(found.samples**2, np.arange(0, len(found.samples), size)) / size
        if (missing := first + len(powers) - len(levels)) > 0:
            levels.frombytes(bytes(4 * missing))
        for i, power in enumerate(powers.tolist(), first):
            levels[i] = max(levels[i], power)
    if not levels:
        raise UndecodableAudio("The recording holds no sound.")
    return np.frombuffer(levels, np.float32)


def _cuts(levels: NDArray[np.float32]) -> Iterator[float]:
    """Yield the seconds at which to cut: the latest of the quietest moments that each piece may end at."""
    half = round(PAUSE_S / LEVEL_S / 2)
    sums = np.concatenate([[0.0], np.cumsum(levels, dtype=np.float64)])
    shortest, longest = (round(seconds / LEVEL_S) for seconds in PIECE_S)
    start = 0
    while len(levels) - start > longest:
        at = np.arange(start + shortest, start + longest)
        after = np.minimum(at + half, len(levels))
        means = np.maximum((sums[after] - sums[at - half]) / (2 * half), _FLOOR)
        start = int(at[means <= means.min() * _NEARLY][-1])
        yield start * LEVEL_S


def _put(whole: Samples, run: Sequence[Sound], start_s: float) -> None:
    """Write a run of sound, at 16 kHz, where it belongs in a piece that begins at `start_s`."""
    if not run:
        return
    samples = np.concatenate([one.samples for one in run])
    if run[0].rate_hz != STT_RATE_HZ:
        samples = soxr.resample(samples, run[0].rate_hz, STT_RATE_HZ, quality="HQ")
    at = round((run[0].start_s - start_s) * STT_RATE_HZ)
    samples = samples[max(0, -at) :]
    at = max(0, at)
    room = max(0, len(whole) - at)
    whole[at : at + len(samples)] = samples[:room]
