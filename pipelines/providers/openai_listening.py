"""Speech to text by any server that speaks OpenAI's wire format (rows in `servers`)."""

import math
from typing import Any

import numpy as np
import openai

from pipelines.ports.sound import Audio, Segment, Transcript, Word
from pipelines.providers import sound
from pipelines.providers.languages import code_of
from pipelines.providers.openai_compatible import Remote
from pipelines.providers.servers import TRANSCRIPTION, Server, Work
from schemas.errors.providers import ProviderUnavailable
from schemas.errors.requests import InvalidRequest
from schemas.settings import Settings

LONGEST_RECORDING_S = 300.0
"""Seconds of sound in one request: 9.6 MB of WAV, where servers take 25."""

MAX_CHARS_PER_S = 60
"""Nobody says as many characters in a second; a reply with more has made them up, or is no transcript."""


class RemoteTranscriber(Remote):
    """Turns speech into text."""

    def __init__(self, server: Server, work: Work, settings: Settings) -> None:
        super().__init__(server, work, settings)
        # What it needs is loaded now, and not while somebody waits for the first transcript.
        self._transcriptions = self._client.audio.transcriptions
        # A server of one's own may know plain JSON only, whatever its model is called.
        self._may_be_plain, self._plain = server.own, False

    def transcribe(
        self, audio: Audio, language: str | None = None, *, timestamps: bool = False, words: bool = False
    ) -> Transcript:
        """Return the transcript of mono `audio`; a long recording is sent in pieces cut at pauses.

        `confidence` is 1 where the server does not tell; a model that is no Whisper tells no segments and no words.
        Segments come with the confidence, so that asking for `timestamps` changes nothing; `words` take longer.
        Raises ProviderUnavailable, RateLimited, InvalidRequest or NotOffered.
        """
        heard: list[Transcript] = []
        at_s = 0.0
        for piece in sound.pieces(audio, LONGEST_RECORDING_S):
            heard.append(self._piece(piece, code_of(language or ""), at_s, words))
            at_s += piece.duration_s
        spoken = [piece for piece in heard if piece.text]
        seconds = sum(piece.duration_s for piece in spoken)
        confidence = sum(piece.confidence * piece.duration_s for piece in spoken) / seconds if seconds else 0.0
        found = next((piece.language for piece in spoken if piece.language), "")
        text = " ".join(piece.text for piece in spoken)
        segments = tuple(segment for piece in spoken for segment in piece.segments)
        said = tuple(word for piece in spoken for word in piece.words)
        return Transcript(text, found, audio.duration_s, round(confidence, 3), segments, said)

    def _piece(self, audio: Audio, language: str, at_s: float, words: bool) -> Transcript:
        """Return the transcript of a piece that begins at `at_s` of its recording."""
        # Only the Whisper models answer `verbose_json`, which tells the language and how sure they are.
        verbose = "whisper" in self.model.lower() and not self._plain
        try:
            reply = self._reply(audio, language, verbose, words)
        except InvalidRequest:
            if not (verbose and self._may_be_plain):
                raise
            reply = self._reply(audio, language, False, False)
            self._plain = True
        with self._errors():
            text = _text(reply)
            told = getattr(reply, "language", None) or _first_code(reply)
            segments = getattr(reply, "segments", None) or []
            placed = tuple(_segment(one, at_s, audio.duration_s) for one in segments if one.text.strip())
            said = (getattr(reply, "words", None) or []) if words else []
            timed = tuple(_word(one, at_s, audio.duration_s) for one in said if one.word.strip())
            confidence = _confidence(segments, getattr(reply, "logprobs", None) or [])
        if len(text) > MAX_CHARS_PER_S * (audio.duration_s + 1):
            raise ProviderUnavailable(f"{self._label} answered more than can have been said.")
        return Transcript(
            text, language or code_of(str(told)), audio.duration_s, confidence if text else 0.0, placed, timed
        )

    def _reply(self, audio: Audio, language: str, verbose: bool, words: bool) -> Any:
        with self._errors():
            return self._transcriptions.create(
                model=self.model,
                file=("speech.wav", sound.wav(audio), "audio/wav"),
                response_format="verbose_json" if verbose else "json",
                language=language or openai.omit,
                timestamp_granularities=["word", "segment"] if verbose and words else openai.omit,
                include=["logprobs"] if _tells_logprobs(self.model) else openai.omit,
                # The server is silent while it listens: a tenth of the recording is ample.
                timeout=self._timeout_s + audio.duration_s / 10,
            )


def transcriber(server: Server, settings: Settings) -> RemoteTranscriber:
    """Return the transcriber of `server`."""
    return RemoteTranscriber(server, TRANSCRIPTION, settings)


def _text(reply: Any) -> str:
    """Return what was said. The SDK hands a body that is no JSON on as a text. Raises TypeError."""
    if isinstance(reply, str) or not isinstance(reply.text, str):
        raise TypeError("no transcript")
    return reply.text.strip()


def _first_code(reply: Any) -> str:
    """Return the first language that a reply lists, where it lists any."""
    return next((one.code for one in getattr(reply, "languages", None) or ()), "")


def _tells_logprobs(model: str) -> bool:
    """Return whether a model tells how sure it is of each token, which it refuses to do where it cannot."""
    return model.startswith("gpt-4o") and "transcribe" in model and "diarize" not in model


def _confidence(segments: list[Any], tokens: list[Any]) -> float:
    """Return the mean probability of what was understood, 0…1; 1 where the reply does not tell."""
    if segments:
        sure = [math.exp(min(one.avg_logprob, 0.0)) * (1 - one.no_speech_prob) for one in segments]
        found = float(np.mean(sure))
    else:
        told = [min(one.logprob, 0.0) for one in tokens if one.logprob is not None]
        found = math.exp(float(np.mean(told))) if told else 1.0
    return min(max(found, 0.0), 1.0) if math.isfinite(found) else 0.0


def _segment(segment: Any, at_s: float, duration_s: float) -> Segment:
    return Segment(*_between(segment, at_s, duration_s), segment.text.strip())


def _word(word: Any, at_s: float, duration_s: float) -> Word:
    return Word(word.word.strip(), *_between(word, at_s, duration_s))


def _between(part: Any, at_s: float, duration_s: float) -> tuple[float, float]:
    """Return when a part of a reply is said on the time of the whole recording, whatever times the server made up."""
    start_s = min(max(0.0, float(part.start)), duration_s)
    end_s = min(max(start_s, float(part.end)), duration_s)
    return at_s + start_s, at_s + end_s
