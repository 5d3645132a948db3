"""The windows in which Whisper hears a recording, and where in it their text is said."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.ports.sound import STT_RATE_HZ, Segment, Word

TIMESTAMP_S = 0.02
"""Seconds from one of the model's marks of time to the next."""

MIN_TOUCH_S = 0.8
"""The silence that the voice detector leaves at both ends of speech."""


@dataclass(frozen=True)
class Piece:
    """Speech that fits a window, and the (start, end) in the recording, in samples, that it was joined from."""

    samples: NDArray[np.float32]
    spans: tuple[tuple[int, int], ...]

    @property
    def duration_s(self) -> float:
        return len(self.samples) / STT_RATE_HZ

    def after(self, second: float) -> "Piece":
        """Return what is left of it after the given second."""
        dropped = int(second * STT_RATE_HZ)
        left, at = [], 0
        for start, end in self.spans:
            length = end - start
            if at + length > dropped:
                left.append((start + max(0, dropped - at), end))
            at += length
        return Piece(self.samples[dropped:], tuple(left))

    def placed(self, one: Segment) -> Segment:
        """Return a segment of this piece with its times in the recording.

        The model's marks of time miss the joints between spans by some tenths of a second: a span that
        a segment only just touches is not where it is said.
        """
        touched: list[tuple[int, int]] = []
        at = 0
        for start, end in self.spans:
            first = max(round(one.start_s * STT_RATE_HZ), at)
            last = min(round(one.end_s * STT_RATE_HZ), at + end - start)
            if first <= last:
                touched.append((start + first - at, start + last - at))
            at += end - start
        if not touched:
            touched = [self.spans[-1]]
        said = [span for span in touched if span[1] - span[0] >= MIN_TOUCH_S * STT_RATE_HZ]
        said = said or [max(touched, key=lambda span: span[1] - span[0])]
        return Segment(said[0][0] / STT_RATE_HZ, said[-1][1] / STT_RATE_HZ, one.text)

    def placed_word(self, word: Word) -> Word:
        """Return a word of this piece with its times in the recording: within the span that holds most of it."""
        first, last = word.start_s * STT_RATE_HZ, word.end_s * STT_RATE_HZ
        best, shift, at = -math.inf, 0, 0
        for start, end in self.spans:
            within = min(last, at + end - start) - max(first, at)
            if within > best:
                best, shift, low, high = within, start - at, at, at + end - start
            at += end - start
        first, last = (min(max(edge, low), high) + shift for edge in (first, last))
        return replace(word, start_s=first / STT_RATE_HZ, end_s=last / STT_RATE_HZ)


def joined(samples: NDArray[np.float32], spans: Sequence[tuple[int, int]]) -> Piece:
    """Return the sound of spans (start, end), in samples, as one piece."""
    return Piece(np.concatenate([samples[start:end] for start, end in spans]), tuple(spans))


def marked(tokens: Sequence[int], tokenizer: Any, duration_s: float) -> tuple[Segment, ...]:
    """Return the text between the model's marks of time; the last one ends with the sound if none follows it."""
    found: list[Segment] = []
    start_s, said = 0.0, list[int]()
    for token in [*tokens, None]:
        if token is not None and token < tokenizer.timestamp_begin:
            said.append(token)
            continue
        mark_s = duration_s if token is None else min((token - tokenizer.timestamp_begin) * TIMESTAMP_S, duration_s)
        if text := tokenizer.decode(said).strip():
            found.append(Segment(min(start_s, mark_s), mark_s, text))
        start_s, said = mark_s, []
    return tuple(found)


def aligned(found: Sequence[dict[str, Any]]) -> tuple[Word, ...]:
    """Return words as faster-whisper's `find_alignment` gives them, punctuation with the word that it belongs to."""
    words: list[Word] = []
    opening = ""
    for one in found:
        text = str(one["word"]).strip()
        if not any(map(str.isalnum, text)):
            # "…nine" + "." are one word, and so are "(" + "nine".
            if words and not str(one["word"]).startswith(" "):
                words[-1] = replace(words[-1], text=words[-1].text + text)
            else:
                opening += text
            continue
        start_s, end_s = float(one["start"]), float(one["end"])
        words.append(Word(opening + text, start_s, max(start_s, end_s), round(float(one["probability"]), 3)))
        opening = ""
    return tuple(words)


def sentences_of(words: Sequence[Word]) -> tuple[Segment, ...]:
    """Return the sentences that the words make, with their times."""
    found: list[Segment] = []
    said: list[Word] = []
    for word in words:
        said.append(word)
        if word.text.rstrip("\"'”’)").endswith((".", "?", "!", "…", "。", "？", "！")) or word is words[-1]:
            found.append(Segment(said[0].start_s, said[-1].end_s, " ".join(one.text for one in said)))
            said = []
    return tuple(found)
