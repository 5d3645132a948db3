"""An utterance becomes a question."""

import numpy as np

from pipelines.ports.sound import STT_RATE_HZ, Audio, Transcriber, Transcript
from schemas.errors.sound import NoSpeech


def transcribe(
    transcriber: Transcriber,
    pcm16: bytes,
    language: str | None = None,
    *,
    timestamps: bool = False,
    words: bool = False,
) -> Transcript:
    """Return what is said in mono PCM16 little-endian at 16 kHz, with the times of its segments and words where these
    are asked for.

    Raises NoSpeech where nothing is.
    """
    samples = np.frombuffer(pcm16[: len(pcm16) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768)
    transcript = transcriber.transcribe(Audio(samples, STT_RATE_HZ), language, timestamps=timestamps, words=words)
    if not transcript.text.strip():
        raise NoSpeech
    return transcript
