"""Every setting of AURA, read from the environment here and nowhere else.

Names in the environment are `AURA_` plus the field's name in capitals; provider keys keep the
names their vendors document. `.env.example` is generated from this file.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, computed_field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _listed(value: object) -> object:
    """Return the parts of a text such as `a,b`; JSON lists and tuples stay what they are."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return tuple(part.strip() for part in value.split(",") if part.strip())


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed)]


def key(name: str, description: str) -> SecretStr | None:
    """Return the field of an optional provider key that is called `name` in the environment."""
    found: SecretStr | None = Field(None, validation_alias=AliasChoices(name, name.lower()), description=description)
    return found


class Settings(BaseSettings):
    """The configuration of one deployment; immutable."""

    model_config = SettingsConfigDict(env_prefix="AURA_", env_file=".env", frozen=True, extra="ignore")

    # Where things are
    data_dir: Path = Field(Path(".aura"), description="Folder of everything AURA keeps on this machine.")
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the web server.")
    flower_port: int = Field(5555, ge=1, le=65535, description="Port of Flower, the live view of the task queues.")
    database_url: str = Field(
        "", description="Postgres the app connects to, as a role without BYPASSRLS. Empty: embedded."
    )
    database_admin_url: str = Field(
        "", description="Postgres role that migrates and creates `aura_owner` and `aura_app`."
    )
    database_index_url: str = Field(
        "",
        description="Postgres role that indexes the vectors of large tenants, for `upkeep` alone; `deploy.migrate`"
        " makes it. Empty: large tenants are searched exactly, which is slower. The local stack makes one up.",
    )
    redis_url: str = Field("", description="Redis or Valkey, redis:// or rediss://. Empty: embedded.")
    objects_url: str = Field(
        "", description="Object store, file:// or s3://bucket/prefix. Empty: a folder in data_dir."
    )
    objects_endpoint: str = Field("", description="Endpoint of an S3-compatible store that is not AWS.")
    database_port: int = Field(0, ge=0, le=65535, description="Port of the embedded Postgres; 0 takes a free one.")
    redis_port: int = Field(0, ge=0, le=65535, description="Port of the embedded Valkey; 0 takes a free one.")

    # Who may ask
    single_tenant: bool = Field(True, description="Requests without a token act as the default tenant. Loopback only.")
    allowed_hosts: Names = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        description="Host names a request may carry in single-tenant mode, by commas.",
    )
    secret_keys: Secrets = Field(
        (),
        description="Secrets of the deployment, by commas, newest first: they seal signing keys and tenants' keys."
        " At least 32 characters each. The local stack makes one up.",
    )
    base_domain: str = Field("", description="Domain whose subdomains name tenants: `acme` in acme.example.com.")
    public_url: str = Field("", description="Address of this deployment in mails; empty: that of the request.")
    cors_origins: Names = Field((), description="Web origins that may call this API from a browser, by commas.")
    trusted_proxies: int = Field(0, ge=0, le=5, description="Reverse proxies before this server that may be believed.")
    open_signup: bool = Field(True, description="Whether anybody may found an organisation by /api/signup.")
    access_token_s: int = Field(600, ge=30, le=3600, description="How long an access token lasts, in seconds.")
    login_days: int = Field(30, ge=1, le=365, description="Days after which a login must be repeated.")
    smtp_url: str = Field(
        "", description="Server for mails, smtp://user:password@host:587 or smtps://. Empty: files in data_dir/mail."
    )
    mail_from: str = Field("AURA <aura@localhost>", description="Sender of mails.")

    api_key: SecretStr | None = Field(
        None, description="API key by which `flask --app api ingest` and `ask` come in, where tokens are asked for."
    )

    # Limits
    max_upload_mb: int = Field(100, ge=1, description="Largest file accepted, in MiB.")
    max_batch_mb: int = Field(1024, ge=1, description="Largest archive, and largest request of many files, in MiB.")
    max_batch_files: int = Field(10_000, ge=1, le=1_000_000, description="Files that one batch may hold.")
    max_open_uploads: int = Field(100, ge=1, description="Unfinished resumable uploads an organisation may have.")
    fetch_timeout_s: float = Field(30, gt=0, description="Longest time a web address is given to send its file.")
    max_message_chars: int = Field(20_000, ge=1, description="Longest question accepted, in characters.")
    max_decoded_audio_s: float = Field(
        1800, gt=0, description="Longest recording transcribed by one request, in seconds."
    )
    max_recording_s: float = Field(14_400, gt=0, description="Longest recording taken as a document, in seconds.")
    max_audio_frame_bytes: int = Field(65_536, ge=640, description="Largest frame a voice socket accepts.")
    max_session_s: float = Field(3600, gt=0, description="Longest voice session, in seconds.")
    max_sockets: int = Field(200, ge=1, description="Open sockets and event streams a web process serves at once.")
    max_voice_sessions: int = Field(
        0, ge=0, description="Open voice sessions a web process takes; 0: by its processors and by what runs on them."
    )
    web_threads: int = Field(256, ge=8, description="Threads of the web process; must exceed max_sockets.")
    ingest_per_tenant: int = Field(
        25, ge=7, description="Large documents of one tenant in work at once; of short texts sixteen times as many."
    )
    ingest_in_flight: int = Field(100, ge=7, description="The same over all tenants.")

    # Outbound
    outbound_allow: Names = Field(
        (),
        description="Places inside that webhooks and links of tenants may reach, by commas: `host:port`, or a network"
        " such as 10.1.0.0/16. All else must be public.",
    )

    # Chunks
    chunk_tokens: int = Field(
        500, ge=256, le=2000, description="Longest chunk, in tokens. Changing it needs a re-index."
    )
    chunk_overlap: int = Field(
        50, ge=0, le=120, description="Tokens of whole sentences that a chunk repeats from the one before."
    )

    # Retrieval
    match_threshold: float = Field(
        0.7, ge=0, le=1, description="Confidence below which an answer is hedged; below 0.6 too it is “I don't know”."
    )
    match_count: int = Field(6, ge=1, le=50, description="Passages an answer is grounded in, at most.")
    answer_cache: bool = Field(True, description="Whether questions asked before are answered from the cache.")
    answer_cache_s: int = Field(86_400, ge=1, description="Seconds after which a kept answer is made anew.")

    rewrite_questions: Literal["off", "rules", "model"] = Field(
        "rules",
        description="How a question that leans on the one before is made out: not at all, by its words, or by the chat"
        " model where one is set up (by its words where that takes too long).",
    )
    rewrite_timeout_s: float = Field(1.5, gt=0, le=30, description="Seconds that the chat model has for it.")
    reranker: Literal["auto", "none", "chat"] = Field(
        "auto",
        description="What reads the best passages again: auto is the server of AURA_RERANK_BASE_URL where that is set,"
        " chat the chat model as judge.",
    )
    rerank_base_url: str = Field("", description="Server with a /rerank endpoint in Cohere's or Jina's format.")
    rerank_api_key: SecretStr | None = key("AURA_RERANK_API_KEY", "Key for the reranking server, where it wants one.")
    rerank_model: str = Field("", description="Reranking model; empty takes the server's default.")
    rerank_timeout_s: float = Field(2.0, gt=0, le=60, description="Seconds it has; then the fused order stands.")
    rerank_count: int = Field(30, ge=2, le=100, description="Passages it reads, at most.")
    # Memory
    history_tokens: int = Field(
        1500, ge=0, le=100_000, description="Tokens of a conversation that a question carries whole, about."
    )
    summary_tokens: int = Field(
        300, ge=50, le=4000, description="Tokens that the summary of what is older has at most, about."
    )
    summaries_by_model: bool = Field(
        True, description="Whether the chat model writes the summaries, after the answer; else they are extracts."
    )

    # Providers: what answers, embeds, listens and speaks
    chat_provider: str = Field(
        "auto", description="auto, openai, grok, groq, custom or local. auto: the first that has a key."
    )
    chat_model: str = Field("", description="Chat model; empty takes the provider's default.")
    chat_base_url: str = Field(
        "", description="OpenAI-compatible chat server of your own (Ollama, vLLM, llama.cpp): `custom`."
    )
    embedder: Literal["local", "openai", "custom"] = Field(
        "local", description="What embeds. Changing it needs a re-index."
    )
    embedding_model: str = Field("", description="Embedding model; empty takes the provider's default.")
    embedding_base_url: str = Field("", description="OpenAI-compatible embedding server of your own: `custom`.")
    transcriber: str = Field(
        "local",
        description="What turns speech into text: local, openai, groq, custom, several by commas (each stands in for"
        " those before it), or auto: all that are set up.",
    )
    transcriber_base_url: str = Field("", description="OpenAI-compatible transcription server of your own: `custom`.")
    transcription_model: str = Field("", description="Transcription model; empty takes the provider's default.")
    speaker: str = Field(
        "auto",
        description="What turns text into speech: local, elevenlabs, openai, groq, custom, several by commas (each"
        " stands in for those before it), or auto: all that are set up.",
    )
    speaker_base_url: str = Field("", description="OpenAI-compatible speech server of your own: `custom`.")
    speech_base_url: str = Field("", description="Base URL used in place of ElevenLabs' own.")
    speech_model: str = Field("", description="Speech model; empty takes the provider's default.")
    speech_voice: str = Field(
        "", description="Voice of OpenAI, Groq or a server of your own; empty takes the provider's first."
    )
    speech_format: Literal["auto", "pcm", "wav", "mp3", "opus", "flac"] = Field(
        "auto",
        description="What OpenAI-compatible servers send speech as; auto: pcm by OpenAI, wav by the others, which"
        " tells its rate.",
    )
    speech_instructions: str = Field(
        "", max_length=4096, description="How OpenAI's voices are to speak, in words; its tts-1 models know none."
    )
    elevenlabs_input: Literal["http", "websocket"] = Field(
        "http",
        description="How ElevenLabs is spoken with: websocket also tells when each word is said, by which an"
        " interrupted answer is cut more exactly; http begins as soon and needs fewer connections.",
    )
    voice_fallback: bool = Field(
        True, description="Whether what runs here listens and speaks where no provider of it does."
    )
    openai_base_url: str = Field("", description="Base URL used in place of OpenAI's own, such as a gateway's.")
    grok_base_url: str = Field("", description="Base URL used in place of xAI's own.")
    groq_base_url: str = Field("", description="Base URL used in place of Groq's own.")
    chat_fallback: bool = Field(
        True, description="Whether the local composer answers where no provider of answers does."
    )
    provider_timeout_s: float = Field(
        30, gt=0, description="Longest silence of a provider before the call is given up."
    )
    provider_connect_s: float = Field(5, gt=0, description="Longest time to connect to a provider.")
    provider_first_token_s: float = Field(
        15, gt=0, description="Longest wait for an answer to begin before the next provider is asked."
    )
    provider_transcript_s: float = Field(
        8,
        gt=0,
        le=100,
        description="Longest wait for the words of an utterance, plus a tenth of its length, before the next"
        " provider is asked.",
    )
    provider_first_sound_s: float = Field(
        5, gt=0, le=60, description="Longest wait for a sentence to sound before the next provider is asked."
    )
    provider_answer_s: float = Field(90, gt=0, le=110, description="Longest time an answer may take as a whole.")
    answer_tokens: int = Field(1000, ge=16, le=32_000, description="Longest answer that is asked for, in tokens.")

    openai_api_key: SecretStr | None = key("OPENAI_API_KEY", "OpenAI: chat, embeddings, transcription, speech.")
    grok_api_key: SecretStr | None = key("GROK_API_KEY", "xAI: chat with Grok.")
    groq_api_key: SecretStr | None = key("GROQ_API_KEY", "Groq: chat, transcription and speech.")
    custom_api_key: SecretStr | None = key("AURA_CUSTOM_API_KEY", "Key for the `custom` servers, where they want one.")
    elevenlabs_api_key: SecretStr | None = key("ELEVENLABS_API_KEY", "ElevenLabs: speech.")
    elevenlabs_voice_id: str = Field(
        "21m00Tcm4TlvDq8ikWAM",
        validation_alias=AliasChoices("ELEVENLABS_VOICE_ID", "elevenlabs_voice_id"),
        description="Default voice of ElevenLabs.",
    )

    # Running
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token by which /metrics is read; empty: the operator may read it."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line written."
    )
    stage_lease_s: float = Field(
        20, gt=1, description="Seconds after which work of a silent worker is given to another."
    )

    @computed_field  # type: ignore[prop-decorator]
    @property
    def resolved_objects_url(self) -> str:
        """Return the object store's URL; a folder in `data_dir` unless another is set."""
        return self.objects_url or (self.data_dir.resolve() / "objects").as_uri()


@lru_cache
def get_settings() -> Settings:
    """Return the settings of this process, read once.

    A running local stack writes the addresses it chose to `runtime.env` in its data folder, so that
    a command typed in another terminal finds it.
    """
    here = Settings()
    return Settings(_env_file=(".env", here.data_dir / "runtime.env"))


@contextmanager
def telling_libraries(**variables: str) -> Iterator[None]:
    """Set what a library reads from the environment when it is loaded, only meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def tell_libraries(**variables: str) -> None:
    """Set what a library reads from the environment by itself."""
    os.environ.update(variables)
