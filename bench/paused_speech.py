"""Speech with pauses put into it and noise over it, and what a recogniser makes of its beginnings."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from pipelines.ports.sound import STT_RATE_HZ, Audio
from pipelines.providers.local.piper import Piper
from pipelines.providers.local.whisper import Whisper
from pipelines.turn.hearing.voice_activity import FRAME, SileroVoiceActivityDetector
from pipelines.turn.sound.audio import decode, pcm16, samples

Samples = NDArray[np.float32]

PAUSE_S = (0.2, 0.9)
FADE = 80
LEAST_S = 0.35
"""No pause is put nearer to the beginning or the end of the speech, or to another one."""

GAP_S = 2.5
"""Between two utterances: longer than any silence that is tried."""

ROOM_DB = -66.0
"""Noise that is always there: no microphone gives zeros."""

SAID = (
    "I would like to book a table for four people on Saturday evening.",
    "Can you tell me how long the guarantee for the washing machine lasts?",
    "My order arrived yesterday and the left door of the cupboard is scratched.",
    "What do I have to bring when I pick up the parcel for my neighbour?",
    "Please cancel the appointment on Monday and give me one in the week after.",
    "How much does it cost if I return the car a day later than agreed?",
    "We moved in March, so the invoice has to go to the new address.",
    "Which of your two tariffs is cheaper for somebody who travels a lot?",
    "The number on the back of the card is four seven one nine.",
    "I have tried to restart it twice but the green light does not come on.",
    "Is there a train to the airport before six in the morning?",
    "If the parts are not in stock I will take the other model.",
)
"""Spoken by Piper where there is no recorded speech, and in addition where there is."""


@dataclass(frozen=True)
class Clip:
    """One utterance of a speaker, clean, cut at its first and last sound."""

    name: str
    speaker: str
    samples: Samples


@dataclass(frozen=True)
class Session:
    """Utterances of one speaker with their pauses and their noise, and where each begins and ends, in seconds."""

    name: str
    sound: Samples
    spans_s: tuple[tuple[float, float], ...]


def recorded(folder: Path) -> list[Clip]:
    """Return the recordings of a folder; what is before the first `_` of a name is its speaker."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in {".wav", ".flac", ".mp3", ".ogg"})
    return [Clip(path.stem, path.stem.split("_")[0], trimmed(decode(path.read_bytes(), 60).samples)) for path in paths]


def synthesised(models: Path, kept: Path) -> list[Clip]:
    """Return the sentences of `SAID` in Piper's voice, which never says a thing twice the same way: it is kept."""
    clips = []
    for number, text in enumerate(SAID):
        path = kept / f"said_{number}.npy"
        if not path.is_file():
            kept.mkdir(parents=True, exist_ok=True)
            np.save(path, _spoken(text, Piper(models)))
        clips.append(Clip(f"piper_{number}", "piper", trimmed(np.load(path))))
    return clips


def _spoken(text: str, piper: Piper) -> Samples:
    spoken = samples(b"".join(piper.speak(text)))
    return np.asarray(soxr.resample(spoken, piper.sample_rate_hz, STT_RATE_HZ), np.float32)


def trimmed(sound: Samples) -> Samples:
    """Return a recording, its loudest value 0.5, from its first sound of a voice to its last.

    A sound is 4 ms above a hundredth of the loudest, and well above the recording's own background,
    not farther than 0.1 s from what Silero takes for a voice where nothing is added to it.
    """
    sound = sound / max(float(np.abs(sound).max(initial=0)), 1e-6) * 0.5
    levels = _levels(sound)
    loud = levels > max(levels.max() / 100, 4 * float(np.percentile(levels, 5)))
    detector = SileroVoiceActivityDetector()
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    voiced = np.array([detector.process_samples(frame.tolist()) >= 0.5 for frame in frames])
    lasting = np.flatnonzero(voiced[:-2] & voiced[1:-1] & voiced[2:])  # A voice is no single frame.
    loud[: max(int(lasting[0]) * 8 - 25, 0)] = False
    loud[(int(lasting[-1]) + 3) * 8 + 25 :] = False
    first, last = np.flatnonzero(loud)[[0, -1]]
    return np.asarray(sound[first * 64 : (last + 1) * 64], np.float32)


