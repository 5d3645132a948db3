"""Text to speech by Piper, voice joe (en-US, male).

piper-tts is GPL-3 and therefore an extra: AURA runs without it, and only this module ever loads it.
Its model is run in two halves: the first turns a sentence into frames, quickly and all at once, the second, nine
tenths of the work for a long one, turns frames into sound, here a few at a time. So the first sound of a sentence
does not wait for its last.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.ports.sound import Voice
from pipelines.providers import weights
from pipelines.providers.local.onnx_cut import cut
from schemas.errors.requests import NotOffered
from schemas.settings import Settings

JOE = Voice("joe", "Joe", "en-US", "local", {"gender": "male"})

INSTALL = "Speech without a key needs Piper: install the `piper` extra (`pip install -r requirements-piper.txt`)."

DECODER = "/dec/conv_pre/Conv"
"""The first node of the half that makes sound, in every Piper voice."""

FIRST_FRAMES, MOST_FRAMES = 24, 192
"""Frames, of 256 samples, that become sound at once: 0.28 s at first, twice as many each time, 2.2 s at most."""

CONTEXT_FRAMES = 12
"""How far a frame reaches into the sound of its neighbours: with so many of them around it, it sounds the same."""

ROUNDED = 0.47
"""How much of a sentence's length is due to rounding, over the rest of it: 0.5 over 1.06 frames a phoneme, measured."""

GAIN = 1.5
"""Brings the voice near full level. Piper scales each sentence by its loudest moment, which comes too late here."""

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
            import onnxruntime
            from piper import PiperVoice
            from piper.config import PiperConfig
        except ImportError as error:
            raise NotOffered(INSTALL) from error
        path = weights.verify("piper-joe", cache_dir)
        options = onnxruntime.SessionOptions()
        # Several sentences are spoken side by side: one thread each, and none that spins while it waits.
        options.intra_op_num_threads = options.inter_op_num_threads = 1

        def session(model: bytes) -> Any:
            return onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])

        head, tail, self._frames = cut(path.read_bytes(), DECODER)
        self._config = PiperConfig.from_dict(json.loads(Path(f"{path}.json").read_text(encoding="utf-8")))
        self._voice = PiperVoice(session=session(head), config=self._config)
        self._decoder = session(tail)
        self.sample_rate_hz: int = self._config.sample_rate

    def voices(self) -> Sequence[Voice]:
        """Return the one voice there is."""
        return (JOE,)

    def speak(self, text: str, voice_id: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        """Yield mono PCM16 little-endian, in pieces of 0.3 to 2.2 s, each as soon as it is spoken.

        `voice_id` is ignored: there is one voice. A text without a letter or digit gives nothing.
        """
        said = speakable(text)
        if any(character.isalnum() for character in said):
            for phonemes in self._voice.phonemize(said):
                if phonemes:
                    yield from self._spoken(phonemes, speed)

    def _spoken(self, phonemes: list[str], speed: float) -> Iterator[bytes]:
        frames = self._framed(self._voice.phonemes_to_ids(phonemes), speed)
        count, start, size = frames.shape[2], 0, FIRST_FRAMES
        while start < count:
            # The last piece is not a crumb.
            end = count if start + 1.5 * size >= count else start + size
            yield self._sound(frames, start, end)
            start, size = end, min(2 * size, MOST_FRAMES)

    def _framed(self, ids: Sequence[int], speed: float) -> NDArray[np.float32]:
        """Return the frames of a sentence, shape (1, channels, frames)."""
        config = self._config
        # A phoneme lasts whole frames, rounded up: half a frame each that no scale shortens, a third of the whole.
        length_scale = config.length_scale * (1 / speed + ROUNDED * (1 / speed - 1))
        asked = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([config.noise_scale, length_scale, config.noise_w_scale], np.float32),
        }
        return np.asarray(self._voice.session.run([self._frames], asked)[0], np.float32)

    def _sound(self, frames: NDArray[np.float32], start: int, end: int) -> bytes:
        before = max(0, start - CONTEXT_FRAMES)
        heard = frames[:, :, before : end + CONTEXT_FRAMES]
        found = np.asarray(self._decoder.run(None, {self._frames: heard})[0]).ravel()
        hop = len(found) // heard.shape[2]
        loud = np.clip(found[(start - before) * hop : (end - before) * hop] * GAIN, -1.0, 1.0)
        return (loud * 32767).round().astype("<i2").tobytes()


def make(settings: Settings) -> Piper:
    """Return the speaker of this deployment."""
    return Piper(weights.folder(settings))


def speakable(text: str) -> str:
    """Return `text` without what Piper would not read: control characters, and `[[…]]`, its phoneme syntax."""
    return _PHONEMES.sub(" ", _UNSPEAKABLE.sub(" ", text)).strip()
