"""Bodies of requests and responses about speech without a conversation."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.requests.common import Body, Key, Language

SpeechFormat = Literal["wav", "pcm16", "opus", "mp3"]
Rate = Annotated[int, Field(ge=8_000, le=48_000)]


class TranscribeForm(Body):
    """What comes beside a recording in its form."""

    language: str | None = Field(None, max_length=35, description="Language of the recording; detected unless given.")
    words: bool = Field(False, description="Whether each word is told with its times and confidence.")
    segments: bool = Field(False, description="Whether the sentences are told with their times.")


class SpeakBody(Body):
    """A text to be spoken."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "We open at nine."},
                {"text": "We open at nine.", "format": "mp3", "sample_rate_hz": 24_000, "speed": 1.2},
            ]
        }
    )

    text: str = Field(min_length=1, max_length=5000)
    voice_id: Key | None = Field(None, description="One of /api/voice/voices; left out: the first of them.")
    speed: float = Field(1.0, ge=0.5, le=2, description="1 is as the voice speaks by itself.")
    format: SpeechFormat | None = Field(
        None, description="Asks for the sound itself, sent while it is spoken; so does `Accept`, such as audio/ogg."
    )
    sample_rate_hz: Rate | None = Field(
        None, description="Left out: the voice's own. Opus and MP3 take the next higher rate that they have."
    )
    language: Language | None = Field(None, description="In which figures and dates are read; left out: English.")
    stream: bool = Field(
        False, description="Whether a WAV, too, is sent while it is spoken; its head then names no length."
    )


class VoiceWorkers(BaseModel):
    """Whether a worker runs that listens, and one that speaks."""

    transcriber: bool
    speaker: bool


class VoiceProvider(BaseModel):
    """A provider of listening or speaking, why it cannot be used here, where it cannot, and how it does."""

    kind: Literal["transcriber", "speaker"]
    name: str
    model: str
    offered: bool
    chosen: bool
    why_not: str
    state: Literal["closed", "open", "half_open"] | None = Field(
        None, description="`closed`: it works; `open`: it failed lately and is let alone; `half_open`: it is tried."
    )
    latency_ms: float | None = Field(
        None, description="About how long it takes to begin; null where nobody has called it lately, or it runs here."
    )


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
    """The voices that can be asked for, the default first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "voices": [
                        {
                            "voice_id": "joe",
                            "name": "Joe",
                            "language": "en-US",
                            "provider": "local",
                            "labels": {"gender": "male"},
                        }
                    ],
                }
            ]
        }
    )

    success: bool = True
    voices: list[VoiceView]


class TimedText(BaseModel):
    """A sentence, and the seconds of the recording between which it is said."""

    text: str
    start: float
    end: float


class TimedWord(TimedText):
    """A word; `confidence` is 0…1, null where the provider does not tell it of single words."""

    confidence: float | None


class Transcription(BaseModel):
    """What was said in a recording; times in seconds. `segments` and `words` are null where they were not asked for,
    and empty where the provider does not tell them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "text": "We open at nine.",
                    "language": "en",
                    "confidence": 0.93,
                    "duration": 1.62,
                    "provider": "local",
                    "model": "whisper-base",
                    "segments": [{"text": "We open at nine.", "start": 0.1, "end": 1.4}],
                    "words": [{"text": "We", "start": 0.1, "end": 0.28, "confidence": 0.97}],
                }
            ]
        }
    )

    success: bool = True
    text: str
    language: str = Field(description="As given, or as heard; empty where nothing was said.")
    confidence: float
    duration: float
    provider: str
    model: str
    segments: list[TimedText] | None = None
    words: list[TimedWord] | None = None


class Speech(BaseModel):
    """A text as sound; `audio` is a file in base64, WAV unless `format` asks for another, `duration` is in seconds."""

    success: bool = True
    audio: str
    content_type: Literal["audio/wav", "audio/pcm", "audio/ogg", "audio/mpeg"] = "audio/wav"
    sample_rate_hz: int
    characters: int
    duration: float
    provider: str
