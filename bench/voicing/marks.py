"""Turn numbers that travel as data: in the sound of the question, in its text, in the answer's words and its sound.

So the answer's sound is credited to a turn by what is in it, never by when it came, and what is missing, doubled,
out of order, or another caller's is seen.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

SYNC = np.array([int(bit) for bit in f"{0xACE5D31B:032b}"], np.uint8)
BITS = 32
"""Caller, turn and a check, behind as many bits of `SYNC`: 64 samples, of which a frame of 20 ms holds five."""

MAX_TURN = 511
MAX_CALLER = 1023
PIECES = 16
"""Pieces of a sentence's sound that can be told apart, at most."""

CONSONANTS, VOWELS = "bd", "aeiou"


@dataclass(frozen=True)
class Mark:
    """Which caller's which turn."""

    caller: int
    turn: int


def put(frame: bytes, mark: Mark) -> bytes:
    """Return a frame of PCM16 whose third lowest bit carries `mark`, 70 dB below full scale: rounding spares it."""
    value = mark.caller << 22 | mark.turn << 12 | _check(mark)
    bits = np.concatenate((SYNC, [int(bit) for bit in f"{value:0{BITS}b}"]))
    samples = np.frombuffer(frame, "<i2")
    carried = np.resize(bits, len(samples)).astype("<i2")
    return bytes((samples & ~7 | carried << 2 | 2).astype("<i2").tobytes())


def read(pcm: bytes) -> Mark | None:
    """Return the last mark in PCM16, wherever it was cut; None where there is none."""
    bits = (np.frombuffer(pcm, "<i2", count=len(pcm) // 2) >> 2 & 1).astype(np.uint8).tobytes()
    at = bits.rfind(SYNC.tobytes())
    while at >= 0:
        found = bits[at + len(SYNC) : at + len(SYNC) + BITS]
        value = int("".join(map(str, found)) or "0", 2)
        mark = Mark(value >> 22, value >> 12 & 1023)
        if len(found) == BITS and value & 0xFFF == _check(mark):
            return mark
        at = bits.rfind(SYNC.tobytes(), 0, at)
    return None


def _check(mark: Mark) -> int:
    return (mark.caller * 31 + mark.turn * 17 + 5) & 0xFFF


def word(number: int) -> str:
    """Return a number as a word that nobody would spell out or translate: three digits as syllables."""
    digits = [int(digit) for digit in f"{number:05d}"]
    return "".join(CONSONANTS[digit // 5] + VOWELS[digit % 5] for digit in digits)


def number(text: str) -> int:
    """Return the number whose `word` this is. Raises ValueError."""
    digits = [CONSONANTS.index(a) * 5 + VOWELS.index(b) for a, b in zip(text[::2], text[1::2], strict=True)]
    return int("".join(map(str, digits)))


PAIR_BYTES = 4
"""Two samples, which name a piece of sound together."""


def sound(turn: int, seq: int, caller: int, piece: int, samples: int) -> bytes:
    """Return a piece of an answer: every even sample names turn, sentence and piece, every odd one the caller."""
    pair = np.array([turn << 6 | seq << 4 | piece, caller + 1], "<i2")
    return np.resize(pair, samples).tobytes()


@dataclass(frozen=True)
class Piece:
    """A run of an answer's sound: its turn, its sentence, its place in it, whose it is, and its length in samples."""

    turn: int
    seq: int
    piece: int
    caller: int
    samples: int


def pieces(pcm: bytes) -> list[Piece]:
    """Return what is in sound that was made of `sound`, in whole pairs of samples, in order."""
    pairs = np.frombuffer(pcm, "<i2").reshape(-1, 2)
    changes = np.flatnonzero((np.diff(pairs, axis=0) != 0).any(axis=1)) + 1
    edges = [0, *changes.tolist(), len(pairs)]
    found = []
    for start, end in pairwise(edges):
        value, caller = int(pairs[start][0]), int(pairs[start][1]) - 1
        found.append(Piece(value >> 6, value >> 4 & 3, value & 15, caller, 2 * (end - start)))
    return found
