"""Sound as a provider gives it, held against the text it is to be: whoever listens cannot check it."""

from collections.abc import Iterator, Sequence

from pipelines.ports.sound import Speaker, Voice, Word
from schemas.errors.providers import ProviderUnavailable

MOST_S = 0.5
"""Seconds that a letter or digit takes at most; people take 0.07, and 0.5 for some digits."""

SPARE_S = 60.0
"""What any text may take beyond that: pauses, abbreviations, numbers that are read out."""


class Sounding:
    """A speaker whose sound is checked. `words` are those that were told so far, in order.

    Whether it is speech is not judged: a recording may be silent for a reason.
    """

    def __init__(self, speaker: Speaker) -> None:
        self.name, self.sample_rate_hz = speaker.name, speaker.sample_rate_hz
        self.words: list[Word] = []
        self._speaker = speaker

    def voices(self) -> Sequence[Voice]:
        """Return the speaker's voices."""
        return self._speaker.voices()

    def speak(self, text: str, voice_id: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        """Yield what the speaker yields.

        Raises ProviderUnavailable where there is no sound for a text that has letters, or much more than it can take,
        and what the speaker raises.
        """
        letters = sum(map(str.isalnum, text))
        most_bytes = (SPARE_S + MOST_S * letters / speed) * 2 * self.sample_rate_hz
        given = 0
        for piece in self._speaker.speak(text, voice_id, speed):
            self.words += getattr(piece, "words", ())
            given += len(piece)
            if given > most_bytes:
                raise ProviderUnavailable(f"{self.name} speaks without an end; it was given up.")
            yield piece
        if letters and not given:
            raise ProviderUnavailable(f"{self.name} gave no sound.")
