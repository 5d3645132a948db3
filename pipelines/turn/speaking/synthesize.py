"""A sentence becomes sound."""

from collections.abc import Iterator

from pipelines.ports.sound import Speaker
from pipelines.turn.speaking.spoken import speakable

PORTION_S = 0.5
"""Sound that is handed on at once, at most: 48 kB at 48 kHz, below the 64 kB of a socket's frame."""


def portion_bytes(sample_rate_hz: int) -> int:
    """Return how many bytes of mono PCM16 are handed on at once, at most."""
    return 2 * round(PORTION_S * sample_rate_hz)


def synthesize(
    speaker: Speaker, text: str, voice_id: str | None = None, speed: float = 1.0, language: str | None = None
) -> Iterator[bytes]:
    """Yield mono PCM16 at the speaker's rate in pieces of whole samples, at most a portion each.

    Nothing where nothing is to be said. `language`, a BCP 47 tag, says how figures are read; None is English.
    """
    said = speakable(text, language)
    if not said:
        return
    rest, most = b"", portion_bytes(speaker.sample_rate_hz)
    for piece in speaker.speak(said, voice_id, speed):
        data = rest + piece
        whole = len(data) // 2 * 2
        data, rest = data[:whole], data[whole:]
        for start in range(0, len(data), most):
            yield data[start : start + most]
