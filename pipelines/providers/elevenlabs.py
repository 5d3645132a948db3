"""Text to speech by ElevenLabs: over HTTP, or over a websocket (`elevenlabs_socket`)."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.request_options import RequestOptions
from elevenlabs.types import VoiceSettings

from pipelines.ports.sound import Voice
from pipelines.providers import bounded, decoding, elevenlabs_socket
from pipelines.providers.refusals import refusal
from pipelines.providers.servers import ELEVENLABS_MODEL
from schemas.errors.providers import ProviderUnavailable
from schemas.errors.requests import InvalidRequest, NotOffered
from schemas.errors.tree import AuraError
from schemas.settings import Settings

LABEL = "ElevenLabs"

PIECE_BYTES = 2048
"""Size of a piece of sound, however it arrives: 46 ms, and whole samples because it is even."""

PAGE = 100
"""Voices of one page of their list, the most they give."""

MOST_PAGES = 20
"""Pages read at most, so that a list that never ends does."""

SPEEDS = (0.7, 1.2)
"""The least and the most speed."""

LONGEST_REPLY_S = 180.0
MAX_UNKNOWN = 256

_VOICE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_UNKNOWN_VOICE = {"voice_not_found", "voice_does_not_exist", "invalid_voice_id", "voice_id_does_not_exist"}


class ElevenLabsSpeaker:
    """Speaks with any voice of the account. One instance may be used by several threads."""

    name = "elevenlabs"
    sample_rate_hz = 22_050

    def __init__(self, settings: Settings) -> None:
        """Connect lazily. Raises NotOffered where no key is set."""
        if settings.elevenlabs_api_key is None:
            raise NotOffered("ElevenLabs is not set up: ELEVENLABS_API_KEY is not set.")
        key = settings.elevenlabs_api_key.get_secret_value()
        self.model = settings.speech_model or ELEVENLABS_MODEL
        self._voice_id = settings.elevenlabs_voice_id
        self._timeout_s = settings.provider_timeout_s
        self._unknown: set[str] = set()
        self._lock = threading.Lock()
        # Bounds connecting and every silence; the hook bounds what never ends.
        timeout = httpx.Timeout(self._timeout_s, connect=settings.provider_connect_s)
        given: dict[str, Any] = {"timeout": timeout, "limits": httpx.Limits(**bounded.CONNECTIONS)}
        given["event_hooks"] = {"response": [bounded.limited(LABEL, LONGEST_REPLY_S)]}
        self._client = ElevenLabs(
            api_key=key,
            base_url=settings.speech_base_url or None,
            timeout=self._timeout_s,
            httpx_client=httpx.Client(follow_redirects=True, **given),
        )
        # What it needs is loaded now, and not while somebody waits for the first sound.
        self._speeches = self._client.text_to_speech.with_raw_response
        # Waiting is for the caller, who may rather ask another provider.
        self._options = RequestOptions(max_retries=0, chunk_size=PIECE_BYTES)
        self._by_socket = settings.elevenlabs_input == "websocket"
        self._line = elevenlabs_socket.Line(
            settings.speech_base_url or elevenlabs_socket.BASE_URL,
            key,
            self.model,
            self.sample_rate_hz,
            settings.provider_connect_s,
            self._timeout_s,
        )

    def voices(self) -> Sequence[Voice]:
        """Return the account's voices, the default first. Raises ProviderUnavailable, RateLimited or NotOffered."""
        found: list[Voice] = []
        token: str | None = None
        with self._errors():
            for _ in range(MOST_PAGES):
                page = self._client.voices.search(page_size=PAGE, next_page_token=token, request_options=self._options)
                found += [self._voice(voice) for voice in page.voices]
                token = page.next_page_token
                if not (page.has_more and token):
                    break
        return sorted(found, key=lambda voice: voice.voice_id != self._voice_id)

    def speak(self, text: str, voice_id: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        """Yield mono PCM16 little-endian at 22,050 Hz, as it arrives; a voice it does not know is the default.

        Closing the iterator hangs up. Raises ProviderUnavailable, RateLimited, InvalidRequest or NotOffered.
        """
        voice = voice_id if voice_id and voice_id not in self._unknown and _VOICE.fullmatch(voice_id) else None
        begun = False
        try:
            for piece in self._spoken(text, voice or self._voice_id, speed):
                begun = True
                yield piece
        except UnknownVoice:
            if begun or voice in (None, self._voice_id):
                raise
            with self._lock:
                if len(self._unknown) < MAX_UNKNOWN:
                    self._unknown.add(str(voice))
            yield from self._spoken(text, self._voice_id, speed)

    def _spoken(self, text: str, voice_id: str, speed: float) -> Iterator[bytes]:
        pace = None if speed == 1.0 else min(max(speed, SPEEDS[0]), SPEEDS[1])
        with self._errors():
            if self._by_socket:
                yield from self._line.speak([text], voice_id, pace)
            else:
                yield from self._streamed(text, voice_id, pace)

    def _streamed(self, text: str, voice_id: str, pace: float | None) -> Iterator[bytes]:
        given: dict[str, Any] = {} if pace is None else {"voice_settings": VoiceSettings(speed=pace)}
        with self._speeches.stream(
            voice_id,
            text=text,
            model_id=self.model,
            output_format="pcm_22050",
            request_options=self._options,
            **given,
        ) as reply:
            kind = reply.headers.get("content-type", "")
            yield from decoding.pcm16(LABEL, "pcm", kind, reply.data, self.sample_rate_hz)

    def _voice(self, voice: Any) -> Voice:
        labels = {str(name): str(value) for name, value in (voice.labels or {}).items()}
        return Voice(voice.voice_id, voice.name or voice.voice_id, labels.get("language", ""), self.name, labels)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the SDK and the HTTP client under it raise into our errors."""
        try:
            yield
        except elevenlabs_socket.Refused as error:
            raise refused(error.status, {}, error.message, error.code) from error
        except ApiError as error:
            detail = error.body.get("detail") if isinstance(error.body, Mapping) else None
            facts = detail if isinstance(detail, Mapping) else {"message": detail}
            code = str(facts.get("status") or facts.get("code") or "")
            raise refused(
                error.status_code or 502, error.headers or {}, str(facts.get("message") or ""), code
            ) from error
        except httpx.TimeoutException as error:
            raise ProviderUnavailable(f"{LABEL} was silent for {self._timeout_s:g} s.") from error
        except httpx.HTTPError as error:
            raise ProviderUnavailable(f"{LABEL} cannot be reached, or hung up.") from error
        # The SDK builds its objects without checking them: a reply of another shape shows only when it is read.
        except (ValueError, AttributeError, TypeError) as error:
            raise ProviderUnavailable(f"{LABEL} answered something that is not in its format.") from error


class UnknownVoice(InvalidRequest):
    """The provider does not know this voice."""


def refused(status: int, headers: Mapping[str, str], message: str, code: str) -> AuraError:
    """Return the error for a refusal; that of a voice says nothing about the provider."""
    if code in _UNKNOWN_VOICE:
        return UnknownVoice("ElevenLabs does not know this voice.")
    return refusal(LABEL, status, headers, message, code)


def make(settings: Settings) -> ElevenLabsSpeaker:
    """Return the speaker of this deployment."""
    return ElevenLabsSpeaker(settings)
