"""What clients of `/ws/voice/continuous` send, checked."""

import base64
import binascii
from typing import Literal
from uuid import UUID

from pydantic import Field

from api.door.auth import Caller
from api.live.messages import ClientMessage
from api.spoken.barge_in import CUT_MS, HOLD_MS, BargeInOptions
from api.spoken.talk import Talk
from pipelines.turn.hearing.heard import EndpointingOptions
from pipelines.turn.sound.audio_out import Encoding
from schemas.errors.requests import InvalidRequest

CONTAINERS = (b"RIFF", b"\x1a\x45\xdf\xa3", b"OggS", b"fLaC", b"ID3")
"""How WAV, WebM, Ogg, FLAC and MP3 files begin; an MP4 has its mark four bytes later."""


class Endpointing(ClientMessage):
    """How an utterance is found in the sound; what is left out is as the server has it.

    With `speculate` a question is transcribed, and its ground found, from the first pause on; with
    `speculative_generation` its answer is begun then too, which a provider bills also where speech goes on.
    """

    mode: Literal["server_vad", "push_to_talk"] = "server_vad"
    silence_ms: int | None = Field(None, ge=100, le=5000)
    min_silence_ms: int | None = Field(None, ge=100, le=5000)
    max_silence_ms: int | None = Field(None, ge=100, le=10_000)
    adaptive: bool | None = None
    min_speech_ms: int | None = Field(None, ge=50, le=2000)
    max_utterance_s: float | None = Field(None, ge=1, le=60, allow_inf_nan=False)
    threshold: float | None = Field(None, ge=0.1, le=0.95)
    speculate: bool = True
    speculative_generation: bool = False

    def options(self) -> EndpointingOptions:
        """Return the options of the endpointer."""
        given = self.model_dump(exclude_none=True, exclude={"speculate", "speculative_generation"})
        return EndpointingOptions(**given)


class Interruption(ClientMessage):
    """How an answer is interrupted; without `resume` it is cut as soon as `barge_in_ms` were voiced.

    With `echo` the answer's own sound is not taken for speech when the microphone hears it.
    """

    barge_in_ms: int | None = Field(None, ge=50, le=3000)
    resume: bool = True
    echo: bool = True

    def options(self, resume: bool) -> BargeInOptions:
        """Return when an answer is held or cut."""
        resume = resume and self.resume
        return BargeInOptions(self.barge_in_ms or (HOLD_MS if resume else CUT_MS), resume=resume)


class Output(ClientMessage):
    """As what the client wants the sound of answers; by default PCM16 as it was made.

    With `pace` it is sent no more than a second before it is heard.
    """

    encoding: Encoding | None = None
    sample_rate_hz: int | None = Field(None, ge=8_000, le=48_000)
    pace: bool = False


class Start(ClientMessage):
    """Opens the conversation. `after` is the id of the last message a returning client has got."""

    token: str | None = Field(None, max_length=16_384)
    assistant_key: str = Field("default-assistant", min_length=1, max_length=255)
    conversation_id: UUID | None = None
    sample_rate_hz: int = Field(16_000, ge=8_000, le=48_000)
    channels: Literal[1, 2] = 1
    encoding: Literal["pcm16", "mulaw", "alaw", "opus"] = "pcm16"
    language: str | None = Field(None, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z]{2,4})?$")
    after: str | None = Field(None, max_length=240)
    endpointing: Endpointing = Endpointing()
    interruption: Interruption = Interruption()
    output: Output = Output()
    levels: bool = False
    partials: bool = False
    recording: bool = True

    def talk(self, caller: Caller, conversation_id: UUID, recorded: bool, filler_after_s: float | None) -> Talk:
        """Return how the conversation is to be held."""
        spoken = self.endpointing.mode == "server_vad"
        return Talk(
            caller,
            conversation_id,
            self.assistant_key,
            self.language.lower()[:3].rstrip("-_") if self.language else None,
            # Who presses a key to talk means to.
            barge_in=self.interruption.options(resume=spoken),
            speculate=self.endpointing.speculate and spoken,
            speculative_generation=self.endpointing.speculative_generation,
            paced=self.output.pace,
            levels=self.levels,
            knows_echo=self.interruption.echo,
            filler_after_s=filler_after_s,
            recorded=recorded,
        )


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


def is_file(sound: bytes) -> bool:
    """Return whether the bytes begin like a sound file rather than being samples."""
    return sound.startswith(CONTAINERS) or sound[4:8] == b"ftyp"
