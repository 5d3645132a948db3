"""The servers AURA may call, as data: those that speak OpenAI's wire format differ in nothing but a row.

Models and prices are what their makers listed in November 2026; `AURA_CHAT_MODEL` and its kin choose
another model, and a model without a price here costs nothing in the books.
"""

from dataclasses import dataclass
from typing import Literal

from schemas.settings import Settings


@dataclass(frozen=True)
class Work:
    """A kind of work, and the fields of Settings and Server that say where and with what it is done."""

    url_field: str
    model_field: str
    default_field: str


@dataclass(frozen=True)
class Speech:
    """How a server speaks: its voices, the default first (empty where only it knows them), the `format` it is asked
    for, the most characters of one request, and the least and the most speed."""

    voices: tuple[str, ...] = ()
    format: Literal["pcm", "wav", "mp3", "opus", "flac"] = "wav"
    max_chars: int = 4096
    speeds: tuple[float, float] = (0.25, 4.0)


@dataclass(frozen=True)
class Server:
    """One server. A model left empty means that the server does not offer that kind of work.

    `key_field` names the key in Settings and `key_name` what its vendor calls it in the environment.
    `own` is a server of the user's: its address is a setting, a key is optional, and its models are
    asked for where the settings name none. `limit_field` is how it is told how long an answer may be, `speech` how
    it speaks where it does.
    """

    name: str
    label: str
    key_field: str
    key_name: str
    base_url: str = ""
    chat_model: str = ""
    embedding_model: str = ""
    transcription_model: str = ""
    speech_model: str = ""
    speech: Speech = Speech()
    own: bool = False
    limit_field: str = "max_completion_tokens"

    def key(self, settings: Settings) -> str:
        """Return the key, empty where none is set."""
        secret = getattr(settings, self.key_field)
        return secret.get_secret_value().strip() if secret else ""

    def address(self, work: Work, settings: Settings) -> str:
        """Return the base URL for this kind of work, empty where none is set."""
        if self.own:
            return str(getattr(settings, work.url_field))
        return str(getattr(settings, f"{self.name}_base_url") or self.base_url)

    def model(self, work: Work, settings: Settings) -> str:
        """Return the model that is set for this kind of work, else the server's default, else an empty text."""
        return str(getattr(settings, work.model_field) or getattr(self, work.default_field))

    def lacks(self, work: Work, settings: Settings) -> str:
        """Return what keeps the server from this kind of work, as a sentence; empty where nothing does."""
        if self.own:
            return "" if self.address(work, settings) else f"AURA_{work.url_field.upper()} is not set."
        return "" if self.key(settings) else f"{self.key_name} is not set."


CHAT = Work("chat_base_url", "chat_model", "chat_model")
EMBEDDING = Work("embedding_base_url", "embedding_model", "embedding_model")
TRANSCRIPTION = Work("transcriber_base_url", "transcription_model", "transcription_model")
SPEECH = Work("speaker_base_url", "speech_model", "speech_model")


@dataclass(frozen=True)
class Price:
    """USD per million tokens in and out, per minute of sound heard, and per thousand characters spoken.

    A request with less than `least_s` seconds of sound costs as much as one with so many.
    """

    input_mtok: float = 0.0
    output_mtok: float = 0.0
    minute: float = 0.0
    kchar: float = 0.0
    least_s: float = 0.0

    def of_tokens(self, input_tokens: int, output_tokens: int) -> float:
        """Return what so many tokens cost in USD."""
        return (input_tokens * self.input_mtok + output_tokens * self.output_mtok) / 1e6

    def of_sound(self, seconds: float) -> float:
        """Return what it costs in USD to listen for so many seconds."""
        return self.minute * max(seconds, self.least_s) / 60

    def of_text(self, characters: int) -> float:
        """Return what it costs in USD to speak so many characters."""
        return self.kchar * characters / 1e3


OPENAI = Server(
    name="openai",
    label="OpenAI",
    key_field="openai_api_key",
    key_name="OPENAI_API_KEY",
    base_url="https://api.openai.com/v1",
    chat_model="gpt-5.4-mini",
    embedding_model="text-embedding-3-small",
    transcription_model="gpt-transcribe",
    speech_model="gpt-4o-mini-tts",
    speech=Speech(
        tuple("alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split()),
        # Raw samples at 24 kHz: the sound begins with the first byte.
        "pcm",
    ),
)
GROK = Server(
    name="grok",
    label="xAI",
    key_field="grok_api_key",
    key_name="GROK_API_KEY",
    base_url="https://api.x.ai/v1",
    chat_model="grok-4.3",
)
GROQ = Server(
    name="groq",
    label="Groq",
    key_field="groq_api_key",
    key_name="GROQ_API_KEY",
    base_url="https://api.groq.com/openai/v1",
    chat_model="openai/gpt-oss-120b",
    transcription_model="whisper-large-v3-turbo",
    speech_model="canopylabs/orpheus-v1-english",
    speech=Speech(("autumn", "diana", "hannah", "austin", "daniel", "troy"), "wav", 200, (0.5, 5.0)),
)
CUSTOM = Server(
    name="custom",
    label="The server of your own",
    key_field="custom_api_key",
    key_name="AURA_CUSTOM_API_KEY",
    own=True,
    # The older name, which every server knows.
    limit_field="max_tokens",
)

ELEVENLABS_MODEL = "eleven_flash_v2_5"
"""ElevenLabs' fastest voice model, in 32 languages."""

PRICES = {
    "gpt-5.4-mini": Price(0.75, 4.50),
    "gpt-5.4-nano": Price(0.20, 1.25),
    "grok-4.3": Price(1.25, 2.50),
    "openai/gpt-oss-120b": Price(0.15, 0.60),
    "openai/gpt-oss-20b": Price(0.075, 0.30),
    "llama-3.3-70b-versatile": Price(0.59, 0.79),
    "text-embedding-3-small": Price(0.02),
    "text-embedding-3-large": Price(0.13),
    "gpt-transcribe": Price(minute=0.0045),
    "gpt-4o-transcribe": Price(minute=0.006),
    "gpt-4o-mini-transcribe": Price(minute=0.003),
    "whisper-1": Price(minute=0.006),
    "whisper-large-v3-turbo": Price(minute=0.04 / 60, least_s=10),
    "whisper-large-v3": Price(minute=0.111 / 60, least_s=10),
    # OpenAI's own estimate of 0.015 USD a minute, at 15 characters a second.
    "gpt-4o-mini-tts": Price(kchar=0.0167),
    "tts-1": Price(kchar=0.015),
    "tts-1-hd": Price(kchar=0.03),
    "canopylabs/orpheus-v1-english": Price(kchar=0.022),
    "canopylabs/orpheus-arabic-saudi": Price(kchar=0.04),
    ELEVENLABS_MODEL: Price(kchar=0.05),
    "eleven_turbo_v2_5": Price(kchar=0.05),
    "eleven_multilingual_v2": Price(kchar=0.1),
    "eleven_v3": Price(kchar=0.1),
}

WIDTHS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
"""Width of each embedding model's vectors; another model's is learned from its first reply."""
