"""A sentence becomes sound."""

from collections.abc import Iterator

from pipelines.ports import Speaker
from pipelines.turn.spoken import speakable

MAX_FRAME_BYTES = 32_768
"""Largest piece handed on: 0.74 s at 22.05 kHz, well below a socket's limit once it is base64."""


def synthesize(
    speaker: Speaker, text: str, voice_id: str | None = None, speed: float = 1.0, language: str | None = None
) -> Iterator[bytes]:
    """Yield mono PCM16 at the speaker's rate in pieces of whole samples, nothing where nothing is to be said.

    `language`, a BCP 47 tag, says how figures are read; None is English.
    """
    said = speakable(text, language)
    if not said:
        return
    rest = b""
    for piece in speaker.speak(said, voice_id, speed):
        data = rest + piece
        whole = len(data) // 2 * 2
        data, rest = data[:whole], data[whole:]
        for start in range(0, len(data), MAX_FRAME_BYTES):
            yield data[start : start + MAX_FRAME_BYTES]