def _levels(sound: Samples) -> Samples:
    frames = sound[: len(sound) // 64 * 64].reshape(-1, 64)
    return np.asarray(np.sqrt((frames**2).mean(axis=1)), np.float32)


def paused(clip: Clip, rng: np.random.Generator) -> Samples:
    """Return the clip with one pause, or two where it is longer than 3 s, at its quietest places by chance."""
    level = np.convolve(_levels(clip.samples), np.ones(8) / 8, "same")
    least = int(LEAST_S * STT_RATE_HZ / 64)
    places: list[int] = []
    for _ in range(1 if len(clip.samples) < 3 * STT_RATE_HZ else 2):
        # A place is picked by chance, then moved to the quietest within 150 ms: between words, mostly.
        at = int(rng.integers(least, max(len(level) - least, least + 1)))
        near = range(max(at - 38, least), max(min(at + 38, len(level) - least), least + 1))
        place = min(near, key=level.__getitem__) * 64
        if all(abs(place - other) > LEAST_S * STT_RATE_HZ for other in places):
            places.append(place)
    pieces = np.split(clip.samples.copy(), sorted(places))
    out: list[Samples] = []
    for number, piece in enumerate(pieces):
        ramp = np.linspace(0, 1, FADE, dtype=np.float32)
        if number:
            piece[:FADE] *= ramp
            out.append(np.zeros(int(rng.uniform(*PAUSE_S) * STT_RATE_HZ), np.float32))
        if number + 1 < len(pieces):
            piece[-FADE:] *= ramp[::-1]
        out.append(piece)
    return np.concatenate(out)


def sessions(clips: Sequence[Clip], snr_db: float | None, variants: int) -> list[Session]:
    """Return one session a speaker: each clip `variants` times with other pauses, over pink noise."""
    found = []
    for speaker in sorted({clip.speaker for clip in clips}):
        rng = np.random.default_rng(int(hashlib.sha256(speaker.encode()).hexdigest()[:8], 16))
        said = [paused(clip, rng) for _ in range(variants) for clip in clips if clip.speaker == speaker]
        parts, spans, at = [np.zeros(STT_RATE_HZ, np.float32)], [], STT_RATE_HZ
        for utterance in said:
            spans.append((at / STT_RATE_HZ, (at + len(utterance)) / STT_RATE_HZ))
            parts += [utterance, np.zeros(int(GAP_S * STT_RATE_HZ), np.float32)]
            at += len(utterance) + int(GAP_S * STT_RATE_HZ)
        sound = np.concatenate(parts)
        speech = np.concatenate([clip.samples for clip in clips if clip.speaker == speaker])
        level_db = ROOM_DB if snr_db is None else 10 * np.log10(float((speech**2).mean())) - snr_db
        noisy = sound + pink(len(sound), rng) * np.float32(10 ** (level_db / 20))
        found.append(Session(f"{speaker}@{snr_db}", np.clip(noisy, -1, 1).astype(np.float32), tuple(spans)))
    return found


def pink(length: int, rng: np.random.Generator) -> Samples:
    """Return noise of power 1 that falls with the frequency above 40 Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    frequencies = np.fft.rfftfreq(length, 1 / STT_RATE_HZ)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequencies, 40)), length)
    return np.asarray(noise / noise.std(), np.float32)


class Recogniser:
    """The local Whisper with its answers kept on disk: hearing the same sound twice costs once."""

    def __init__(self, models: Path, kept: Path) -> None:
        self._models, self._kept = models, kept
        kept.mkdir(parents=True, exist_ok=True)
        self.missed = 0

    @cached_property
    def _whisper(self) -> Whisper:
        return Whisper(self._models)

    def text(self, sound: Samples) -> str:
        """Return what is said in `sound`."""
        pcm = pcm16(sound)
        path = self._kept / f"{hashlib.sha256(pcm).hexdigest()}.json"
        if not path.is_file():
            self.missed += 1
            transcript = self._whisper.transcribe(Audio(samples(pcm), STT_RATE_HZ), "en")
            path.write_text(json.dumps(transcript.text))
        return str(json.loads(path.read_text()))
