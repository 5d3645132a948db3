"""What clients of `/ws/voice/continuous` send, checked."""

import base64
import binascii
import json
from typing import Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.turn.endpointing import EndpointingOptions
from schemas.errors import InvalidRequest, MalformedJson

CONTAINERS = (b"RIFF", b"\x1a\x45\xdf\xa3", b"OggS", b"fLaC", b"ID3")
"""How WAV, WebM, Ogg, FLAC and MP3 files begin; an MP4 has its mark four bytes later."""


class ClientMessage(BaseModel):
    """A message; fields it does not know are ignored."""

    model_config = ConfigDict(extra="ignore")


class Endpointing(ClientMessage):
    """How an utterance is found in the sound; what is left out is as the server has it."""

    silence_ms: int | None = Field(None, ge=100, le=5000)
    min_speech_ms: int | None = Field(None, ge=50, le=2000)
    threshold: float | None = Field(None, ge=0.1, le=0.95)

    def options(self) -> EndpointingOptions:
        """Return the options of the endpointer."""
        return EndpointingOptions(**self.model_dump(exclude_none=True))


class Start(ClientMessage):
    """Opens the conversation. `after` is the id of the last message a returning client has got."""

    token: str | None = Field(None, max_length=16_384)
    assistant_key: str = Field("default-assistant", min_length=1, max_length=255)
    conversation_id: UUID | None = None
    sample_rate_hz: int = Field(16_000, ge=8_000, le=48_000)
    channels: Literal[1, 2] = 1
    encoding: Literal["pcm16"] = "pcm16"
    language: str | None = Field(None, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z]{2,4})?$")
    after: str | None = Field(None, max_length=160)
    endpointing: Endpointing = Endpointing()


class Text(ClientMessage):
    """A question that is typed; its answer is spoken."""

    text: str = Field(min_length=1)


class PlaybackReport(ClientMessage):
    """How much of an answer the client has played."""

    turn_id: UUID
    played_ms: float = Field(ge=0, allow_inf_nan=False)


class AudioChunk(ClientMessage):
    """Sound inside JSON, as base64 of PCM16 or of a whole file."""

    audio: str = Field(min_length=1)

    def sound(self) -> bytes:
        """Return the bytes; a `data:` URL is understood. Raises InvalidRequest."""
        encoded = self.audio.partition(",")[2] if self.audio.startswith("data:") else self.audio
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRequest("audio: not base64") from None


Kind = TypeVar("Kind", bound=ClientMessage)


def read(kind: type[Kind], message: dict[str, Any]) -> Kind:
    """Return the message as `kind`. Raises InvalidRequest, which names the fields; values are not repeated."""
    try:
        return kind.model_validate(message)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3]]
        raise InvalidRequest("; ".join(faults)) from None


def parse(text: str) -> dict[str, Any]:
    """Return a client's message. Raises MalformedJson, and InvalidRequest where it has no `type`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedJson("The message is not valid JSON.") from None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise InvalidRequest("A message is an object with a `type`.")
    return found


def is_file(sound: bytes) -> bool:
    """Return whether the bytes begin like a sound file rather than being samples."""
    return sound.startswith(CONTAINERS) or sound[4:8] == b"ftyp"
