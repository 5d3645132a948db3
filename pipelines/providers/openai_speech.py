"""Text to speech by any server that speaks OpenAI's wire format (rows in `servers`)."""

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any, cast

import openai

from pipelines.ports.sound import Voice
from pipelines.providers import decoding
from pipelines.providers.openai_compatible import Remote
from pipelines.providers.servers import SPEECH, Server, Work
from schemas.errors.requests import InvalidRequest, NotOffered
from schemas.errors.tree import AuraError
from schemas.settings import Settings

RATE_HZ = 24_000
"""What OpenAI's raw samples have; other servers' sound is brought to it."""

MAX_UNKNOWN = 256

_ENDS = tuple(re.compile(end) for end in (r"[.!?…][\"'”’)]*\s", r"[,;:—–)]\s", r"\s"))
"""Where a text that is too long for one request is cut: best after a sentence, then a clause, then a word."""


class RemoteSpeaker(Remote):
    """Speaks with the voices of one server. One instance may be used by several threads."""

    sample_rate_hz = RATE_HZ

    def __init__(self, server: Server, work: Work, settings: Settings) -> None:
        super().__init__(server, work, settings)
        self._speech = server.speech
        # What it needs is loaded now, and not while somebody waits for the first sound.
        self._speeches = self._client.audio.speech.with_streaming_response
        self._format = server.speech.format if settings.speech_format == "auto" else settings.speech_format
        self._instructions = settings.speech_instructions
        wished = settings.speech_voice
        known = server.speech.voices
        self._voice = wished if wished and (not known or wished in known) else next(iter(known), "")
        self._unknown: set[str] = set()
        self._lock = threading.Lock()

    def voices(self) -> Sequence[Voice]:
        """Return the voices of the server, the default first; one of one's own is asked for those it has.

        Raises ProviderUnavailable, RateLimited or NotOffered.
        """
        found = self._speech.voices or self._listed()
        names = dict.fromkeys(([self._voice] if self._voice else []) + list(found))
        return [Voice(name, name.split("/")[-1].capitalize(), "", self.name) for name in names]

    def speak(self, text: str, voice_id: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        """Yield mono PCM16 little-endian at 24 kHz, as it comes in; a voice the server does not know is its default.

        Closing the iterator hangs up. Raises ProviderUnavailable, RateLimited, InvalidRequest or NotOffered.
        """
        for part in parts(text, self._speech.max_chars):
            yield from self._said(part, self._known(voice_id), speed)

    def _said(self, text: str, voice: str, speed: float) -> Iterator[bytes]:
        begun = False
        try:
            for piece in self._stream(text, voice, speed):
                begun = True
                yield piece
        except (InvalidRequest, NotOffered):
            # It may be the voice that it does not know: another server's, or one that is gone.
            if begun or voice == self._default():
                raise
            yield from self._stream(text, self._default(), speed)
            with self._lock:
                if len(self._unknown) < MAX_UNKNOWN:
                    self._unknown.add(voice)

    def _stream(self, text: str, voice: str, speed: float) -> Iterator[bytes]:
        least, most = self._speech.speeds
        told = openai.omit if not self._instructions or self.model.startswith("tts-1") else self._instructions
        with (
            self._errors(),
            self._speeches.create(
                model=self.model,
                voice=voice,
                input=text,
                response_format=self._format,
                speed=min(max(speed, least), most) if speed != 1.0 else openai.omit,
                instructions=told,
            ) as reply,
        ):
            kind = reply.headers.get("content-type", "")
            yield from decoding.pcm16(self._label, self._format, kind, reply.iter_bytes(), RATE_HZ)

    def _default(self) -> str:
        if not self._voice:
            self._voice = next(iter(self._listed()), "alloy")
        return self._voice

    def _known(self, voice_id: str | None) -> str:
        """Return the voice to ask for."""
        known = self._speech.voices
        if not voice_id or voice_id in self._unknown or (known and voice_id not in known):
            return self._default()
        return voice_id

    def _listed(self) -> list[str]:
        """Return the voices that a server of one's own lists, where it does; OpenAI's format has no list of them."""
        try:
            with self._errors():
                found = cast(Any, self._client.get("/audio/voices", cast_to=object))
                rows = (found.get("voices") or found.get("data") or []) if isinstance(found, dict) else found or []
                named = [row if isinstance(row, str) else row.get("id") or row.get("name") for row in rows]
        except AuraError:
            return []
        return [name for name in named if isinstance(name, str) and name]


def speaker(server: Server, settings: Settings) -> RemoteSpeaker:
    """Return the speaker of `server`."""
    return RemoteSpeaker(server, SPEECH, settings)


def parts(text: str, max_chars: int) -> Iterator[str]:
    """Yield `text` in parts of at most `max_chars`, each cut after a sentence, else a clause, else a word."""
    rest = text.strip()
    while len(rest) > max_chars:
        cut = _cut(rest[: max_chars + 1]) or max_chars
        yield rest[:cut].strip()
        rest = rest[cut:].strip()
    if rest:
        yield rest


def _cut(text: str) -> int:
    """Return where the first part of `text` ends, in its second half where that can be; 0 where it is one word."""
    for end in _ENDS:
        found = [match.end() for match in end.finditer(text)]
        if found and found[-1] > len(text) // 2:
            return found[-1]
    return found[-1] if found else 0
