"""Speech to text by Whisper base, int8, on CTranslate2.

faster-whisper gives the features, the tokenizer and the voice detector; the two model calls are made
here, because its own `transcribe` encodes a recording twice when the language is not known, and
encoding is two thirds of the time.
"""

import math
import os
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.ports.sound import STT_RATE_HZ, Audio, Segment, Transcript, Word
from pipelines.providers import weights
from pipelines.providers.local.windows import Piece, aligned, joined, marked, sentences_of
from schemas.errors.requests import InvalidRequest
from schemas.settings import Settings

WINDOW_S = 30
"""Seconds Whisper hears at once. A shorter window is faster and was tried: words got lost."""

MIN_REST_S = 3.0
"""What a window's last mark of time leaves unheard is heard again from there if it is longer than this."""

MAX_TOKENS = 448
"""The model's own limit of text tokens in a window, prompt included."""

TEMPERATURES = (0.0, 0.4, 0.8)
"""Greedy first; a window that came out implausible is decoded again with more freedom."""

# The thresholds of OpenAI's reference implementation (whisper/transcribe.py).
MIN_LOGPROB = -1.0
MAX_COMPRESSION = 2.4
NO_SPEECH = 0.6


@dataclass(frozen=True)
class _Heard:
    """One window's text. `logprob` is the mean over its tokens, in nats; `segments` count from its start.

    `text_tokens` are its tokens without marks of time.
    """

    text: str
    logprob: float
    compression: float
    no_speech: float
    tokens: int
    segments: tuple[Segment, ...] = ()
    text_tokens: tuple[int, ...] = ()

    @property
    def plausible(self) -> bool:
        return self.logprob >= MIN_LOGPROB and self.compression <= MAX_COMPRESSION


