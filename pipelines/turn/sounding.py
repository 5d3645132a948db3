"""Sound as a provider gives it, held against the text it is to be: whoever listens cannot check it."""

from collections.abc import Iterator, Sequence

import numpy as np

from pipelines.ports import Speaker, Voice, Word
from schemas.errors import ProviderUnavailable

AUDIBLE = 64
"""A sample beyond this (of 32,767) is sound; -54 dB."""

LEAST_S, MOST_S = 0.01, 0.5
"""Seconds that a letter or digit takes at least and at most; people take 0.07, and 0.5 for some digits."""

SPARE_S = 15.0
"""What any text may take beyond that: pauses, abbreviations, numbers that are read out."""

JUDGED_FROM = 20
"""Letters from which a sound can be too short."""


class Sounding:
    """A speaker whose sound is checked. `words` are those that were told so far, in order."""

    def __init__(self, speaker: Speaker) -> None:
        self.name, self.sample_rate_hz = speaker.name, speaker.sample_rate_hz
        self.words: list[Word] = []
        self._speaker = speaker

    def voices(self) -> Sequence[Voice]:
        """Return the speaker's voices."""
        return self._speaker.voices()

    def speak(self, text: str, voice_id: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        """Yield what the speaker yields, from the first piece on that can be heard.

        Raises ProviderUnavailable where nothing can be heard, where it is much longer than `text` can take, and, at
        the end, where it is much shorter; and what the speaker raises.
        """
        letters = sum(map(str.isalnum, text))
        most_bytes = (SPARE_S + MOST_S * letters / speed) * 2 * self.sample_rate_hz
        held, given, audible = b"", 0, False
        for piece in self._speaker.speak(text, voice_id, speed):
            self.words += getattr(piece, "words", ())
            given += len(piece)
            if given > most_bytes:
                raise ProviderUnavailable(f"{self.name} speaks without an end; it was given up.")
            if audible:
                yield piece
                continue
            held += piece
            audible = _can_be_heard(held)
            if audible:
                yield held
                held = b""
        if not audible and letters:
            raise ProviderUnavailable(f"{self.name} gave no sound.")
        if letters >= JUDGED_FROM and given < LEAST_S * letters / speed * 2 * self.sample_rate_hz:
            raise ProviderUnavailable(f"{self.name} stopped in the middle of its speech.")


def _can_be_heard(sound: bytes) -> bool:
    samples = np.frombuffer(sound[: len(sound) // 2 * 2], "<i2").astype(np.int32)
    return bool(len(samples)) and int(np.abs(samples).max()) > AUDIBLE
