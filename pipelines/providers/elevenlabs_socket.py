"""ElevenLabs' websocket `stream-input`: text in, sound and the time of each character out.

Their SDK's own client waits for ever where the server is silent, drops the times, and always asks for `wss`.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from pipelines.ports.sound import Sound, Word
from schemas.errors.providers import ProviderUnavailable

BASE_URL = "https://api.elevenlabs.io"

MAX_MESSAGE_BYTES = 4 << 20
"""A minute of sound at 22,050 Hz in base64: no message is longer."""

MAX_SOUND_BYTES = 64 << 20
CLOSE_S = 0.5

_STATUS = {
    "invalid_api_key": 401,
    "missing_permissions": 403,
    "authentication_error": 401,
    "detected_unusual_activity": 403,
    "too_many_concurrent_requests": 429,
    "rate_limit_exceeded": 429,
    "system_busy": 429,
    "invalid_input_message": 400,
    "model_not_found": 404,
    "invalid_model_id": 404,
}
"""HTTP statuses that mean what the names of errors mean; a name that is not here is the server's own fault."""


class Refused(Exception):
    """The server refuses, and says why: `status` as it would have been over HTTP, `code` by its name for it."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class _Reckoning:
    """When words are said, from times of characters that count from the start of the piece they come with."""

    rate_hz: int
    given_bytes: int = 0
    _word: str = ""
    _from_s: float = 0.0
    _to_s: float = field(default=0.0)

    def words(self, alignment: Any, sound: bytes) -> tuple[Word, ...]:
        """Return the words that end in this piece of sound. Raises ValueError where times do not fit characters."""
        at_s = self.given_bytes / 2 / self.rate_hz
        self.given_bytes += len(sound)
        if not isinstance(alignment, dict):
            return ()
        told = [alignment.get(name) or [] for name in ("chars", "charStartTimesMs", "charDurationsMs")]
        found = []
        for char, start_ms, duration_ms in zip(*told, strict=True):
            start_s = at_s + float(start_ms) / 1e3
            if str(char).isspace():
                found += self.rest()
                continue
            if not self._word:
                self._from_s = start_s
            self._word += str(char)
            self._to_s = start_s + float(duration_ms) / 1e3
        return tuple(found)

    def rest(self) -> list[Word]:
        """Return the word that has begun, if one has."""
        word, self._word = self._word, ""
        return [Word(word, self._from_s, self._to_s)] if word else []


@dataclass(frozen=True)
class Line:
    """How their server is called: `base_url` (http or https), key, model, rate of the sound, and time limits."""

    base_url: str
    key: str = field(repr=False)
    model: str
    rate_hz: int
    connect_s: float
    silence_s: float

    def speak(self, texts: Iterable[str], voice_id: str, speed: float | None = None) -> Iterator[Sound]:
        """Yield the sound of `texts`, which are one speech, as mono PCM16 with the times of its words.

        Raises Refused, ProviderUnavailable, and ValueError where a message is not in their format.
        """
        with self._connected(voice_id) as socket:
            try:
                yield from self._spoken(socket, texts, speed)
            except ConnectionClosed as error:
                raise ProviderUnavailable("ElevenLabs hung up in the middle of its speech.") from error
            except TimeoutError as error:
                raise ProviderUnavailable(f"ElevenLabs was silent for {self.silence_s:g} s.") from error

    def url(self, voice_id: str) -> str:
        """Return the address of the socket: `ws` where the base URL is plain `http`."""
        base = urlsplit(self.base_url)
        asked = {"model_id": self.model, "output_format": f"pcm_{self.rate_hz}"}
        # Whole sentences come in: nothing is to be waited for. Times come with each piece of sound.
        asked |= {"auto_mode": "true", "sync_alignment": "true"}
        path = f"{base.path.rstrip('/')}/v1/text-to-speech/{quote(voice_id, safe='')}/stream-input"
        return urlunsplit(("ws" if base.scheme == "http" else "wss", base.netloc, path, urlencode(asked), ""))

    def _connected(self, voice_id: str) -> ClientConnection:
        try:
            return connect(
                self.url(voice_id),
                additional_headers={"xi-api-key": self.key},
                open_timeout=self.connect_s,
                close_timeout=CLOSE_S,
                ping_interval=None,
                max_size=MAX_MESSAGE_BYTES,
                compression=None,
            )
        except InvalidStatus as error:
            raise _refusal_of(error.response.status_code, bytes(error.response.body or b"")) from error
        except TimeoutError as error:
            raise ProviderUnavailable(f"ElevenLabs was silent for {self.connect_s:g} s.") from error
        except (OSError, InvalidHandshake, ConnectionClosed) as error:
            raise ProviderUnavailable("ElevenLabs cannot be reached, or hung up.") from error

    def _spoken(self, socket: ClientConnection, texts: Iterable[str], speed: float | None) -> Iterator[Sound]:
        first: dict[str, Any] = {"text": " "}
        if speed is not None:
            first["voice_settings"] = {"speed": speed}
        for message in (first, *({"text": f"{text} "} for text in texts), {"text": ""}):
            socket.send(json.dumps(message))
        reckoning = _Reckoning(self.rate_hz)
        try:
            while True:
                message = json.loads(socket.recv(self.silence_s))
                if "error" in message or ("message" in message and "audio" not in message):
                    name = str(message.get("error") or "")
                    raise Refused(_STATUS.get(name, 502), name, str(message.get("message") or ""))
                sound = Sound(base64.b64decode(message.get("audio") or "", validate=True))
                sound.words = reckoning.words(message.get("alignment"), sound)
                if message.get("isFinal"):
                    sound.words = (*sound.words, *reckoning.rest())
                if reckoning.given_bytes > MAX_SOUND_BYTES:
                    raise ProviderUnavailable("ElevenLabs speaks without an end; it was given up.")
                if sound or sound.words:
                    yield sound
                if message.get("isFinal"):
                    return
        except ConnectionClosedOK:
            # Their own client takes this for the end, too.
            return


def _refusal_of(status: int, body: bytes) -> Refused:
    try:
        detail = json.loads(body).get("detail")
    except (ValueError, AttributeError):
        detail = None
    facts = detail if isinstance(detail, dict) else {}
    return Refused(status, str(facts.get("status") or facts.get("code") or ""), str(facts.get("message") or ""))