class Whisper:
    """Transcribes recordings of any length. One instance may be used by several threads."""

    name = "local"
    model = "whisper-base"

    def __init__(self, cache_dir: Path, threads: int = 0) -> None:
        """Load the model; `threads` 0 takes every core. Raises NotOffered where its files are missing or changed."""
        # Late, because only the process that listens can afford these libraries' time and memory.
        import faster_whisper
        from faster_whisper import tokenizer, vad

        self._vad, self._tokenizer = vad, tokenizer
        self._whisper = faster_whisper.WhisperModel(
            str(weights.verify("whisper-base", cache_dir)),
            device="cpu",
            compute_type="int8",
            # CTranslate2's own default is four threads, which on two cores is half as fast as two.
            cpu_threads=threads or os.cpu_count() or 1,
            local_files_only=True,
        )

    def transcribe(
        self, audio: Audio, language: str | None = None, *, timestamps: bool = False, words: bool = False
    ) -> Transcript:
        """Return the transcript of 16 kHz mono `audio`; the language is detected unless given.

        Silence, noise and music give an empty text. With `words` each has its times and confidence, which takes a
        tenth longer, and `segments` are the sentences they make. Raises InvalidRequest for an unknown language.
        """
        if language is not None:
            language = language.lower().split("-")[0]
            if language not in self._whisper.supported_languages:
                raise InvalidRequest(f"The language {language[:20]!r} is not one Whisper knows.")
        samples = np.nan_to_num(audio.samples, nan=0.0, posinf=1.0, neginf=-1.0).astype(np.float32, copy=False)
        heard: list[_Heard] = []
        segments: list[Segment] = []
        timed: list[Word] = []
        waiting = deque(self._speech(samples))
        while waiting:
            piece = waiting.popleft()
            encoded = self._encode(piece.samples)
            # The first speech decides the language of the recording, as later pieces may be one word.
            language = language or self._detect(encoded)
            found = self._decode(encoded, language, piece.duration_s, timestamps)
            if not found.text or not found.plausible:
                continue
            heard.append(found)
            segments += map(piece.placed, found.segments)
            if words:
                timed += map(piece.placed_word, self._words(encoded, found, language, piece.duration_s))
            # With marks of time the model may stop at one and leave the rest to the next window.
            if found.segments and piece.duration_s - found.segments[-1].end_s > MIN_REST_S < found.segments[-1].end_s:
                waiting.appendleft(piece.after(found.segments[-1].end_s))
        text = " ".join(piece.text for piece in heard)
        told = tuple(segments) or sentences_of(timed)
        return Transcript(text, language or "", audio.duration_s, _confidence(heard), told, tuple(timed))

    def _speech(self, samples: NDArray[np.float32]) -> Iterator[Piece]:
        """Yield what a voice detector takes for speech, in pieces that end in pauses and fit a window."""
        if not len(samples):
            return
        options = self._vad.VadOptions(max_speech_duration_s=WINDOW_S, min_silence_duration_ms=500)
        spans: list[tuple[int, int]] = []
        for found in self._vad.get_speech_timestamps(samples, options):
            span = (int(found["start"]), int(found["end"]))
            if spans and sum(end - start for start, end in [*spans, span]) > WINDOW_S * STT_RATE_HZ:
                yield joined(samples, spans)
                spans = []
            spans.append(span)
        if spans:
            yield joined(samples, spans)

    def _encode(self, piece: NDArray[np.float32]) -> Any:
        """Return the encoder's output for one window, padded with silence to WINDOW_S."""
        features = self._whisper.feature_extractor(piece)[:, :-1]
        room = self._whisper.feature_extractor.nb_max_frames
        padded = np.pad(features[:, :room], ((0, 0), (0, max(0, room - features.shape[1]))))
        return self._whisper.encode(padded)

    def _detect(self, encoded: Any) -> str:
        token, _ = self._whisper.model.detect_language(encoded)[0][0]
        return str(token).strip("<|>")

    def _decode(self, encoded: Any, language: str, duration_s: float, timestamps: bool) -> _Heard:
        """Return the first plausible reading, else the most probable one; silence is an empty text."""
        tokenizer = self._tokens(language)
        best: _Heard | None = None
        for temperature in TEMPERATURES:
            found = self._generate(encoded, tokenizer, duration_s, temperature, timestamps)
            if found.no_speech > NO_SPEECH and found.logprob < MIN_LOGPROB:
                return _Heard("", found.logprob, 0.0, found.no_speech, 0)
            if best is None or (found.plausible, found.logprob) > (best.plausible, best.logprob):
                best = found
            if best.plausible:
                break
        assert best is not None
        return best

    def _tokens(self, language: str) -> Any:
        return self._tokenizer.Tokenizer(
            self._whisper.hf_tokenizer, self._whisper.model.is_multilingual, task="transcribe", language=language
        )

    def _words(self, encoded: Any, found: _Heard, language: str, duration_s: float) -> tuple[Word, ...]:
        """Return when each word of a window is said, found by how the decoder attends to the sound."""
        # A frame of features is 10 ms.
        frames = min(self._whisper.feature_extractor.nb_max_frames, math.ceil(duration_s * 100))
        tokenizer = self._tokens(language)
        return aligned(self._whisper.find_alignment(tokenizer, [list(found.text_tokens)], encoded, frames)[0])

    def _generate(
        self, encoded: Any, tokenizer: Any, duration_s: float, temperature: float, timestamps: bool
    ) -> _Heard:
        prompt = self._whisper.get_prompt(tokenizer, [], without_timestamps=not timestamps)
        result = self._whisper.model.generate(
            encoded,
            [prompt],
            beam_size=1,
            sampling_topk=0 if temperature else 1,
            sampling_temperature=temperature or 1.0,
            # Nobody says 25 tokens a second: a loop ends here and not only at the model's limit.
            max_length=min(MAX_TOKENS, len(prompt) + 25 + math.ceil(25 * duration_s)),
            suppress_tokens=list(self._silent(tokenizer)),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        text = tokenizer.decode(tokens).strip()
        # The score is the mean over the tokens; the reference counts the end mark, too.
        logprob = result.scores[0] * len(tokens) / (len(tokens) + 1)
        segments = marked(tokens, tokenizer, duration_s) if timestamps else ()
        said = tuple(token for token in tokens if token < tokenizer.eot)
        return _Heard(text, logprob, _compression(text), result.no_speech_prob, len(tokens), segments, said)

    def _silent(self, tokenizer: Any) -> tuple[int, ...]:
        """Return the tokens a transcript never holds: notes, brackets and the model's own marks."""
        marks = (tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm)
        return tuple(sorted({*tokenizer.non_speech_tokens, *marks}))


def make(settings: Settings) -> Whisper:
    """Return the transcriber of this deployment."""
    return Whisper(weights.folder(settings))


def _compression(text: str) -> float:
    """Return how many times smaller zlib makes `text`; a text that repeats itself is far above 2."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def _confidence(heard: list[_Heard]) -> float:
    """Return the mean probability of a token, weighted by length and by how surely it was speech; 0…1."""
    tokens = sum(piece.tokens for piece in heard)
    if not tokens:
        return 0.0
    sure = sum(math.exp(min(piece.logprob, 0.0)) * (1 - piece.no_speech) * piece.tokens for piece in heard)
    return round(sure / tokens, 3)
