"""Bodies of requests and responses about speech without a conversation."""

from typing import Literal

from pydantic import BaseModel, Field

from schemas.requests import Body


class TranscribeForm(Body):
    """What comes beside a recording in its form."""

    language: str | None = Field(None, max_length=35, description="Language of the recording; detected unless given.")


class SpeakBody(Body):
    """A text to be spoken."""

    text: str = Field(min_length=1, max_length=5000)
    voice_id: str | None = Field(None, max_length=255)


class VoiceWorkers(BaseModel):
    """Whether a worker runs that listens, and one that speaks."""

    transcriber: bool
    speaker: bool


class VoiceProvider(BaseModel):
    """A provider of listening or speaking, and why it cannot be used here, where it cannot."""

    kind: Literal["transcriber", "speaker"]
    name: str
    model: str
    offered: bool
    chosen: bool
    why_not: str


class VoiceStatus(BaseModel):
    """Whether listening and speaking work right now, and by what."""

    success: bool = True
    stt_available: bool
    tts_available: bool
    workers: VoiceWorkers
    providers: list[VoiceProvider]


class VoiceView(BaseModel):
    """A voice that can be asked for by `voice_id`."""

    voice_id: str
    name: str
    language: str
    provider: str
    labels: dict[str, str] = {}


class VoiceList(BaseModel):
    """The voices of the chosen speaker, the default first."""

    success: bool = True
    voices: list[VoiceView]


class Transcription(BaseModel):
    """What was said in a recording; times in seconds."""

    success: bool = True
    text: str
    language: str = Field(description="As given, or as heard; empty where nothing was said.")
    confidence: float
    duration: float
    provider: str
    model: str


class Speech(BaseModel):
    """A text as sound; `audio` is a WAV file in base64, `duration` is in seconds."""

    success: bool = True
    audio: str
    content_type: Literal["audio/wav"] = "audio/wav"
    sample_rate_hz: int
    characters: int
    duration: float
    provider: str
