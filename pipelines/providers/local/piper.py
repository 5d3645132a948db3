"""Text to speech by Piper, voice joe (en-US, male).

piper-tts is GPL-3 and therefore an extra: AURA runs without it, and only this module ever loads it.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.ports import Voice
from pipelines.providers import weights
from schemas.errors import NotOffered
from schemas.settings import Settings

JOE = Voice("joe", "Joe", "en-US", "local", {"gender": "male"})

INSTALL = "Speech without a key needs Piper: install the `piper` extra (`pip install -r requirements-piper.txt`)."

_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_PHONEMES = re.compile(r"\[\[|\]\]")


class Piper:
    """Speaks English. One instance may be used by several threads."""

    name = "local"
    model = "piper-joe"

    def __init__(self, cache_dir: Path) -> None:
        """Load the voice. Raises NotOffered where Piper or the voice is missing or changed."""
        try:
            # Late, because piper is optional and only the process that speaks may load it.
            from piper import PiperVoice, SynthesisConfig
        except ImportError as error:
            raise NotOffered(INSTALL) from error
        self._paced = SynthesisConfig
        self._voice = PiperVoice.load(weights.verify("piper-joe", cache_dir))
        self.sample_rate_hz: int = self._voice.config.sample_rate

    def voices(self) -> Sequence[Voice]:
        """Return the one voice there is."""
        return (JOE,)

    def speak(self, text: str, voice_id: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        """Yield mono PCM16 little-endian, a sentence at a time, each as soon as it is spoken.

        `voice_id` is ignored: there is one voice. A text without a letter or digit gives nothing.
        """
        said = speakable(text)
        if any(character.isalnum() for character in said):
            pace = self._paced(length_scale=self._voice.config.length_scale / speed)
            yield from (chunk.audio_int16_bytes for chunk in self._voice.synthesize(said, pace))


def make(settings: Settings) -> Piper:
    """Return the speaker of this deployment."""
    return Piper(weights.folder(settings))


def speakable(text: str) -> str:
    """Return `text` without what Piper would not read: control characters, and `[[…]]`, its phoneme syntax."""
    return _PHONEMES.sub(" ", _UNSPEAKABLE.sub(" ", text)).strip()
