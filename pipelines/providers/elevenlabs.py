"""Text to speech by ElevenLabs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.request_options import RequestOptions

from pipelines.ports import Voice
from pipelines.providers.refusals import refusal
from pipelines.providers.servers import ELEVENLABS_MODEL
from schemas.errors import NotOffered, ProviderUnavailable
from schemas.settings import Settings

PIECE_BYTES = 2048
"""Size of a piece of sound, however it arrives: 46 ms, and whole samples because it is even."""

PAGE = 100
"""Voices of one page of their list, the most they give."""

MOST_PAGES = 20
"""Pages read at most, so that a list that never ends does."""


class ElevenLabsSpeaker:
    """Speaks with any voice of the account. One instance may be used by several threads."""

    name = "elevenlabs"
    model = ELEVENLABS_MODEL
    sample_rate_hz = 22_050

    def __init__(self, settings: Settings) -> None:
        """Connect lazily. Raises NotOffered where no key is set."""
        if settings.elevenlabs_api_key is None:
            raise NotOffered("ElevenLabs is not set up: ELEVENLABS_API_KEY is not set.")
        self._voice_id = settings.elevenlabs_voice_id
        self._timeout_s = settings.provider_timeout_s
        self._client = ElevenLabs(
            api_key=settings.elevenlabs_api_key.get_secret_value(),
            base_url=settings.speech_base_url or None,
            # Bounds connecting and every silence, not the length of a speech.
            timeout=self._timeout_s,
        )
        # Waiting is for the caller, who may rather ask another provider.
        self._options = RequestOptions(max_retries=0, chunk_size=PIECE_BYTES)

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

    def speak(self, text: str, voice_id: str | None = None) -> Iterator[bytes]:
        """Yield mono PCM16 little-endian at 22,050 Hz in pieces of PIECE_BYTES, as they arrive.

        Closing the iterator hangs up. Raises ProviderUnavailable, RateLimited or NotOffered.
        """
        with self._errors():
            yield from self._client.text_to_speech.stream(
                voice_id or self._voice_id,
                text=text,
                model_id=self.model,
                output_format="pcm_22050",
                request_options=self._options,
            )

    def _voice(self, voice: Any) -> Voice:
        labels = {str(name): str(value) for name, value in (voice.labels or {}).items()}
        return Voice(voice.voice_id, voice.name or voice.voice_id, labels.get("language", ""), self.name, labels)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the SDK and the HTTP client under it raise into our errors."""
        try:
            yield
        except ApiError as error:
            detail = error.body.get("detail") if isinstance(error.body, Mapping) else None
            facts = detail if isinstance(detail, Mapping) else {"message": detail}
            raise refusal(
                "ElevenLabs",
                error.status_code or 502,
                error.headers or {},
                str(facts.get("message") or ""),
                str(facts.get("status") or facts.get("code") or ""),
            ) from error
        except httpx.TimeoutException as error:
            raise ProviderUnavailable(f"ElevenLabs was silent for {self._timeout_s:g} s.") from error
        except httpx.HTTPError as error:
            raise ProviderUnavailable("ElevenLabs cannot be reached, or hung up.") from error


def make(settings: Settings) -> ElevenLabsSpeaker:
    """Return the speaker of this deployment."""
    return ElevenLabsSpeaker(settings)
